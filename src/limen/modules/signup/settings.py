"""What somebody is asked for when she signs up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.modules.signup.model import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.signup]`: what somebody is asked for beside an address."""

    section: ClassVar[str] = "signup"
    password: Wish = Wish.REQUIRED
    """Whether she chooses a password; with `none` she signs in by code."""
    name: Wish = Wish.NONE
    """Whether she tells her given and family name."""
