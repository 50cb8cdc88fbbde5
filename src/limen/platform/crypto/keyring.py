"""The keyring: the master key, which wraps tenants' keys, and the epoch keys, which wrap what must be forgettable.

It lives outside the database and is never kept with a backup of it. An epoch key is destroyed one epoch after its successor
came, and with it everything that was sealed under it, in every copy anywhere.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NoReturn, TypeAlias

from limen.kernel.clock import SystemClock
from limen.platform.crypto import keyfile
from limen.platform.crypto.box import Box, Place, key_id_of, new_key
from limen.platform.crypto.errors import EpochBegan, KeyringDamaged, KeyringError, KeyringMissing, MasterElsewhere, UnknownEpoch, UnknownMaster
from limen.platform.crypto.keyfile import StoredKey

VARIABLE: Final = "LIMEN_MASTER_KEY"
"""The master key in base64; while it rotates, the new one, a comma, the previous one."""

_LOOK_AGAIN: Final = 1.0
"""Seconds after which sealing looks whether another process rotated."""
_AT_HAND: Final = 60.0
"""Seconds after which no opened key is at hand any more: so long does one that was destroyed outlive its row, in processes that were not told."""
_MOST_AT_HAND: Final = 4_096
_TICK: Final = timedelta(microseconds=1)
_Stamp: TypeAlias = tuple[tuple[int, int], frozenset[Path]]


@dataclass(frozen=True, slots=True)
class KeyringSettings:
    """Where the keys are. `epoch` is how often epoch keys are meant to rotate: dates are reckoned with it. `by_itself`: servers see to it."""

    file: Path
    epochs: Path
    epoch: timedelta = timedelta(days=30)
    by_itself: bool = False


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch key: `ends` is the instant it is destroyed at the latest, if epochs rotate in time."""

    id: str
    created: datetime
    current: bool
    ends: datetime


