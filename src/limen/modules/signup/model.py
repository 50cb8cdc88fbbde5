"""What the steps of signing up note for each other."""

from __future__ import annotations

import enum
from typing import Final

MADE: Final = "signup.made"
"""Mark: this journey made the account."""
PASSWORD_DONE: Final = "signup.password_done"  # noqa: S105 - the name of a mark
NAME_DONE: Final = "signup.name_done"
SECRET: Final = "signup.secret"  # noqa: S105 - a name too
"""Kept: what is to be stored of the password that was chosen."""
GIVEN: Final = "signup.given_name"
FAMILY: Final = "signup.family_name"
CHOSEN: Final = (PASSWORD_DONE, NAME_DONE, SECRET, GIVEN, FAMILY)
"""All that somebody chose for an account to come."""


class Wish(enum.Enum):
    """Whether somebody is asked for something, and may leave it."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"
