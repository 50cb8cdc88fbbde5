"""The customer's own pages: their start page, their way in and out, and what apps ask them. Owns the shell's address, `/account`.

What stands on the start page, modules hand in as `CARDS` of their `pages.py`; pages about sessions live with sessions, those about the
profile with profiles.
"""

from __future__ import annotations

from limen.modules.portal.service import tell

__all__ = ["tell"]
