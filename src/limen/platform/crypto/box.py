"""Authenticated encryption of one value at one place: AES-256-GCM (NIST SP 800-38D) with the place as associated data.

A sealed value is `version (1) | key id (4) | nonce (12) | ciphertext | tag (16)`. The key id says which key to try while
keys rotate; it is authenticated with the rest. Nonces are random, so one key seals at most 2^32 values in its life.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from limen.kernel import secrets
from limen.platform.crypto.errors import Unsealable

KEY_OCTETS: Final = 32
OVERHEAD: Final = 33
"""By how many octets a sealed value is longer than the plain one."""

_VERSION: Final = b"\x01"
_ID_END: Final = 5
_NONCE_END: Final = 17
_BAR: Final = "|"
_ID_LABEL: Final = b"limen key id"
_NONE_OLDER: Final[dict[bytes, AESGCM]] = {}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value belongs; it opens nowhere else. `row` is the row's key, for a key of several columns joined by the caller."""

    table: str
    column: str
    tenant: str
    row: str

    def octets(self) -> bytes:
        """Return `table|column|tenant|row`. Only the row, which stands last, may hold a bar itself, so no two places write the same.

        Raises ValueError if another part holds one.
        """
        head = f"{self.table}|{self.column}|{self.tenant}|"
        if head.count(_BAR) != 3:  # noqa: PLR2004 - the three written above
            raise ValueError("table, column and tenant of a place hold no bar")
        return (head + self.row).encode("utf-8", "surrogatepass")


def new_key() -> bytes:
    """Return a fresh 256-bit key."""
    return secrets.octets(KEY_OCTETS)


def key_id(key: bytes) -> bytes:
    """Return the four octets by which a key is named in what it sealed; they say nothing of the key."""
    return secrets.digest(_ID_LABEL + key)[:4]


class Box:
    """Seals under one key and opens what this or an older key sealed. It never shows its keys."""

    __slots__ = ("_header", "_newest", "_older")

    def __init__(self, key: bytes, *older: bytes) -> None:
        self._header, self._newest = _cipher(key)
        self._older = dict(map(_cipher, older)) if older else _NONE_OLDER

    @property
    def id(self) -> str:
        """The id of the key that seals, eight hexadecimal digits."""
        return self._header[1:].hex()

    def seal(self, plain: bytes, place: Place) -> bytes:
        """Encrypt `plain` for `place`."""
        nonce = secrets.octets(12)
        return self._header + nonce + self._newest.encrypt(nonce, plain, self._header + place.octets())

    def open(self, sealed: bytes, place: Place) -> bytes:
        """Return what was sealed for `place`; raises Unsealable on any mismatch."""
        header = sealed[:_ID_END]
        cipher = self._newest if header == self._header else self._older.get(header)
        if cipher is None:
            raise Unsealable(operator=f"a value of {place.table}.{place.column} is sealed under another key ({header[1:].hex()})")
        try:
            return cipher.decrypt(sealed[_ID_END:_NONCE_END], sealed[_NONCE_END:], header + place.octets())
        except (InvalidTag, ValueError):
            raise Unsealable(operator=f"a value of {place.table}.{place.column} does not open at its place") from None

    def knows(self, sealed: bytes) -> bool:
        """Whether one of its keys sealed it, as far as its head says."""
        header = sealed[:_ID_END]
        return header == self._header or header in self._older

    def is_current(self, sealed: bytes) -> bool:
        """Whether the newest key sealed it; if not, opening and sealing it again lets the older key go."""
        return sealed[:_ID_END] == self._header

    def __repr__(self) -> str:
        return f"Box({self.id})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Box is not pickled")


def _cipher(key: bytes) -> tuple[bytes, AESGCM]:
    if len(key) != KEY_OCTETS:
        raise ValueError("a box takes keys of 32 octets")
    return _VERSION + key_id(key), AESGCM(key)


def key_id_of(sealed: bytes) -> str:
    """Return the id of the key a value is sealed under, eight hexadecimal digits; raises Unsealable if it is no sealed value."""
    if len(sealed) < OVERHEAD or sealed[:1] != _VERSION:
        raise Unsealable(operator="this is no sealed value")
    return sealed[1:_ID_END].hex()