class Keyring:
    """All keys of a server that are not in its database. Safe to share among tasks; each process has its own."""

    __slots__ = ("_boxes", "_boxes_until", "_epoch", "_epochs", "_files", "_looked", "_masters", "_seen", "_settings", "_variable")

    def __init__(self, settings: KeyringSettings, variable: str | None) -> None:
        self._settings = settings
        self._variable = variable
        self._looked = 0.0
        self._boxes: dict[tuple[bytes, Place], Box] = {}
        self._boxes_until = 0.0
        self._read()

    @classmethod
    def create(cls, settings: KeyringSettings, now: datetime | None = None, environ: Mapping[str, str] = os.environ) -> Keyring:
        """Make whatever of the keyring is missing, never touching a key that is there, and load it."""
        born = now or SystemClock().now()
        variable = environ.get(VARIABLE)
        keyfile.make_folder(settings.epochs)
        with keyfile.only_one(settings.epochs):
            if variable is None and not settings.file.exists():
                keyfile.make_folder(settings.file.parent)
                keyfile.write(settings.file, [StoredKey.of(new_key(), born)], replace=False)
            if not any(settings.epochs.glob("*.key")):
                _add_epoch(settings.epochs, born)
        return cls(settings, variable)

    @classmethod
    def load(cls, settings: KeyringSettings, environ: Mapping[str, str] = os.environ) -> Keyring:
        """Load a keyring that exists; raises a KeyringError that says what to do."""
        return cls(settings, environ.get(VARIABLE))

    # ------------------------------------------------------------------ master key
    def master_wrap(self, key: bytes, place: Place) -> bytes:
        """Wrap a tenant's key. Rare, so it always looks at the file first: a process must not use a master key that was replaced."""
        self._look(now=True)
        return self._masters[0].box.seal(key, place)

    def master_unwrap(self, blob: bytes, place: Place) -> bytes:
        """Open what `master_wrap` sealed, under the current or the previous master key; raises UnknownMaster or Unsealable."""
        name = key_id_of(blob)
        for again in (False, True):
            if again:
                self._read()
            for master in self._masters:
                if master.id == name:
                    return master.box.open(blob, place)
        raise UnknownMaster(f"A key is wrapped under the master key {name}, which is not in the keyring. Restore {self._settings.file} or set {VARIABLE}")

    @property
    def master(self) -> str:
        """The id of the master key that wraps."""
        self._look(now=True)
        return self._masters[0].id

    @property
    def masters(self) -> tuple[tuple[str, datetime | None], ...]:
        """Id and day of birth of each master key, the current one first; a key from the environment has no day."""
        self._look(now=True)
        return tuple((master.id, master.created) for master in self._masters)

    def rotate_master(self, now: datetime) -> tuple[str, ...]:
        """Make a new master key and keep the present one as previous; an older previous one goes. Returns the ids destroyed.

        The caller has checked that nothing is wrapped under the one that goes. Raises MasterElsewhere if it comes from the environment.
        """
        self._refuse_variable(f"Set {VARIABLE} to `<new key>,<present key>`, restart, then run this again to re-wrap")
        with keyfile.only_one(self._settings.epochs):
            self._read()
            present, *gone = self._masters
            keyfile.write(self._settings.file, [StoredKey.of(new_key(), now), present], replace=True)
            self._read()
        return tuple(master.id for master in gone)

    def destroy_previous_master(self) -> tuple[str, ...]:
        """Forget the previous master key, once nothing is wrapped under it and no backup from before is needed. Returns the ids gone."""
        self._refuse_variable(f"Remove the previous key from {VARIABLE}")
        with keyfile.only_one(self._settings.epochs):
            self._read()
            gone = tuple(master.id for master in self._masters[1:])
            if gone:
                keyfile.write(self._settings.file, self._masters[:1], replace=True)
                self._read()
        return gone

    @property
    def master_is_elsewhere(self) -> bool:
        """Whether the master key comes from the environment."""
        return self._variable is not None

    @property
    def place(self) -> KeyringSettings:
        """Where the keys are."""
        return self._settings

    # ------------------------------------------------------------------ epoch keys
    def epoch_wrap(self, key: bytes, place: Place) -> bytes:
        """Wrap a subject's key under the current epoch key."""
        return self.seal(key, place)

    def epoch_unwrap(self, blob: bytes, place: Place) -> bytes:
        """Open what `epoch_wrap` sealed; raises UnknownEpoch if that epoch is destroyed, Unsealable on a mismatch."""
        return self.open(blob, place)

    def epoch_box(self, blob: bytes, place: Place) -> Box:
        """Return the box of a key that `epoch_wrap` sealed; errors as `epoch_unwrap`.

        To open a key costs more than what is opened with it, and whoever was asked about is asked about again: boxes stay at hand by the
        sealed key itself, which the caller has read a moment ago. An epoch that comes or goes takes them all with it.
        """
        moment = time.monotonic()
        if moment >= self._boxes_until:
            self._boxes.clear()
            self._boxes_until = moment + _AT_HAND
        found = self._boxes.get((blob, place))
        if found is None:
            found = Box(self.open(blob, place))
            if len(self._boxes) >= _MOST_AT_HAND:
                self._boxes.clear()
            self._boxes[blob, place] = found
        return found

    def let_go(self) -> None:
        """Have no opened key at hand any more: one of them was destroyed."""
        self._boxes.clear()

    def seal(self, plain: bytes, place: Place) -> bytes:
        """Seal directly under the current epoch key: for what lives shorter than an epoch (jobs, journeys, the dev mailbox)."""
        self._look()
        return self._epoch.box.seal(plain, place)

    def open(self, blob: bytes, place: Place) -> bytes:
        """Open what `seal` sealed; a blob of an unknown epoch makes the keyring look into its folder again."""
        name = key_id_of(blob)
        found = self._epochs.get(name)
        if found is None:
            self._read()
            found = self._epochs.get(name)
        if found is None:
            raise UnknownEpoch(f"A value is sealed under the epoch key {name}, which is not in {self._settings.epochs}: destroyed, or of another keyring")
        return found.box.open(blob, place)

    @staticmethod
    def epoch_of(blob: bytes) -> str:
        """Return the id of the epoch a value is sealed under."""
        return key_id_of(blob)

    @property
    def current_epoch(self) -> str:
        """The id of the epoch key that seals."""
        self._look()
        return self._epoch.id

    def epochs(self) -> tuple[Epoch, ...]:
        """Return all epoch keys, the current one first.

        The current one's `ends` is the day until which a backup made now can be restored, and from which those forgotten now
        are gone from every backup; a previous one's is that of the backups made in its time.
        """
        self._look(now=True)
        births = [_born(key) for key in self._epochs.values()]
        ends = [following + self._settings.epoch for following in births[1:]]
        ends.append(births[-1] + 2 * self._settings.epoch)
        found = [Epoch(key.id, born, key is self._epoch, end) for key, born, end in zip(self._epochs.values(), births, ends, strict=True)]
        return tuple(reversed(found))

    def rotate_epoch(self, now: datetime, seen: str = "") -> tuple[str, ...]:
        """Begin an epoch: make a key, keep the present one as previous, destroy older ones. Returns the ids destroyed.

        The caller has seen to it that nothing that must live is sealed under those, while `seen` was the present epoch: EpochBegan if it is not
        any more, since what is sealed under `seen` would lose its key.
        """
        with keyfile.only_one(self._settings.epochs):
            self._read()
            present = self._epoch
            if seen and present.id != seen:
                raise EpochBegan(f"the epoch {present.id} began meanwhile, by another process: nothing more is to be done")
            _add_epoch(self._settings.epochs, max(now, _born(present) + _TICK))
            self._read()
            return self._destroy_all_but(present, self._epoch)

    def destroy_previous(self) -> tuple[str, ...]:
        """Destroy all epoch keys but the current one now. Backups from before this epoch, and jobs not yet done since, are lost."""
        with keyfile.only_one(self._settings.epochs):
            self._read()
            return self._destroy_all_but(self._epoch)

    # ------------------------------------------------------------------ inside
    def _destroy_all_but(self, *kept: StoredKey) -> tuple[str, ...]:
        gone = tuple(key for key in self._epochs.values() if key not in kept)
        for key in gone:
            keyfile.destroy(self._files[key.id])
        if gone:
            self._read()
        return tuple(key.id for key in gone)

    def _refuse_variable(self, advice: str) -> None:
        if self._variable is not None:
            raise MasterElsewhere(f"The master key comes from {VARIABLE}, which a command cannot change. {advice}")

    def _look(self, *, now: bool = False) -> None:
        """Read the files again if they changed; without `now` at most once a second."""
        moment = time.monotonic()
        if now or moment - self._looked >= _LOOK_AGAIN:
            self._looked = moment
            if self._stamp() != self._seen:
                self._read()

    def _stamp(self) -> _Stamp:
        """Return what changes with the keys: the master file (replaced, never rewritten) and the names of epoch files."""
        try:
            master = None if self._variable is not None else self._settings.file.stat()
            return (master.st_ino, master.st_mtime_ns) if master else (0, 0), frozenset(self._settings.epochs.iterdir())
        except FileNotFoundError:
            return (0, 0), frozenset()  # reading will say what is missing

    def _read(self) -> None:
        stamp = self._stamp()  # taken first: what changes while reading is seen by the next look
        masters = self._read_masters()
        files = _read_epochs(self._settings.epochs) or _read_epochs(self._settings.epochs)  # once more if all that was listed was rotated away
        if not files:
            raise KeyringMissing(f"There is no epoch key in {self._settings.epochs}. Run `limen init` once, or correct [keyring] in limen.toml")
        found = sorted(files, key=_born)
        self._masters, self._epoch, self._seen = masters, found[-1], stamp
        self._epochs = {key.id: key for key in found}
        self._boxes = {}
        self._files = {key.id: path for key, path in files.items()}

    def _read_masters(self) -> tuple[StoredKey, ...]:
        if self._variable is not None:
            return tuple(StoredKey.of(keyfile.key_from_text(part, VARIABLE), None) for part in self._variable.split(","))
        masters = keyfile.read(self._settings.file)
        if not masters:
            raise KeyringDamaged(f"The key file {self._settings.file} is empty: restore it from its copy")
        return masters

    def __repr__(self) -> str:
        return f"Keyring({self._settings.epochs})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Keyring is not pickled")


def _born(key: StoredKey) -> datetime:
    if key.created is None:
        raise KeyringDamaged(f"The epoch key {key.id} bears no date: restore its file from its copy")
    return key.created


def _read_epochs(folder: Path) -> dict[StoredKey, Path]:
    found: dict[StoredKey, Path] = {}
    for path in folder.glob("*.key"):
        try:
            found.update((key, path) for key in keyfile.read(path))
        except KeyringError:
            if path.exists():  # else it was destroyed while we looked
                raise
    return found


def _add_epoch(folder: Path, born: datetime) -> None:
    key = StoredKey.of(new_key(), born.astimezone(UTC))
    keyfile.write(folder / f"{key.created:%Y-%m-%d}-{key.id}.key", [key], replace=False)
