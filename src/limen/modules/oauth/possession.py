"""Keys that tokens are bound to, and how a request shows that it has one: the same for every endpoint.

A bound token keeps its key as a text: `jkt:` and the thumbprint of a proof's key (RFC 9449, section 6), or `x5t:` and that of a
certificate (RFC 8705, section 3); the empty text is bound to nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from limen.kernel.facts import Actor, ActorKind
from limen.kernel.ids import ClientId
from limen.modules import tenants
from limen.modules.clients import Client
from limen.modules.grants import Extra, Permit
from limen.modules.oauth import dpop, nonces
from limen.modules.oauth.dpop import ALGORITHMS, FAPI_ALGORITHMS, HEADER, MISSING, NEEDS_NONCE, NOT_FAPI, REPLAYED, Proof, Shown
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.replays import claim_first, first_time
from limen.modules.oauth.settings import Nonces, Tenant
from limen.modules.oauth.store import ReplayKind
from limen.platform.http import Call
from limen.platform.sql import Outrun, Reader, Work
from limen.platform.wire.jose import certificate_thumbprint

_JKT: Final = "jkt:"
_X5T: Final = "x5t:"
_BEARER: Final = "Bearer"
_NONCES: Final = "oauth.nonces"
_MOST_NONCES: Final = 5_000
_DOWNGRADED: Final = Refused(
    Code.INVALID_TOKEN, "The access token is bound to a key: show it with the scheme DPoP and a proof (RFC 9449, section 7.1).", "token_downgraded"
)
_UNBOUND: Final = Refused(Code.INVALID_TOKEN, "The access token is bound to no key: show it with the scheme Bearer.", "token_not_bound")
_NOT_ITS_KEY: Final = Refused(Code.INVALID_TOKEN, "The access token is bound to another key than that of the proof.", "token_of_another_key")


_NOT_ITS_CERTIFICATE: Final = Refused(
    Code.INVALID_TOKEN, "The access token is bound to a certificate, and the connection was made with another one or none (RFC 8705, section 3).", "certificate"
)
_NO_CERTIFICATE: Final = Refused(
    Code.INVALID_REQUEST, "This client's tokens are bound to its certificate: connect with it (RFC 8705, section 3).", "certificate_missing"
)


class Confirmation(msgspec.Struct, frozen=True, omit_defaults=True):
    """`cnf` (RFC 7800, section 3.1): the key a token is bound to."""

    jkt: str = ""
    x5t: str = msgspec.field(default="", name="x5t#S256")


class Presented(msgspec.Struct, frozen=True):
    """An access token as a request shows it."""

    text: str
    by_dpop: bool = False
    """Whether by the scheme DPoP, which comes with a proof."""


class _Given(NamedTuple):
    """The header that all answers of a tenant have for a while, if any; it holds while no cache of this process was told of any change."""

    header: tuple[tuple[str, str], ...]
    dropped: int
    since: datetime
    until: datetime


def of_key(jkt: str) -> str:
    """Return what is kept of something bound to the key of a proof; of no key, nothing."""
    return _JKT + jkt if jkt else ""


def jkt_of(bound: str) -> str:
    """Return the thumbprint of a proof's key, if that is what something is bound to."""
    return bound.removeprefix(_JKT) if bound.startswith(_JKT) else ""


def of_certificate(der: bytes) -> str:
    """Return what is kept of something bound to a certificate."""
    return _X5T + certificate_thumbprint(der)


def confirmation(bound: str) -> Confirmation | msgspec.UnsetType:
    """Return `cnf` of a token; of one that is not bound, nothing."""
    if not bound:
        return msgspec.UNSET
    return Confirmation(x5t=bound.removeprefix(_X5T)) if bound.startswith(_X5T) else Confirmation(jkt_of(bound))


def bound_by(found: Confirmation | None) -> str:
    """Return what a token keeps whose `cnf` this is."""
    if found is None:
        return ""
    return _X5T + found.x5t if found.x5t else of_key(found.jkt)


def token_type(bound: str) -> str:
    """Return `token_type` (RFC 6750, section 6.1.1; RFC 9449, section 5)."""
    return dpop.SCHEME if bound.startswith(_JKT) else _BEARER


def algorithms() -> str:
    """Return `algs` of a challenge (RFC 9449, section 7.1)."""
    return " ".join(alg.value for alg in ALGORITHMS)


