"""JOSE: compact JWS and JWE, JWT, JWK and JWK Sets (RFC 7515, 7516, 7517, 7518, 7519, 7638, 8037, 8725, 9864), strict on the way in, fast on the way out.

Beside them the certificates of clients (RFC 8705), whose thumbprints stand in tokens.

Knows no tenant, no issuer and no clock: whoever reads a token hands in the keys, the accepted types and the instant.
"""

from __future__ import annotations

from limen.platform.wire.jose.certificates import Certificate, certificate_thumbprint, read_certificate, registered_certificates
from limen.platform.wire.jose.embedded import read_embedded, verify_jwt_by_embedded_key
from limen.platform.wire.jose.errors import (
    BadCertificate,
    BadKey,
    BadSignature,
    Early,
    Expired,
    JoseError,
    Malformed,
    Undecipherable,
    UnknownKey,
    Unsupported,
    UnsupportedAlgorithm,
)
from limen.platform.wire.jose.jwe import ENCRYPTED_LIMIT, Decrypted, decrypt, encrypt, nest
from limen.platform.wire.jose.jwe_keys import DecryptionKey, Enc, EncryptionKey, EncryptionKeys, KeyAlg
from limen.platform.wire.jose.jwk import PublicJwk, export, jwk_members, read_private, read_public, thumbprint, thumbprint_of
from limen.platform.wire.jose.jws import TOKEN_LIMIT, Header, Jws, Jwt, encode, encode_jwt, peek, verify, verify_jwt
from limen.platform.wire.jose.keys import ASYMMETRIC, Alg, CheckKey, SharedKey, SigningKey, VerifyKey
from limen.platform.wire.jose.keyset import KeySet, verify_keys
from limen.platform.wire.jose.names import Name, read_name, same_name
from limen.platform.wire.jose.strict import JsonValue, b64url, json_object, unb64url
from limen.platform.wire.jose.times import AHEAD, audiences, check_times

__all__ = [
    "AHEAD",
    "ASYMMETRIC",
    "ENCRYPTED_LIMIT",
    "TOKEN_LIMIT",
    "Alg",
    "BadCertificate",
    "BadKey",
    "BadSignature",
    "Certificate",
    "CheckKey",
    "Decrypted",
    "DecryptionKey",
    "Early",
    "Enc",
    "EncryptionKey",
    "EncryptionKeys",
    "Expired",
    "Header",
    "JoseError",
    "JsonValue",
    "Jws",
    "Jwt",
    "KeyAlg",
    "KeySet",
    "Malformed",
    "Name",
    "PublicJwk",
    "SharedKey",
    "SigningKey",
    "Undecipherable",
    "UnknownKey",
    "Unsupported",
    "UnsupportedAlgorithm",
    "VerifyKey",
    "audiences",
    "b64url",
    "certificate_thumbprint",
    "check_times",
    "decrypt",
    "encode",
    "encode_jwt",
    "encrypt",
    "export",
    "json_object",
    "jwk_members",
    "nest",
    "peek",
    "read_certificate",
    "read_embedded",
    "read_name",
    "read_private",
    "read_public",
    "registered_certificates",
    "same_name",
    "thumbprint",
    "thumbprint_of",
    "unb64url",
    "verify",
    "verify_jwt",
    "verify_jwt_by_embedded_key",
    "verify_keys",
]
