"""What is asked of the log, and how its pages follow each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from limen.kernel.ids import AccountId
from limen.modules.audit.errors import BadPosition

BEGINNING_OF_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)
MOST: Final = 500
"""Facts on a page at most."""

_MICROSECOND: Final = timedelta(microseconds=1)
_POSITION: Final = re.compile(r"(\d{1,18})-(\d{1,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which facts; everything left empty matches all. `until` is the first instant no longer meant."""

    subject: AccountId | None = None
    kind: str = ""
    """Begin of the wire name: `sessions.`, or the whole of it."""
    actor: str = ""
    """As facts carry it: `client:shop`, `operator:acc_...`."""
    since: datetime = BEGINNING_OF_TIME
    until: datetime = END_OF_TIME


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the log, newest first: what comes after it is older."""

    at: datetime
    seq: int

    def __str__(self) -> str:
        return f"{(self.at - BEGINNING_OF_TIME) // _MICROSECOND}-{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """Read what `str` wrote; BadPosition for anything else."""
        found = _POSITION.fullmatch(text)
        if found is None or not text.isascii():
            raise BadPosition("after: take it as it stood in the page before.")
        try:
            return cls(BEGINNING_OF_TIME + int(found[1]) * _MICROSECOND, int(found[2]))
        except OverflowError:
            raise BadPosition("after: take it as it stood in the page before.") from None


@dataclass(frozen=True, slots=True)
class Key:
    """A fact without what it says, as the indexes have it."""

    at: datetime
    seq: int
    name: str
    actor: str

    @property
    def position(self) -> Position:
        return Position(self.at, self.seq)


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact as a reader of the log sees it."""

    seq: int
    at: datetime
    name: str
    subject: AccountId | None
    actor: str
    data: Mapping[str, object]
    private: bytes | None
    """Sealed under the subject's own key."""

    @property
    def position(self) -> Position:
        return Position(self.at, self.seq)


@dataclass(frozen=True, slots=True)
class Page:
    """Facts, newest first. `after` leads on; None on the last page. A page may hold fewer than asked for, even none, and yet lead on."""

    entries: tuple[Entry, ...]
    after: Position | None
