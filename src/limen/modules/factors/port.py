"""What a folder in `extensions/factors` must be: one `EXTENSION`, made of pure functions.

An extension sees no database, no request and no account. It says what to keep, what to send, and whether an answer fits; the host counts
attempts, stores, sends, times and records, so that no extension can forget to.
"""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec

from limen.modules.factors.model import Context, Purpose
from limen.platform.pages import Message


class Answer(msgspec.Struct, frozen=True):
    """The fields of a factor's page; a subclass adds its own, each with a default, and says which of them is the answer."""

    action: str = "continue"

    def said(self) -> str:
        """Return what is to be checked."""
        return ""


_LONGEST_TYPED: Final = 40
_BETWEEN: Final = "-.\u2010\u2011\u2012\u2013"
"""Hyphens and points that people put between digits."""


def typed_digits(said: str) -> str:
    """Return the digits of a code as people type or paste it: with blanks or dashes, in the digits of any script."""
    return "".join(
        str(unicodedata.digit(letter)) if letter.isdigit() else letter for letter in said[:_LONGEST_TYPED] if not letter.isspace() and letter not in _BETWEEN
    )


@dataclass(frozen=True, slots=True)
class Sending:
    """What goes out to the address: a template of notices by name, and its values."""

    template: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A challenge just made: what the host keeps (a digest, never the code), what it sends, and how long and how often it may be answered."""

    kept: bytes
    sending: Sending
    absent: Sending | None
    """What an address without an account gets instead; None: the same, because proving the address is the point."""
    lifetime: timedelta
    tries: int


class Means(enum.Enum):
    """What a factor is (SP 800-63B-4, section 2.2.1): two of different kinds are stronger than either."""

    KNOWN = "known"
    """Something the person knows."""
    HELD = "held"
    """Something she has."""
    ADDRESS = "address"
    """An address at which she is reached: it proves that, and strengthens nothing."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An answer to be checked, when, and what is kept to compare it with (None: nothing is; it must cost the same)."""

    kept: bytes | None
    said: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How a secret comes to be that nobody chooses."""

    why: str
    """Why one adds it, an English text marked with `_m`."""
    make: Callable[[], bytes]
    present: Callable[[bytes, Context], Mapping[str, object]]
    """What its owner is shown of it, once, for the template `show`; the context's words are her address and the service's name."""
    show: str
    """Template of the part of a page that shows it; where it `asks`, with the fields to answer in."""
    keep: Callable[[bytes], bytes]
    """What is kept of it."""
    asks: bool = True
    """It is kept once an answer has shown that she has it."""


@dataclass(frozen=True, slots=True)
class Match:
    """The answer fits. `renewed`: keep this instead from now on."""

    renewed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The answer does not fit."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be kept of a new secret."""

    secret: bytes


@dataclass(frozen=True, slots=True)
class Unfit:
    """What was chosen cannot be used: `reason` for the person, `code` for the log."""

    code: str
    reason: str | Message
    advice: tuple[str, ...] = ()
    """What would make it better: texts marked with `_m`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One way to prove who one is. It keeps a secret of each account, chosen (`enrol`) or made (`making`), or sends challenges (`challenge`)."""

    name: str
    """The folder's name; stored with every factor, so it never changes."""
    words: str
    """What people call it, an English text marked with `_m`: "Password"."""
    offer: str
    """The button that leads to it: "Use my password"."""
    amr: tuple[str, ...]
    """RFC 8176 values of its proof."""
    acr: str
    """What its proof gives alone."""
    means: Means
    ask: str
    """Template of the part of a page that asks for it, `<package>/<file>.html`."""
    fields: type[Answer]
    field: str
    """Which of the fields is the answer: what was wrong is said beside it."""
    wrong: str
    """What is said of a wrong answer, the same whoever was asked for; an English text marked with `_m`."""
    check: Callable[[Trial], Match | Mismatch]
    """Compare what is kept with an answer."""
    choose: str = ""
    """Template of the part of a page where it is chosen, where there is anything to choose; `advice` is a list of texts."""
    enrol: Callable[[str, Context], Chosen | Unfit] | None = None
    making: Making | None = None
    challenge: Callable[[Purpose, int], Challenge] | None = None
    """Make one, for a purpose and after so many failures in a row: after `MOST_FAILURES` it should be far harder to guess."""
    settings: type[object] | None = None
    """The extension's section of a tenant file, `Tenant` in its `settings.py`; an instance comes with the `Context`."""
    slow: bool = False
    """`check` and `enrol` take milliseconds: the host runs them in the hashing pool."""
