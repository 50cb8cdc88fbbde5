"""The public keys of clients and of trusted issuers: as registered, or from their `jwks_uri`, fetched within bounds and seldom (RFC 7591, section 2)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from limen.kernel.errors import LimenError
from limen.modules.clients import FAPI_ALGS, Client
from limen.platform.http import Call, Crowd, Fetcher
from limen.platform.wire.jose import ASYMMETRIC, Alg, BadKey, KeySet, UnknownKey, peek

FRESH: Final = timedelta(minutes=5)
"""How long fetched keys serve without a look at what is there now."""
AGAIN: Final = timedelta(minutes=1)
"""At most so often a client's address is called, whatever `kid` is named (SURFACE: outbound fetches)."""

_MOST: Final = 2_000
_MOST_OCTETS: Final = 16_777_216
"""Of all key sets together: one may have 64 kB, and strangers may register many."""
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Fetched:
    raw: bytes
    """Empty where the last attempt failed and there was none before."""
    at: datetime


_FETCHED: Final[OrderedDict[tuple[str, str], _Fetched]] = OrderedDict()
_CROWD: Final[Crowd[bytes]] = Crowd()
"""So that a crowd with names of keys that nobody has makes one call and not as many as it counts."""


def algorithms(client: Client) -> tuple[Alg, ...]:
    """Return what a client may sign with: all that is asymmetric, or what its profile takes."""
    return tuple(one for one in ASYMMETRIC if not client.fapi or one in FAPI_ALGS)


class HasKeys(Protocol):
    """Who has public keys: a client, or an issuer that is trusted."""

    @property
    def jwks(self) -> str | None:
        """As JSON text, if they are registered."""

    @property
    def jwks_uri(self) -> str | None:
        """Where they stand, if not."""


async def raw_keys(call: Call, owner: HasKeys, *, anew: bool = False) -> bytes:
    """Return somebody's JWK Set as it is known; empty where there is none, or none can be had. `anew` looks again, a minute after the last time."""
    if owner.jwks is not None:
        return owner.jwks.encode()
    return b"" if owner.jwks_uri is None else await _raw_at(call, owner.jwks_uri, anew=anew)


async def _raw_at(call: Call, uri: str, *, anew: bool) -> bytes:
    key, now = (call.tenant, uri), call.db.clock.now()
    kept = _FETCHED.get(key)
    if kept is not None and timedelta() <= now - kept.at < (AGAIN if anew else FRESH):
        return kept.raw
    return await _CROWD.wait(key, lambda: _renewed(call, uri, kept.raw if kept else b""))


async def _renewed(call: Call, uri: str, before: bytes) -> bytes:
    """Fetch and keep."""
    key, now = (call.tenant, uri), call.db.clock.now()
    raw = await _fetched(call, uri, before)
    _FETCHED[key] = _Fetched(raw, now)
    _FETCHED.move_to_end(key)
    while len(_FETCHED) > _MOST or sum(len(one.raw) for one in _FETCHED.values()) > _MOST_OCTETS:
        _FETCHED.popitem(last=False)
    return raw


async def _fetched(call: Call, uri: str, before: bytes) -> bytes:
    try:
        found = await Fetcher(own_machine=call.site.dev).get(uri, accept="application/jwk-set+json, application/json")
    except LimenError as trouble:
        _log.warning("client_keys.not_fetched", at=uri, reason=trouble.operator or trouble.code, do="see that jwks_uri answers from here")
        return before
    if found.status != 200:  # noqa: PLR2004 - OK
        _log.warning("client_keys.not_fetched", at=uri, reason=f"status {found.status}", do="see that jwks_uri answers from here")
        return before
    return found.body


async def checking(call: Call, owner: HasKeys, token: str, algs: Iterable[Alg]) -> KeySet:
    """Return somebody's keys to check `token` with; where none of them is the one it names they are looked for anew. JoseError."""
    wanted = tuple(algs)
    head = peek(token).header
    try:
        found = KeySet.parse(await raw_keys(call, owner), wanted)
        found.find(head.kid, head.alg)
    except (UnknownKey, BadKey):
        if owner.jwks_uri is None:
            raise
        found = KeySet.parse(await raw_keys(call, owner, anew=True), wanted)
    return found
