"""JOSE: compact JWS, JWT, JWK and JWK Sets (RFC 7515, 7517, 7518, 7519, 7638, 8037, 8725, 9864), strict on the way in, fast on the way out.

Knows no tenant, no issuer and no clock: whoever reads a token hands in the keys, the accepted types and the instant.
"""

from __future__ import annotations

from limen.platform.wire.jose.errors import BadKey, BadSignature, Early, Expired, JoseError, Malformed, UnknownKey, Unsupported
from limen.platform.wire.jose.jwk import PublicJwk, export, jwk_members, read_private, read_public, thumbprint
from limen.platform.wire.jose.jws import TOKEN_LIMIT, Header, Jws, Jwt, encode, encode_jwt, peek, verify, verify_jwt
from limen.platform.wire.jose.keys import Alg, SigningKey, VerifyKey
from limen.platform.wire.jose.keyset import KeySet, verify_keys
from limen.platform.wire.jose.strict import JsonValue, b64url, json_object, unb64url
from limen.platform.wire.jose.times import AHEAD, audiences, check_times

__all__ = [
    "AHEAD",
    "TOKEN_LIMIT",
    "Alg",
    "BadKey",
    "BadSignature",
    "Early",
    "Expired",
    "Header",
    "JoseError",
    "JsonValue",
    "Jws",
    "Jwt",
    "KeySet",
    "Malformed",
    "PublicJwk",
    "SigningKey",
    "UnknownKey",
    "Unsupported",
    "VerifyKey",
    "audiences",
    "b64url",
    "check_times",
    "encode",
    "encode_jwt",
    "export",
    "json_object",
    "jwk_members",
    "peek",
    "read_private",
    "read_public",
    "thumbprint",
    "unb64url",
    "verify",
    "verify_jwt",
    "verify_keys",
]
