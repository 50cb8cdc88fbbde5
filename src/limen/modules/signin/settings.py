"""How customers sign in."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

_LONGEST_WAIT: Final = timedelta(minutes=10)


class SecondFactor(enum.Enum):
    """Of whom a second factor is asked."""

    NEVER = "never"
    ENROLLED = "enrolled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.signin]`: how customers sign in."""

    section: ClassVar[str] = "signin"
    methods: tuple[str, ...] = ("password", "email_code")
    """The factors offered before anything is proved; the first is asked for, the others have a button. The same for every account."""
    resend_after: timedelta = timedelta(seconds=30)
    """So long after a code was sent another may be asked for; `0s`: at once. Mails take a moment, and a second code makes the first one void."""
    lists_accounts: bool = True
    """Whether a page on which an account is chosen (`prompt=select_account`) lists the addresses that signed in with the same browser. Where strangers share
    browsers, `false`."""
    second_factor: SecondFactor = SecondFactor.ENROLLED
    """Whether a second factor is asked for: `enrolled`, of whoever has added one; `never`, unless an app asks for more (`acr_values`)."""

    def __post_init__(self) -> None:
        if not self.methods:
            raise ValueError("methods: name at least one way to sign in")
        if len(set(self.methods)) < len(self.methods):
            raise ValueError("methods: one stands there twice")
        if not timedelta(0) <= self.resend_after <= _LONGEST_WAIT:
            raise ValueError("resend_after: must lie between 0s and 10m")
