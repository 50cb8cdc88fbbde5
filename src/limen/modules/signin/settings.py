"""How customers sign in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.signin]`: how customers sign in."""

    section: ClassVar[str] = "signin"
    methods: tuple[str, ...] = ("password", "email_code")
    """The factors offered before anything is proved; the first is asked for, the others have a button. The same for every account."""

    def __post_init__(self) -> None:
        if not self.methods:
            raise ValueError("methods: name at least one way to sign in")
        if len(set(self.methods)) < len(self.methods):
            raise ValueError("methods: one stands there twice")
