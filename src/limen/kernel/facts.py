"""What happened, in the past tense. A fact carries ids, reason codes and numbers; personal data only as sealed bytes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from limen.kernel.ids import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Subclass it per event; every field added must be encodable as JSON (str, int, bool, enum, tuple of these).

    `name` is the wire name `<module>.<what_happened>`; it never changes meaning and is never reused.
    """

    name: ClassVar[str]
    subject: AccountId | None = None
    """The account it concerns; the audit log is searched by it."""
    private: bytes | None = None
    """Personal detail, sealed under the subject's own key (`keys.seal_fact`), unreadable once she is forgotten."""


class ActorKind(enum.Enum):
    """Who acts."""

    ANONYMOUS = "anonymous"
    CUSTOMER = "customer"
    CLIENT = "client"
    OPERATOR = "operator"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from. Personal data: stored sealed only, beside a keyed hash."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does the work in hand; `id` is an account, a client, a command's name, or empty."""

    kind: ActorKind
    id: str = ""
    origin: Origin | None = None

    @property
    def label(self) -> str:
        """`customer:acc_...`, as facts carry it; the origin is left out."""
        return f"{self.kind.value}:{self.id}" if self.id else self.kind.value


SYSTEM = Actor(ActorKind.SYSTEM)
ANONYMOUS = Actor(ActorKind.ANONYMOUS)
