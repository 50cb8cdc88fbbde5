"""Signing up: an address is proved, then an account is made for it, then its owner adds what the tenant asks for and is signed in.

It owns the steps and the table of the journey `sign_up`. An address that is not proved reserves nothing; one that has an account goes the
same way to the code, and only then is told so.
"""

from __future__ import annotations

__all__: list[str] = []
