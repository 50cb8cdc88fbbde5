"""Compact JWE (RFC 7516): messages for one recipient's key. The arithmetic is joserfc's; what may come near it is decided here.

Reading goes in this order: size, five parts, header, algorithms, critical extensions and compression, our key, the sender's, the sizes
of the parts, and only then the decryption. Whoever sent a message that cannot be read learns nothing of where it failed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from limen.platform.wire.jose.errors import BadKey, Malformed, Undecipherable, UnknownKey, Unsupported, UnsupportedAlgorithm
from limen.platform.wire.jose.jwe_keys import RSA_ALGS, DecryptionKey, Enc, EncryptionKey, KeyAlg, serves
from limen.platform.wire.jose.jwk import read_public, refuse_private
from limen.platform.wire.jose.jws import TOKEN_LIMIT, Header, check_critical, read_header, short_type
from limen.platform.wire.jose.strict import unb64url

if TYPE_CHECKING:
    from joserfc.jwe import JWERegistry

ENCRYPTED_LIMIT: Final = TOKEN_LIMIT * 3 // 2
"""Octets of an encrypted token that are read at most: base64url of a base64url grows by a third."""

_PARTS: Final = 5
_HEADER_LIMIT: Final = 4_096
_LONGEST_PARTY: Final = 512


@dataclass(frozen=True, slots=True)
class _Sizes:
    iv: int
    tag: int
    key: int


_SIZES: Final = {
    Enc.A128CBC_HS256: _Sizes(16, 16, 32),
    Enc.A256CBC_HS512: _Sizes(16, 32, 64),
    Enc.A128GCM: _Sizes(12, 16, 16),
    Enc.A256GCM: _Sizes(12, 16, 32),
}
_WRAPPED: Final = frozenset({KeyAlg.ECDH_ES_A128KW, KeyAlg.ECDH_ES_A256KW})
_WRAPPING: Final = 8
"""Octets by which a wrapped key is longer (RFC 3394)."""


@dataclass(frozen=True, slots=True)
class Decrypted:
    """What a message held. Anybody may have written it, since the key it was encrypted with is public: look for a signature inside.

    `cty` in lower case without `application/`, "" where absent: `jwt` says that a signed token is inside.
    """

    header: Header
    cty: str
    payload: bytes


def encrypt(payload: bytes, key: EncryptionKey, enc: Enc, *, cty: str = "", typ: str = "") -> str:
    """Return the compact JWE of `payload` for the owner of `key`. With P-256 about 120 us, with RSA 50; the first of a process 30 ms more."""
    from joserfc import jwe  # noqa: PLC0415 - 30 ms that only encryption costs

    header = {"alg": key.alg.value, "enc": enc.value, "kid": key.kid or "", "typ": typ, "cty": cty}
    return jwe.encrypt_compact({name: value for name, value in header.items() if value}, payload, key.theirs(), registry=_registry(key.alg, enc))


def nest(token: str, key: EncryptionKey, enc: Enc) -> str:
    """Return a signed token encrypted (RFC 7519, section 5.2: sign first)."""
    return encrypt(token.encode(), key, enc, cty="JWT")


def decrypt(token: str | bytes, keys: Iterable[DecryptionKey], *, algs: Collection[KeyAlg], encs: Collection[Enc], limit: int = ENCRYPTED_LIMIT) -> Decrypted:
    """Return what somebody encrypted for one of `keys`; any JoseError otherwise. With RSA about 310 us, with P-256 160.

    `algs` and `encs` are what is accepted. UnknownKey where the message names a key that is not ours; whatever goes wrong with the right
    one is the same Undecipherable (RFC 7516, section 11.5).
    """
    parts = _split(token, limit)
    header = read_header(parts[0])
    alg, enc = _algorithms(header, algs, encs)
    check_critical(header, ())
    if "zip" in header.members:
        raise Unsupported("compressed messages are not accepted")
    cty = header.members.get("cty", "")
    if not isinstance(cty, str):
        raise Malformed("`cty` is no text")
    candidates = _candidates(header, keys, alg)
    if alg not in RSA_ALGS:
        _check_agreement(header)
    for key in candidates:
        payload = _opened(parts, key, _registry(alg, enc)) if _fits(parts, key, alg, enc) else None
        if payload is not None:
            return Decrypted(header, short_type(cty), payload)
    raise Undecipherable("the message is not for this key, or not whole")


def _opened(parts: list[bytes], key: DecryptionKey, registry: JWERegistry) -> bytes | None:
    from joserfc import jwe  # noqa: PLC0415 - as above

    try:
        return jwe.decrypt_compact(b".".join(parts), key.theirs(), registry=registry).plaintext
    except Exception:  # noqa: BLE001 - wrong key, wrong padding, wrong tag: nobody is to learn which
        return None


def _split(token: str | bytes, limit: int) -> list[bytes]:
    if len(token) > limit:
        raise Malformed(f"a message of more than {limit} bytes")
    try:
        octets = token.encode("ascii") if isinstance(token, str) else token
    except UnicodeEncodeError:
        raise Malformed("a message is ASCII text") from None
    if octets.count(b".") != _PARTS - 1:
        raise Malformed("an encrypted message has five parts")
    parts = octets.split(b".")
    if len(parts[0]) > _HEADER_LIMIT:
        raise Malformed(f"a header of more than {_HEADER_LIMIT} bytes")
    return parts


def _algorithms(header: Header, algs: Collection[KeyAlg], encs: Collection[Enc]) -> tuple[KeyAlg, Enc]:
    alg = next((one for one in algs if one.value == header.alg), None)
    enc = next((one for one in encs if one.value == header.members.get("enc")), None)
    if alg is None or enc is None:
        raise UnsupportedAlgorithm("an algorithm that is not accepted here")
    return alg, enc


def _candidates(header: Header, keys: Iterable[DecryptionKey], alg: KeyAlg) -> list[DecryptionKey]:
    fit = [key for key in keys if serves(key.public, alg)]
    found = fit if header.kid is None else [key for key in fit if key.kid == header.kid]
    if not found:
        raise UnknownKey("no key of that name serves that algorithm")
    return found


def _fits(parts: list[bytes], key: DecryptionKey, alg: KeyAlg, enc: Enc) -> bool:
    """Whether each part has the one length and spelling it can have, so that no two messages are one; Malformed where it has another spelling."""
    wrapped, iv, _, tag = (unb64url(part) for part in parts[1:])
    sizes = _SIZES[enc]
    return (len(wrapped), len(iv), len(tag)) == (_length_of_key(key, alg, sizes), sizes.iv, sizes.tag)


def _length_of_key(key: DecryptionKey, alg: KeyAlg, sizes: _Sizes) -> int:
    if isinstance(key.public, rsa.RSAPublicKey):
        return (key.public.key_size + 7) // 8
    return sizes.key + _WRAPPING if alg in _WRAPPED else 0


def _check_agreement(header: Header) -> None:
    """The sender's passing key is a point of our curve and no private key (RFC 7518, section 4.6.1): another point would leak ours bit by bit."""
    sender = header.members.get("epk")
    if not isinstance(sender, dict):
        raise Malformed("`epk` is missing or no object")
    refuse_private(sender)
    if not isinstance(read_public(sender), ec.EllipticCurvePublicKey):
        raise BadKey("`epk` is on another curve")
    for name in ("apu", "apv"):
        party = header.members.get(name, "")
        if not isinstance(party, str) or len(party) > _LONGEST_PARTY or not party.isascii():
            raise Malformed(f"`{name}` is no text, or too long")
        unb64url(party.encode())


@lru_cache
def _registry(alg: KeyAlg, enc: Enc) -> JWERegistry:
    """Return what the library may do: these two algorithms. Sizes and names in the header were looked at before it sees them."""
    from joserfc.jwe import JWERegistry  # noqa: PLC0415 - as above

    made = JWERegistry(algorithms=[alg.value, enc.value], strict_check_header=False)
    made.max_protected_header_length = _HEADER_LIMIT
    made.max_ciphertext_length = 2**20
    return made
