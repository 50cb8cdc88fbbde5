"""What somebody is asked for when she signs up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from limen.modules.signup.model import Wish

_DOMAIN: Final = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_MOST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.signup]`: what somebody is asked for beside an address."""

    section: ClassVar[str] = "signup"
    password: Wish = Wish.REQUIRED
    """Whether she chooses a password; with `none` she signs in by code."""
    name: Wish = Wish.NONE
    """Whether she tells her given and family name."""
    mail_domains: tuple[str, ...] = ()
    """Domains at which many of the tenant's people have their mail. Who mistypes one of these, or one of the usual, is asked whether she meant it."""

    def __post_init__(self) -> None:
        if len(self.mail_domains) > _MOST or not all(_DOMAIN.fullmatch(one) for one in self.mail_domains):
            raise ValueError(f"mail_domains: at most {_MOST} domains, in ASCII and lower case")
