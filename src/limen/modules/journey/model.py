"""What a journey remembers and what comes of it: ids and names only, no I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn, TypeAlias

import msgspec
from msgspec.structs import replace

from limen.kernel.ids import AccountId, ClientId, JourneyId, SessionId
from limen.platform.pages import Message

LIFETIME_SECONDS: Final = 3600
"""How long a journey may take from its beginning to its end."""


class Verdict:
    """A yes or no that must be taken apart with `match`: asking for its truth is a mistake and raises."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        message = f"{type(self).__name__} is a verdict: use match, not its truth"
        raise TypeError(message)


@dataclass(frozen=True, slots=True)
class Return:
    """Where the journey ends: a door by name, and the door's own record. Never a URL."""

    door: str
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Where a request began that was not made in this browser (RFC 8628, section 5.4): what the person compares before she says yes."""

    code: str
    """As the device shows it."""
    address: str
    """Of the device, as it was seen here."""
    near: bool
    """Whether this browser came from the same network."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """All that steps may know of the request that began the journey (OpenID Connect Core 1.0, 3.1.2.1)."""

    client: ClientId | None = None
    scopes: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = ()
    max_age: int | None = None
    """Seconds since the last active sign-in, at most; 0 asks for a fresh one."""
    prompt: frozenset[str] = frozenset()
    account: AccountId | None = None
    """Whom an `id_token_hint` names: nobody else will do."""
    login_hint: str = ""
    """Whom the app means, perhaps an address: a suggestion."""
    locales: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    """What is asked for beyond scopes, each a sentence for the person (RFC 9396); she is asked about it each time."""
    form_target: str = ""
    """Origin or scheme of the validated redirect target, for the pages' `form-action`."""
    elsewhere: Elsewhere | None = None
    """Set where the request began on another device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One factor was shown: by an account or, before there is one, by a proved identifier. Minted by the factor host, federation and devices only."""

    factor: str
    amr: tuple[str, ...]
    """RFC 8176 values."""
    acr: str
    """What this proof gives when it stands alone."""
    means: str = ""
    """`known` or `held`, of which one of each is more than either; else nothing of the kind."""
    at: datetime
    account: AccountId | None = None
    identifier: tuple[str, str] | None = None
    """Kind and normalised value of the identifier whose holder was proved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed(Verdict):
    """Enough proofs. `sessions.open` asks for it; only `signin` and token exchange mint it."""

    account: AccountId
    acr: str
    amr: tuple[str, ...]
    auth_time: datetime


@dataclass(frozen=True, slots=True)
class Refused(Verdict):
    """Not enough, or not allowed; `reason` is a code for the log, never shown."""

    reason: str


Errors: TypeAlias = Mapping[str, str | Message]
"""What was wrong with an answer: field name ("" is the page as a whole) to a text marked with `_m`, or a `Message`."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the steps know and hand on, stored sealed under the journey's own key. Never changed in place: each step returns the next one."""

    kind: str
    ask: Ask
    ret: Return
    session: SessionId | None = None
    """The session the browser came with, until `enter` puts the one it opened in its place."""
    account: AccountId | None = None
    """Who it is, once a session or a proof said so; an identifier alone never does."""
    identifier: tuple[str, str] | None = None
    """Kind and normalised value, as typed: not proved."""
    proofs: tuple[Proof, ...] = ()
    marks: Mapping[str, str] = msgspec.field(default_factory=dict)
    """What steps note for themselves and each other, under `<module>.<word>`."""
    kept: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    """Likewise, of what nobody may see: the hash of a password that was chosen for an account to come."""
    errors: Errors = msgspec.field(default_factory=dict)
    """What was wrong with the last answer; the next page shows it."""
    remarks: tuple[str | Message, ...] = ()
    """What the next page says besides: what has just happened."""

    def marked(self, name: str, value: str = "yes") -> State:
        """Return the state with one mark set."""
        return replace(self, marks={**self.marks, name: value})

    def unmarked(self, *names: str) -> State:
        """Return the state without these marks."""
        return replace(self, marks={name: value for name, value in self.marks.items() if name not in names})

    def keeping(self, name: str, octets: bytes) -> State:
        """Return the state with something kept that nobody may see."""
        return replace(self, kept={**self.kept, name: octets})

    def without(self, *names: str) -> State:
        """Return the state without these marks and what was kept under these names."""
        return replace(self.unmarked(*names), kept={name: octets for name, octets in self.kept.items() if name not in names})

    def saying(self, *remarks: str | Message) -> State:
        """Return the state with something for the next page to say."""
        return replace(self, remarks=remarks)

    def mark(self, name: str) -> str:
        """Return a mark, or the empty string."""
        return self.marks.get(name, "")

    def __repr__(self) -> str:
        return f"State({self.kind})"


@dataclass(frozen=True, slots=True)
class Ended:
    """What a finished journey hands to its door, once. With `refusal` set (`access_denied`) the person said no."""

    journey: JourneyId
    ret: Return
    account: AccountId | None
    session: SessionId | None
    refusal: str = ""
