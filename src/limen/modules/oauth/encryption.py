"""Messages only the other side can read: what a client wants encrypted to it, and what clients encrypt to us (RFC 7516, RFC 7518)."""

from __future__ import annotations

from collections.abc import Mapping

from limen.modules.clients import Client
from limen.platform.http import Call

USUAL_ENC = "A128CBC-HS256"
_PARTS = 5


async def for_client(call: Call, client: Client, stem: str, token: str) -> str:
    """Return a signed message, encrypted where the client registered for that; `stem` names the kind: `id_token`, `userinfo`, ..."""
    del call
    if getattr(client, f"{stem}_encrypted_response_alg") is None:
        return token
    raise NotImplementedError


async def plain_for_client(call: Call, client: Client, stem: str, claims: Mapping[str, object]) -> bytes:
    """Return claims encrypted to a client that wants them without a signature."""
    del call, client, stem, claims
    raise NotImplementedError


def is_encrypted(token: str) -> bool:
    """True if a token has the five parts of a JWE."""
    return token.count(".") == _PARTS - 1


async def opened(call: Call, client: Client, token: str) -> str | None:
    """Return what a client encrypted to us; None where it cannot be opened."""
    del call, client, token
    return None
