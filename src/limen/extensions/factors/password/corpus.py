"""Makes the filter of leaked passwords from a list of SHA-1 digests, such as Pwned Passwords, in bounded memory.

A list of any order is first dealt out into parts on disk, by the first bits of the digests, eight octets each; then each part is sorted and
written. What is there already stays until the new file is whole. Both halves say now and then how far they are.
"""

from __future__ import annotations

import os
import re
import sys
from array import array
from binascii import unhexlify
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final

from limen.extensions.factors.password import leaked
from limen.kernel.errors import Kind, LimenError

_HELD: Final = 4_000_000
"""Digests in memory before they are dealt out: some 40 MB."""
_EVERY: Final = 50_000
_LONGEST_LINE: Final = 200
_LINE: Final = re.compile(rb"([0-9A-Fa-f]{27,40})(?::([0-9]+))?[ \t\r\n]*")
_SHA1, _RANGE, _NTLM = 40, 35, (32, 27)
_PREFIX: Final = re.compile(r"[0-9A-Fa-f]{5}")


class UnusableList(LimenError):
    """What was given is not a list of SHA-1 digests."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "unusable_list"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: digests read, and of the second half the share that is written."""

    read: int
    written: float = 0.0


@dataclass(slots=True)
class _Parts:
    """Digests dealt out by their first bits, each part a file."""

    folder: Path
    held: dict[int, bytearray] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    count: int = 0

    def add(self, digest: bytes) -> None:
        self.held.setdefault((digest[0] << 4) | (digest[1] >> 4), bytearray()).extend(digest[:8])  # 4,096 parts
        self.count += 1
        if self.count % _HELD == 0:
            self.flush()

    def flush(self) -> None:
        for part, octets in self.held.items():
            with self._file(part).open("ab") as file:
                file.write(octets)
        self.seen.update(self.held)
        self.held.clear()

    def sorted(self, part: int) -> list[int]:
        keys = array("Q", self._file(part).read_bytes())
        if sys.byteorder == "little":
            keys.byteswap()
        return sorted(keys)

    def _file(self, part: int) -> Path:
        return self.folder / f"{part:03x}"


def build(source: Path, target: Path) -> Generator[Progress, None, None]:
    """Make `target` from a file of `SHA1` or `SHA1:count` lines, or from a folder of range files; OSError, UnusableList.

    It needs beside the target eight octets for each line until it is done.
    """
    with TemporaryDirectory(prefix=".leaked-", dir=target.parent) as folder:
        parts = _Parts(Path(folder))
        for digest in _digests(source):
            parts.add(digest)
            if parts.count % _EVERY == 0:
                yield Progress(parts.count)
        parts.flush()
        if not 0 < parts.count <= leaked.MOST:
            raise UnusableList(operator=f"{source}: {parts.count:,} digests are in it; a filter holds from 1 to {leaked.MOST:,}")
        made = Path(folder) / "made"
        yield from _write(parts, made)
        made.replace(target)
        _sync(target.parent)


def _sync(folder: Path) -> None:
    """Make a renaming durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(parts: _Parts, made: Path) -> Iterator[Progress]:
    bits = leaked.bits_for(parts.count)
    shift = leaked.KEY_BITS - bits - leaked.KEPT_BITS
    made.touch()
    total, last, filled = 0, -1, 0
    with made.open("r+b") as index, made.open("r+b") as entries:
        index.seek(leaked.HEADER.size)
        entries.seek(leaked.HEADER.size + ((1 << bits) + 1) * leaked.BOUND.size)
        for done, part in enumerate(sorted(parts.seen), 1):
            bounds, kept = array("I"), array("H")
            for key in parts.sorted(part):
                cell = key >> shift
                if cell == last:
                    continue
                last, bucket = cell, cell >> leaked.KEPT_BITS
                if bucket >= filled:
                    bounds.extend([total + len(kept)] * (bucket + 1 - filled))
                    filled = bucket + 1
                kept.append(cell & 0xFFFF)
            total += len(kept)
            index.write(_little(bounds))
            entries.write(_little(kept))
            yield Progress(parts.count, done / len(parts.seen))
        index.write(_little(array("I", [total]) * ((1 << bits) + 1 - filled)))
    with made.open("r+b") as file:
        head = leaked.head_of(bits, total)
        digest = leaked.checksum(file, head)
        file.seek(0)
        file.write(head + digest)
        file.flush()
        os.fsync(file.fileno())


def _little(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _digests(source: Path) -> Iterator[bytes]:
    """Read the digests of a file, or of every file of a folder."""
    if not source.is_dir():
        yield from _of_file(source, b"")
        return
    with os.scandir(source) as files:
        for one in files:  # in any order: there are a million of them, and the parts are sorted later
            if one.is_file():
                path = Path(one.path)
                yield from _of_file(path, path.stem.encode() if _PREFIX.fullmatch(path.stem) else b"")


def _of_file(path: Path, prefix: bytes) -> Iterator[bytes]:
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
            if not line.isspace() and (digest := _digest(line, prefix, path, number)):
                yield digest


def _digest(line: bytes, prefix: bytes, path: Path, number: int) -> bytes | None:
    """Return the digest a line says, or None for one that range files are padded with, which was seen no time."""
    found = _LINE.fullmatch(line)
    length = len(found[1]) if found else 0
    if length in _NTLM:
        raise UnusableList(operator=f"{path}, line {number}: these are NTLM hashes, which nothing here can be compared with. Download the SHA-1 list")
    if found is None or length != (_RANGE if prefix else _SHA1):
        wanted = "Lines are `SHA1` or `SHA1:count`; a range file bears the first five digits of its digests as its name"
        raise UnusableList(operator=f"{path}, line {number}: this is no SHA-1 digest. {wanted}")
    return None if found[2] and not int(found[2]) else unhexlify(prefix + found[1])
