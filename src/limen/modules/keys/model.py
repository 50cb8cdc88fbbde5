"""What keys are: which there is of each kind, and which of several signs or is shown at an instant."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from limen.kernel.ids import KeyId, TenantId
from limen.platform.wire.jose import Alg, KeySet, PublicJwk, SigningKey, verify_keys

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)


class Use(enum.Enum):
    """What a tenant's key is for."""

    DATA = "data"
    """Seals what belongs to the tenant and to no person."""
    INDEX = "index"
    """Makes the blind index by which sealed values are found."""


class Standing(enum.Enum):
    """Where a tenant's key is in its rotation."""

    CURRENT = "current"
    PREVIOUS = "previous"


class Stage(enum.Enum):
    """Where a signing key is in its life."""

    SUCCESSOR = "successor"
    """Shown to the world, but not signing yet."""
    CURRENT = "current"
    RETIRED = "retired"
    """Its private part is gone; shown until the last token it signed has ended, remembered longer for old `id_token_hint`s."""


@dataclass(frozen=True, slots=True)
class TenantKey:
    """A tenant's key, wrapped by the master key whose id is `master`. `renewed` is when all it made had been brought under the next one."""

    use: Use
    id: str
    standing: Standing
    created: datetime
    master: str
    wrapped: bytes
    renewed: datetime | None = None


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """A person's data key, wrapped by the epoch key whose id is `epoch`."""

    subject: str
    epoch: str
    wrapped: bytes


class Spot(NamedTuple):
    """A place in a walk over the keys of all tenants."""

    tenant: TenantId
    row: str


@dataclass(frozen=True, slots=True)
class SigningRow:
    """A signing key as stored. `begins` is the instant it signs from; `leaves` the one its public part leaves the JWKS at."""

    id: KeyId
    alg: Alg
    stage: Stage
    created: datetime
    begins: datetime
    retired: datetime | None
    leaves: datetime | None
    public: PublicJwk
    sealed: bytes | None

    def signs(self, now: datetime) -> bool:
        """Whether it may sign at this instant, as far as it alone is concerned.

        A current key does, whatever the time: it was made so by a process whose clock may be ahead of ours, and there is no other.
        """
        return self.stage is Stage.CURRENT or (self.stage is Stage.SUCCESSOR and self.begins <= now)

    def shown(self, now: datetime) -> bool:
        """Whether it stands in the JWKS at this instant."""
        return self.leaves is None or now < self.leaves


def newest(rows: Sequence[SigningRow], now: datetime) -> dict[str, SigningRow]:
    """Return the key that signs at this instant by the name of its algorithm: the one that began last."""
    found: dict[str, SigningRow] = {}
    for row in sorted(rows, key=lambda row: (row.begins, row.created, row.id)):
        if row.signs(now):
            found[row.alg.value] = row
    return found


def span(rows: Sequence[SigningRow], now: datetime) -> tuple[datetime, datetime]:
    """Return since when and until when nothing changes by the mere passing of time."""
    changes = [instant for row in rows for instant in (row.begins, row.leaves) if instant is not None]
    return max((instant for instant in changes if instant <= now), default=FIRST), min((instant for instant in changes if instant > now), default=LAST)


@dataclass(frozen=True, slots=True)
class View:
    """What holds of a tenant's keys from `since` until `until`."""

    since: datetime
    until: datetime
    signing: dict[str, SigningRow]
    signers: dict[str, SigningKey]
    published: KeySet
    document: bytes


class Ring:
    """All signing keys of a tenant in memory: answers who signs and what is shown, by the instant asked for.

    The instants of a rotation are in the rows, so every process turns to the successor at the same moment, whether or not
    anybody has told it to.
    """

    __slots__ = ("_opened", "_rows", "_view", "remembered")

    def __init__(self, rows: Sequence[SigningRow], opened: dict[KeyId, bytes]) -> None:
        """`opened` are the private parts, PKCS #8 DER, of those that sign or will."""
        self._rows = tuple(rows)
        self._opened = opened
        self.remembered = _key_set(self._rows)
        self._view = View(LAST, FIRST, {}, {}, self.remembered, b"")

    def at(self, now: datetime) -> View:
        """Return what holds at this instant."""
        view = self._view
        if view.since <= now < view.until:
            return view
        since, until = span(self._rows, now)
        shown = [row for row in self._rows if row.shown(now)]
        self._view = View(since, until, newest(self._rows, now), {}, _key_set(shown), document(shown))
        return self._view

    def signer(self, alg: str, now: datetime) -> SigningKey | None:
        """Return the key that signs at this instant, or None before there is one."""
        view = self._view
        if not view.since <= now < view.until:
            view = self.at(now)
        found = view.signers.get(alg)
        return found if found is not None else self._load(view, alg)

    def _load(self, view: View, alg: str) -> SigningKey | None:
        row = view.signing.get(alg)
        if row is None:
            return None
        loaded = view.signers[alg] = SigningKey.load(self._opened[row.id], row.alg, row.id)
        return loaded


def document(rows: Sequence[SigningRow]) -> bytes:
    """Return the JWK Set (RFC 7517, section 5): who signs first, then successors, then the retired."""
    order = {Stage.CURRENT: 0, Stage.SUCCESSOR: 1, Stage.RETIRED: 2}
    return msgspec.json.encode({"keys": [row.public for row in sorted(rows, key=lambda row: (order[row.stage], row.alg.value, row.begins))]})


def _key_set(rows: Sequence[SigningRow]) -> KeySet:
    return KeySet(key for row in rows for key in verify_keys(msgspec.to_builtins(row.public), [row.alg]))
