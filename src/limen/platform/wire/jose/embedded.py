"""Tokens that bring the key they are signed with, such as DPoP proofs (RFC 9449, section 4.2): they prove possession of it and nothing else.

Whose key it is, is for the caller to know, by its thumbprint. `verify` has no way in for such keys, and this has none for any other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final

from limen.platform.wire.jose.errors import BadKey, Malformed, Unsupported, UnsupportedAlgorithm
from limen.platform.wire.jose.jws import TOKEN_LIMIT, Header, Jwt, check_critical, parts, read_claims, read_header
from limen.platform.wire.jose.keys import FITS, Alg, VerifyKey
from limen.platform.wire.jose.keyset import verify_keys
from limen.platform.wire.jose.strict import JsonValue, unb64url

_HEADER_LIMIT: Final = 3_072
"""Octets of a header with a key in it: RSA with 8,192 bits takes 2,000."""
_REMEMBERED: Final = 2_048
_PUBLIC: Final = {alg.value: alg for alg in FITS}


def verify_jwt_by_embedded_key(token: str | bytes, algs: Collection[Alg], *, typ: Collection[str], limit: int = TOKEN_LIMIT) -> Jwt:
    """Return a token signed by the public key in its own header (`jwk`); its `key.thumbprint` says by which. Any JoseError otherwise.

    `algs` lists the accepted algorithms (UnsupportedAlgorithm for others), `typ` the accepted types in lower case. Names of keys and
    addresses in the header count for nothing. An app sends one header with all its proofs, so header and key of the last 2,048 seen
    are not read again: with ES256 about 75 us, 110 at first sight.
    """
    head, payload, signature = parts(token, limit)
    if len(head) > _HEADER_LIMIT:
        raise Malformed(f"a header of more than {_HEADER_LIMIT} bytes")
    header, key = _read(head)
    if key.alg not in algs:
        raise UnsupportedAlgorithm("an algorithm that is not accepted here")
    if header.typ not in typ:
        raise Unsupported("a token of another type is needed here")
    key.verify(head + b"." + payload, unb64url(signature))
    return Jwt(header, key, read_claims(unb64url(payload)))


def read_embedded(members: JsonValue, alg: Alg) -> VerifyKey:
    """Return the public key of a JWK out of a token's header, for that algorithm; BadKey if it is private, unusable or not for it."""
    if not isinstance(members, Mapping):
        raise BadKey("`jwk` is missing or no object")
    found = verify_keys(members, (alg,))
    if not found:
        raise BadKey(f"the key does not serve {alg.value}")
    return found[0]


@lru_cache(_REMEMBERED)
def _read(head: bytes) -> tuple[Header, VerifyKey]:
    header = read_header(head)
    check_critical(header, ())
    alg = _PUBLIC.get(header.alg)
    if alg is None:
        raise UnsupportedAlgorithm("an algorithm that is not accepted here")
    return header, read_embedded(header.members.get("jwk"), alg)
