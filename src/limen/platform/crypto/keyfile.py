"""Key files: lines of `limen-key-v1 <id> <created> <key>`, readable by their owner alone, written whole or not at all."""

from __future__ import annotations

import binascii
import contextlib
import fcntl
import os
import stat
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from limen.kernel import secrets
from limen.platform.crypto.box import KEY_OCTETS, Box, key_id
from limen.platform.crypto.errors import KeyringDamaged, KeyringExposed, KeyringMissing

_FORMAT: Final = "limen-key-v1"
_LARGEST: Final = 4096
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key with its name and its day of birth (None: it came from the environment)."""

    id: str
    created: datetime | None
    key: bytes = field(repr=False)
    box: Box = field(repr=False, compare=False)

    @classmethod
    def of(cls, key: bytes, created: datetime | None) -> StoredKey:
        """Name a key."""
        return cls(key_id(key).hex(), created, key, Box(key))

    def line(self) -> str:
        """Return the line a key file holds."""
        born = self.created.isoformat() if self.created else "-"
        return f"{_FORMAT} {self.id} {born} {urlsafe_b64encode(self.key).rstrip(b'=').decode()}\n"


def key_from_text(text: str, source: str) -> bytes:
    """Read 32 octets of base64url (43 characters); raises KeyringDamaged, which names `source` but never the text."""
    plain = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        key = binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except ValueError:
        key = b""
    if len(key) != KEY_OCTETS:
        raise KeyringDamaged(f"{source} must be 32 octets in base64 (`openssl rand -base64 32` makes some)")
    return key


def read(path: Path) -> tuple[StoredKey, ...]:
    """Read a key file. Raises KeyringMissing, KeyringExposed (others may read it) or KeyringDamaged."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise KeyringMissing(f"There is no key file {path}. Run `limen init` once, or correct [keyring] in limen.toml") from None
    except OSError as error:
        raise KeyringMissing(f"The key file {path} cannot be read: {error.strerror}") from None
    with os.fdopen(handle, "rb") as stream:
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
        if mode & _OTHERS:
            raise KeyringExposed(f"Others can read the key file {path} (mode {mode:04o}). Run: chmod 600 {path}")
        content = stream.read(_LARGEST)
    return tuple(_parse(line, path) for line in content.decode("ascii", "replace").splitlines() if line.strip())


def _parse(line: str, path: Path) -> StoredKey:
    try:
        version, name, born, text = line.split(" ")
        created = None if born == "-" else datetime.fromisoformat(born)
    except ValueError:
        raise KeyringDamaged(f"{path} is no key file of Limen") from None
    if version != _FORMAT or (created and created.tzinfo is None):
        raise KeyringDamaged(f"{path} is no key file of Limen")
    found = StoredKey.of(key_from_text(text, f"The key in {path}"), created)
    if found.id != name:
        raise KeyringDamaged(f"The key in {path} is not the one its name says: restore the file from its copy")
    return found


def make_folder(path: Path) -> None:
    """Make a folder only its owner may enter; one that exists is left as it is."""
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)


def write(path: Path, keys: Sequence[StoredKey], *, replace: bool) -> bool:
    """Write a key file so that it is there whole, durable and private from its first moment; without `replace` an older one stays.

    Returns whether it was written.
    """
    fresh = path.with_name(f".{path.name}.{secrets.octets(6).hex()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write("".join(key.line() for key in keys).encode())
            stream.flush()
            os.fsync(handle)
        if replace:
            fresh.replace(path)
        else:
            path.hardlink_to(fresh)
    except FileExistsError:
        return False
    finally:
        fresh.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return True


def destroy(path: Path) -> None:
    """Overwrite a key file, then remove it. Copies that a file system or a backup kept are beyond reach: keep key files out of backups."""
    dying = path.with_name(f".{path.name}.gone")
    with contextlib.suppress(FileNotFoundError):
        path.rename(dying)  # first out of the sight of readers
        with dying.open("r+b") as stream:
            stream.write(secrets.octets(dying.stat().st_size))
            stream.flush()
            os.fsync(stream.fileno())
        dying.unlink()
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder against other processes that change keys; readers need no lock."""
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
