"""Sets of keys to check with: our own, or those of somebody else's JWK Set, read within bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from limen.platform.wire.jose.errors import BadKey, Malformed, UnknownKey
from limen.platform.wire.jose.jwk import read_public, refuse_private
from limen.platform.wire.jose.keys import FITS, Alg, CheckKey, VerifyKey
from limen.platform.wire.jose.strict import JsonValue, json_object

SET_LIMIT: Final = 65_536
"""Octets of a JWK Set that are read at most."""
MOST_KEYS: Final = 64
LONGEST_KID: Final = 512


class KeySet:
    """Keys found by `kid` and `alg` together, so a key is never used with an algorithm it was not made for. Iterating gives the public ones."""

    __slots__ = ("_by_alg", "_by_name", "_count", "_public")

    def __init__(self, keys: Iterable[CheckKey]) -> None:
        held = tuple(keys)
        self._count = len(held)
        self._public = tuple(key for key in held if isinstance(key, VerifyKey))
        self._by_name: dict[tuple[str, str], CheckKey] = {}
        self._by_alg: dict[str, list[CheckKey]] = {}
        for key in held:
            self._by_alg.setdefault(key.alg.value, []).append(key)
            if key.kid is not None:
                self._by_name.setdefault((key.kid, key.alg.value), key)

    @classmethod
    def parse(cls, raw: bytes, algs: Iterable[Alg]) -> KeySet:
        """Read somebody else's JWK Set (RFC 7517, section 5) for use with `algs` alone.

        A key that names its `alg` serves that one; another serves each of `algs` its type fits. Keys for other uses or of unknown
        kinds are passed over, and HS256 finds none. BadKey if a private or symmetric key is in it, if it is malformed or too large, or if no key serves.
        """
        wanted = tuple(algs)
        found = cls(key for entry in entries_of(raw) for key in _keys_of(entry, wanted))
        if not found:
            raise BadKey("the key set holds no key that serves")
        return found

    def find(self, kid: str | None, alg: str) -> CheckKey:
        """Return the key of that name for that algorithm; raises UnknownKey.

        Where the token or the key bears no name, the key must be the only one for its algorithm.
        """
        found = self._by_name.get((kid, alg)) if kid is not None else None
        if found is not None:
            return found
        alone = self._by_alg.get(alg, ())
        if len(alone) == 1 and (kid is None or alone[0].kid is None):
            return alone[0]
        raise UnknownKey("no key of that name serves that algorithm")

    def __iter__(self) -> Iterator[VerifyKey]:
        return iter(self._public)

    def __len__(self) -> int:
        return self._count


def entries_of(raw: bytes) -> list[dict[str, JsonValue]]:
    """Return the members of each key of a JWK Set; BadKey if it is malformed, too large, or holds a private or symmetric key."""
    if len(raw) > SET_LIMIT:
        raise BadKey(f"a key set of more than {SET_LIMIT} bytes")
    try:
        entries = json_object(raw).get("keys")
    except Malformed:
        raise BadKey("the key set is not a well-formed JSON object") from None
    if not isinstance(entries, list) or len(entries) > MOST_KEYS:
        raise BadKey(f"`keys` is missing, no list, or longer than {MOST_KEYS}")
    found = [entry for entry in entries if isinstance(entry, dict)]
    if len(found) < len(entries):
        raise BadKey("`keys` holds something that is no key")
    for entry in found:
        refuse_private(entry)
    return found


def verify_keys(members: Mapping[str, JsonValue], algs: Iterable[Alg]) -> tuple[VerifyKey, ...]:
    """Return a JWK as keys for those of `algs` it serves, maybe none; BadKey if it is private or unusable."""
    refuse_private(members)
    kid, named = members.get("kid"), members.get("alg")
    if not (kid is None or (isinstance(kid, str) and len(kid) <= LONGEST_KID)):
        raise BadKey("`kid` is no text, or too long")
    if not _is_for_checking(members):
        return ()
    public = read_public(members)
    return tuple(VerifyKey(public, alg, kid) for alg in algs if isinstance(public, FITS.get(alg, ())) and named in (None, alg.value))


def _keys_of(entry: Mapping[str, JsonValue], algs: tuple[Alg, ...]) -> tuple[VerifyKey, ...]:
    try:
        return verify_keys(entry, algs)
    except BadKey:
        return ()


def _is_for_checking(members: Mapping[str, JsonValue]) -> bool:
    operations = members.get("key_ops")
    return members.get("use") in (None, "sig") and (operations is None or (isinstance(operations, list) and "verify" in operations))
