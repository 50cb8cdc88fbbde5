"""The root of all errors. An error is a broken precondition and rolls back; a refusal is a value and commits."""

from __future__ import annotations

import enum
from typing import ClassVar


class Kind(enum.Enum):
    """What sort of trouble: a door translates it to its own protocol (HTTP status, OAuth error, SCIM type, page)."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"
    BROKEN = "broken"


class LimenError(Exception):
    """`public` may be read by the client; `operator` goes to the log only; `retry_after` is in seconds."""

    kind: ClassVar[Kind] = Kind.BROKEN
    code: ClassVar[str] = "broken"

    def __init__(self, public: str = "", *, operator: str = "", retry_after: int | None = None) -> None:
        super().__init__(public or self.code)
        self.public = public
        self.operator = operator or public
        self.retry_after = retry_after
