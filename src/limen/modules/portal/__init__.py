"""The customer's own pages: their start page and their way in and out. Owns the shell's address, `/account`, and nothing it shows.

What stands on the start page, modules hand in as `CARDS` of their `pages.py`; pages about sessions live with sessions, those about the
profile with profiles.
"""

from __future__ import annotations

__all__: list[str] = []