async def offered(call: Call) -> tuple[tuple[str, str], ...]:
    """Return the header that gives a client its next nonce (RFC 9449, section 8.2), if it sent a proof and the tenant wants nonces."""
    if HEADER not in call.raw_headers:
        return ()
    caches, now = call.db.caches, call.db.clock.now()
    dropped, kept = caches.dropped, caches.kept(_NONCES)
    given: _Given | None = kept.get(call.tenant)
    if given is not None and given.dropped == dropped and given.since <= now < given.until:
        return given.header
    async with call.read() as reader:
        settings = await _settings(reader)
        lives = settings.dpop_nonce
        header = (("dpop-nonce", await nonces.current(reader, lives)),) if settings.dpop_nonces is Nonces.REQUIRED else ()
        since, until = nonces.stretch_of(reader.now, lives)
    if len(kept) >= _MOST_NONCES:
        kept.clear()
    kept[call.tenant] = _Given(header, dropped, since, until)
    return header


async def seen(call: Call) -> Proof | Refused | None:
    """Return a request's proof, if it has one, not yet marked as used. Ask before the Work of the request."""
    if HEADER not in call.raw_headers:
        return None
    async with call.read() as reader:
        return await _proof(call, reader, None)


async def at_server(call: Call, work: Work, client: Client, proof: Proof | Refused | None, *, outrun: bool) -> str | Refused:
    """Return the key to which a client that has proved itself binds its tokens; empty where it showed none and need not.

    That a proof was not used before is claimed without asking; it is asked once a Work was `outrun`, which may have been by that.
    """
    if proof is not None or client.dpop_bound_access_tokens:
        return await by_proof(work, client, proof, asks=outrun)
    if not client.tls_client_certificate_bound_access_tokens:
        return ""
    der = call.certificate
    return _NO_CERTIFICATE if der is None else of_certificate(der)


async def by_proof(work: Work, client: Client, proof: Proof | Refused | None, *, asks: bool = True) -> str | Refused:
    """Return the key of a proof as it is kept, the proof used up by that; unless it `asks`, a second use is Outrun at the end of the Work."""
    if proof is None:
        return MISSING
    if isinstance(proof, Refused):
        return proof
    if client.fapi and proof.alg not in FAPI_ALGORITHMS:
        return NOT_FAPI
    if asks and not await first_time(work, ReplayKind.DPOP, proof.owner, proof.jti, proof.until):
        return REPLAYED
    if not asks:
        claim_first(work, ReplayKind.DPOP, proof.owner, proof.jti, proof.until)
    return of_key(proof.jkt)


def with_key(permit: Permit, bound: str) -> Permit:
    """Return a permit of which refresh tokens work with that key alone, or with any."""
    if permit.bound == bound:
        return permit
    return msgspec.structs.replace(permit, extra=msgspec.structs.replace(permit.extra or Extra(), bound=bound))


async def at_resource(call: Call, reader: Reader, shown: Presented, bound: str, client: ClientId) -> Refused | None:
    """Return why a genuine access token of `client`, bound to `bound`, is not honoured as it is shown; counted, but for a nonce that is wanted."""
    refusal = await _refusal(call, reader, shown, bound, client)
    if refusal is not None and refusal.code is not Code.USE_DPOP_NONCE:
        await call.refused(refusal.reason)
    return refusal


async def _refusal(call: Call, reader: Reader, shown: Presented, bound: str, client: ClientId) -> Refused | None:
    if bound.startswith(_X5T) and not shown.by_dpop:
        der = call.certificate
        return None if der is not None and of_certificate(der) == bound else _NOT_ITS_CERTIFICATE
    if not shown.by_dpop:
        return _DOWNGRADED if bound else None
    if not bound.startswith(_JKT):
        return _UNBOUND
    proof = await _proof(call, reader, shown.text)
    if isinstance(proof, Refused):
        return proof
    if of_key(proof.jkt) != bound:
        return _NOT_ITS_KEY
    try:
        async with call.db.work(call.tenant, Actor(ActorKind.CLIENT, client)) as work:
            claim_first(work, ReplayKind.DPOP, proof.owner, proof.jti, proof.until)
    except Outrun:
        return REPLAYED
    return None


async def _proof(call: Call, reader: Reader, token: str | None) -> Proof | Refused:
    """Return the request's proof if it is in order and, where the tenant wants nonces, its nonce is one of ours."""
    settings = await _settings(reader)
    text = call.raw_headers.get(HEADER, b"").decode("latin-1")
    shown = Shown(call.method, call.site.origin + call.path, reader.now, settings.dpop_window, token)
    proof = dpop.read(text, shown)
    if isinstance(proof, Refused) and settings.mtls_base is not None:  # it may have come by the other address
        proof = dpop.read(text, msgspec.structs.replace(shown, url=settings.mtls_base + call.endpoint.path))
    if isinstance(proof, Refused):
        return proof
    if settings.dpop_nonces is Nonces.OFF:
        return proof
    return proof if proof.nonce is not None and await nonces.accepts(reader, proof.nonce, settings.dpop_nonce) else NEEDS_NONCE


async def _settings(reader: Reader) -> Tenant:
    return await tenants.settings(reader, Tenant.section, Tenant)
