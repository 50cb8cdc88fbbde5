"""Signing up: an address is proved, its owner chooses what the tenant asks for, then the account is made in one piece and she is signed in.

It owns the steps and the table of the journey `sign_up`. An address that is not proved reserves nothing; one that has an account goes the
same way to the code, and only then is told so. Until the account is made, what was chosen lies in the journey and goes with it.
"""

from __future__ import annotations

__all__: list[str] = []
