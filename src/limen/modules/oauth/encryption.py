"""Messages only the other side can read: what a client wants encrypted to it, and what clients encrypt to us (RFC 7516, RFC 7518).

A message that cannot be encrypted is not sent: never in clear where the client registered otherwise.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import ClassVar, Final

import msgspec

from limen.kernel import secrets
from limen.kernel.errors import Kind, LimenError
from limen.modules import keys
from limen.modules.clients import Client
from limen.modules.oauth import client_keys
from limen.platform.http import Call
from limen.platform.sql import Reader
from limen.platform.wire.jose import DecryptionKey, Enc, EncryptionKey, EncryptionKeys, JoseError, KeyAlg, decrypt, encrypt, nest

USUAL: Final = Enc.A128CBC_HS256
"""Of a client that registered no `enc` (OpenID Connect Registration 1.0, section 2)."""

_PARTS: Final = 5
_MOST: Final = 2_000
_PARSED: Final[OrderedDict[bytes, EncryptionKeys]] = OrderedDict()


class NoEncryptionKey(LimenError):
    """The client wants its messages encrypted, and has no key for that where it said."""

    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    code: ClassVar[str] = "client_has_no_key"


async def for_client(call: Call, client: Client, stem: str, token: str) -> str:
    """Return a signed message, encrypted where the client registered for that; `stem` names the kind: `id_token`, `userinfo`, ... NoEncryptionKey."""
    how = registered(client, stem)
    return token if how is None else nest(token, await _key(call, client, how[0]), how[1])


async def plain_for_client(call: Call, client: Client, stem: str, claims: Mapping[str, object]) -> bytes:
    """Return claims encrypted to a client that wants them without a signature. NoEncryptionKey."""
    how = registered(client, stem)
    if how is None:
        raise TypeError(f"{stem} is not encrypted for this client")
    return encrypt(msgspec.json.encode(claims), await _key(call, client, how[0]), how[1]).encode()


def registered(client: Client, stem: str) -> tuple[KeyAlg, Enc] | None:
    """Return how a kind of message is encrypted for a client; None: it is not."""
    alg, enc = _members(client, stem)
    return None if alg is None else (KeyAlg(alg), USUAL if enc is None else Enc(enc))


def _members(client: Client, stem: str) -> tuple[str | None, str | None]:
    if stem == "request_object":
        return client.request_object_encryption_alg, client.request_object_encryption_enc
    name = "authorization_encrypted_response" if stem == "authorization" else f"{stem}_encrypted_response"
    return getattr(client, f"{name}_alg"), getattr(client, f"{name}_enc")


async def _key(call: Call, client: Client, alg: KeyAlg) -> EncryptionKey:
    for anew in (False, True):
        raw = await client_keys.raw_keys(call, client, anew=anew)
        try:
            return _parsed(raw).pick(alg)
        except JoseError as trouble:
            if client.jwks_uri is None or anew:
                raise NoEncryptionKey(
                    "The client's keys hold none to encrypt with.", operator=f"{client.id}: {trouble.code}; see its jwks or jwks_uri for a key of use enc"
                ) from None
    raise NoEncryptionKey(operator=client.id)


def _parsed(raw: bytes) -> EncryptionKeys:
    name = secrets.digest(raw)
    found = _PARSED.get(name)
    if found is None:
        found = _PARSED[name] = EncryptionKeys.parse(raw)
        if len(_PARSED) > _MOST:
            _PARSED.popitem(last=False)
    return found


def is_encrypted(token: str) -> bool:
    """True if a token has the five parts of a JWE."""
    return token.count(".") == _PARTS - 1


async def opened(call: Call, client: Client, token: str) -> str | None:
    """Return the signed message that a client encrypted to us; None where it cannot be opened, or is not encrypted as the client registered."""
    async with call.read() as reader:
        ours = await keys.decryption_keys(reader)
    how = registered(client, "request_object")
    algs, encs = (tuple(KeyAlg), tuple(Enc)) if how is None else ((how[0],), (how[1],))
    return _inside(token, ours, algs, encs)


async def opened_hint(reader: Reader, token: str) -> str | None:
    """Return the ID token that a client encrypted to us to hint at its person (OpenID Connect Core 1.0, 3.1.2.1); None where it cannot be opened."""
    return _inside(token, await keys.decryption_keys(reader), tuple(KeyAlg), tuple(Enc))


def _inside(token: str, ours: Iterable[DecryptionKey], algs: Collection[KeyAlg], encs: Collection[Enc]) -> str | None:
    try:
        inner = decrypt(token, ours, algs=algs, encs=encs)
        return inner.payload.decode("ascii") if inner.cty in ("jwt", "") else None
    except (JoseError, UnicodeDecodeError):
        return None
