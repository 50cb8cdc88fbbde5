"""The one door to randomness, to comparison of secrets and to values that must not be shown by accident."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


class Secret(Generic[T]):
    """A value that hides itself in repr, format, logs and pickles; `reveal()` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the value; every call of this is worth a look in review."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = self._value, other.reveal()
        if isinstance(mine, (str, bytes)) and isinstance(theirs, (str, bytes)):
            return same(mine, theirs)
        return bool(mine == theirs)

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        message = "a Secret is not pickled"
        raise TypeError(message)


def same(left: str | bytes, right: str | bytes) -> bool:
    """Compare two secrets in time that does not depend on where they differ."""
    one = left.encode() if isinstance(left, str) else left
    two = right.encode() if isinstance(right, str) else right
    return hmac.compare_digest(one, two)


def octets(count: int) -> bytes:
    """Return `count` random bytes of the operating system."""
    return os.urandom(count)


def token(prefix: str = "", count: int = 32) -> str:
    """Return `prefix` and `count` random bytes as base64url without padding; 32 bytes are 256 bits."""
    return prefix + base64.urlsafe_b64encode(os.urandom(count)).rstrip(b"=").decode()


def digits(count: int) -> str:
    """Return `count` decimal digits, each equally likely."""
    limit = 10**count
    span = 1 << 64
    while True:
        number = int.from_bytes(os.urandom(8))
        if number < span - span % limit:  # else the first values would be likelier
            return f"{number % limit:0{count}d}"


def letters(alphabet: str, count: int) -> str:
    """Return `count` letters of an alphabet, each equally likely."""
    limit = 256 - 256 % len(alphabet)
    drawn = ""
    while len(drawn) < count:
        drawn += "".join(alphabet[octet % len(alphabet)] for octet in os.urandom(count) if octet < limit)
    return drawn[:count]


def digest(value: str | bytes) -> bytes:
    """Return the SHA-256 of a machine-made secret, the form in which it is stored. Never for passwords."""
    return hashlib.sha256(value.encode() if isinstance(value, str) else value).digest()


def mac(key: bytes, value: bytes) -> bytes:
    """Return HMAC-SHA-256 (RFC 2104) of `value` under `key`."""
    return hmac.digest(key, value, "sha256")
