"""Argon2id (RFC 9106) of passwords: 19 MiB, two passes, one lane. Slow by intent: call these through `HashPool.run`.

The hash string is to be stored sealed, which is its pepper. A password is normalised by NFKC and never cut.
"""

from __future__ import annotations

import unicodedata
from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING, Final

from limen.kernel import secrets
from limen.platform.crypto.errors import PasswordTooLong, Unsealable

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 2
LANES: Final = 1
LONGEST: Final = 1024
"""Octets of UTF-8 after normalisation."""

_SALT_OCTETS: Final = 16
_HASH_OCTETS: Final = 32


@cache
def _hasher() -> PasswordHasher:
    """Import on first use: most commands hash nothing."""
    from argon2 import PasswordHasher, Type  # noqa: PLC0415 - costs 30 ms

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, hash_len=_HASH_OCTETS, salt_len=_SALT_OCTETS, type=Type.ID)


def normalise(password: str) -> bytes:
    """Return the octets that are hashed; raises PasswordTooLong over 1,024 of them."""
    if len(password) <= LONGEST:  # longer ones need no normalising to be too long
        octets = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
        if len(octets) <= LONGEST:
            return octets
    raise PasswordTooLong("The password is too long.")


def hash_password(password: str) -> str:
    """Return the Argon2id hash in PHC string format, with a fresh salt."""
    return _hasher().hash(normalise(password), salt=secrets.octets(_SALT_OCTETS))


def verify_password(stored: str, password: str) -> bool:
    """Whether `password` has this hash. Unsealable if `stored` is no Argon2 hash: a damaged row, not a wrong password."""
    from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError  # noqa: PLC0415 - costs 30 ms

    try:
        return _hasher().verify(stored, normalise(password))
    except VerifyMismatchError:
        return False
    except (InvalidHashError, VerificationError, UnicodeEncodeError) as error:  # the second also when memory ran out
        raise Unsealable(operator=f"a stored password hash cannot be verified: {type(error).__name__}") from None


def verify_nothing(password: str) -> None:
    """Spend what `verify_password` spends, for accounts that do not exist or have no password."""
    if verify_password(_nobody(), password):
        raise AssertionError("the hash of nobody fits no password")


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's; make it anew at the next sign-in."""
    return _hasher().check_needs_rehash(stored)


@cache
def _nobody() -> str:
    """Return a well-formed hash with random content: nobody's password."""
    salt, tag = (b64encode(secrets.octets(count)).rstrip(b"=").decode() for count in (_SALT_OCTETS, _HASH_OCTETS))
    return f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${tag}"
