"""Passwords from breaches of others: a compact filter in a file, made once by `limen password leaked`, mapped into memory and only read.

A password is the first bits of its SHA-1 digest: so many of them choose a bucket, the next 16 are kept in it (a quotient filter without
holes; Pagh, Pagh, Rao: An Optimal Bloom Filter Replacement, 2005). Buckets have at most 16 entries on average, so one password in 4,096
that is in no breach is taken for one that is; it costs its owner another choice. No password that is in the list is missed. 18 to 20 bits each.

    header     magic, version, bits of the bucket's number, entries, SHA-256 of all the rest
    index      where each bucket begins, and the end: 32 bits each, little-endian
    entries    16 bits each, little-endian, in order
"""

from __future__ import annotations

import hashlib
import mmap
import struct
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar, Final

from limen.kernel.errors import Kind, LimenError
from limen.kernel.secrets import same

MAGIC: Final = b"limenlkd"
VERSION: Final = 1
HEADER: Final = struct.Struct("<8sHHQ32s")
BOUND: Final = struct.Struct("<I")
KEPT_BITS: Final = 16
KEPT_OCTETS: Final = 2
KEY_BITS: Final = 64
"""So many bits of a digest are ever looked at."""
FULLEST: Final = 16
"""Entries in a bucket, on average."""
MOST: Final = 2**32 - 1

_PAIR: Final = struct.Struct("<II")
_CHUNK: Final = 1 << 20


class UnusableFilter(LimenError):
    """The file is no filter, of another version, or not as it was written."""

    kind: ClassVar[Kind] = Kind.BROKEN
    code: ClassVar[str] = "unusable_filter"


def bits_for(entries: int) -> int:
    """Return how many bits number the buckets of so many entries."""
    return max(0, ((entries - 1) // FULLEST).bit_length())


def checksum(file: BinaryIO, head: bytes) -> bytes:
    """Return the digest of a header's other fields and of all that follows it."""
    found = hashlib.sha256(head)
    file.seek(HEADER.size)
    for chunk in _chunks(file):
        found.update(chunk)
    return found.digest()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(_CHUNK), b"")


def head_of(bits: int, entries: int) -> bytes:
    """Return a header's fields without the checksum."""
    return HEADER.pack(MAGIC, VERSION, bits, entries, bytes(32))[:-32]


class Leaked:
    """An open filter."""

    __slots__ = ("_bits", "_map", "entries")

    def __init__(self, path: Path) -> None:
        """Open and verify a file, three quarters of a second for each gigabyte. OSError; UnusableFilter."""
        with path.open("rb") as file:
            self._bits, self.entries = _verified(file, path)
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()

    def has(self, digest: bytes) -> bool:
        """True if a SHA-1 digest is in the list, or is one of the few that are taken for one."""
        key = int.from_bytes(digest[: KEY_BITS // 8])
        bucket = key >> (KEY_BITS - self._bits)
        kept = (key >> (KEY_BITS - self._bits - KEPT_BITS)) & 0xFFFF
        begin, end = _PAIR.unpack_from(self._map, HEADER.size + bucket * BOUND.size)
        entries = HEADER.size + ((1 << self._bits) + 1) * BOUND.size
        return _holds(self._map[entries + begin * KEPT_OCTETS : entries + end * KEPT_OCTETS], kept.to_bytes(KEPT_OCTETS, "little"))

    def has_password(self, password: str) -> bool:
        """True if a password is in the list, as it was typed or in its normal form."""
        forms = {password, unicodedata.normalize("NFKC", password)}
        return any(self.has(hashlib.sha1(form.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()) for form in forms)


def _holds(bucket: bytes, kept: bytes) -> bool:
    at = bucket.find(kept)
    while at % KEPT_OCTETS == 1:  # it lies across two entries; -1, which is not there, is odd too
        if at < 0:
            return False
        at = bucket.find(kept, at + 1)
    return True


def _verified(file: BinaryIO, path: Path) -> tuple[int, int]:
    """Return the bits and the number of entries of a file that is as it was written."""
    start = file.read(HEADER.size)
    if len(start) < HEADER.size or not start.startswith(MAGIC):
        raise UnusableFilter(operator=f"{path} is not a filter of leaked passwords")
    _, version, bits, entries, digest = HEADER.unpack(start)
    if version != VERSION:
        raise UnusableFilter(operator=f"{path} is a filter of version {version}; this Limen reads version {VERSION}")
    length = HEADER.size + ((1 << min(bits, KEY_BITS)) + 1) * BOUND.size + entries * KEPT_OCTETS
    if path.stat().st_size != length or not same(checksum(file, start[:-32]), digest):
        raise UnusableFilter(operator=f"{path} is damaged: it is not as it was written")
    return bits, entries
