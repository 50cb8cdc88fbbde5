"""Refresh tokens: each use gives a successor, and what comes back from the past ends the family (RFC 9700, section 4.14.2).

The successor is derived, so whoever asks twice in time gets the same one: a lost answer costs nobody their sign-in, and two processes that
race give one successor: each claims the grant as it saw it, and whoever is outrun looks anew.
"""

from __future__ import annotations

import msgspec

from limen.kernel import secrets
from limen.kernel.ids import ClientId, SessionId
from limen.kernel.secrets import Secret
from limen.modules import keys
from limen.modules.grants.facts import RefreshReplayed
from limen.modules.grants.model import FAMILIES, Claimed, Ending, Family, Grant, RefreshRefusal, Turn, claimed, family_place, turn
from limen.modules.grants.service import ending
from limen.modules.grants.service.codes import limits
from limen.modules.grants.store import grants
from limen.platform.sql import Reader, Work


class Held(msgspec.Struct, frozen=True):
    """A genuine refresh token whose grant stands: `rotate` it, or leave it as it is."""

    grant: Grant
    family: Family
    generation: int
    turn: Turn


async def take_refresh(work: Work, token: str, client: ClientId) -> Held | RefreshRefusal:
    """Look at a client's refresh token. An old one that comes back ends the grant here and now."""
    said = claimed(token)
    chain = await grants.look(work, said.grant) if said else None
    if said is None or chain is None or chain.grant.permit.client != client:
        return RefreshRefusal.UNKNOWN
    if chain.key is None or chain.floored:
        return RefreshRefusal.ENDED
    family = await _family(work, chain.grant, chain.key)
    if family is None:
        return RefreshRefusal.ENDED
    if not _genuine(family, chain, said, token):
        return RefreshRefusal.UNKNOWN
    found = turn(said.generation, chain.generation, chain.rotated_at, work.now)
    if found is Turn.REPLAYED:
        grant = chain.grant
        work.record(
            RefreshReplayed(subject=grant.permit.account, grant=grant.id, client=grant.permit.client, presented=said.generation, current=chain.generation)
        )
        await ending.end(work, grant.id, Ending.REFRESH_REPLAYED)
        return RefreshRefusal.REPLAYED
    return await _if_standing(work, Held(chain.grant, family, chain.generation, found), chain.session)


async def _family(reader: Reader, grant: Grant, sealed: bytes) -> Family | None:
    """Open a family's key; None where it is sealed under its person's own, as all once were, and she was forgotten."""
    box = await keys.tenant_box(reader, FAMILIES)
    if not box.knows(sealed):
        try:
            box = await keys.subject_box(reader, grant.permit.account)
        except keys.Forgotten:
            return None
    return Family(grant.id, box.open(sealed, family_place(reader.tenant, grant.id)))


def _genuine(family: Family, chain: grants.Chain, said: Claimed, token: str) -> bool:
    """Whether we made this token: the current one is the one whose digest was stored, an older one is made again."""
    if said.generation == chain.generation:
        return chain.digest is not None and secrets.same(chain.digest, secrets.digest(token))
    return said.generation < chain.generation and secrets.same(family.token(said.generation).reveal(), token)


async def _if_standing(work: Work, held: Held, session: SessionId | None) -> Held | RefreshRefusal:
    grant = held.grant
    if work.now >= grant.expires or grant.idle_until is None or work.now >= grant.idle_until:
        return RefreshRefusal.EXPIRED
    if session is None and grant.permit.bound_to_session:
        await ending.end(work, grant.id, Ending.SESSION_ENDED)
        return RefreshRefusal.SESSION_ENDED
    return held


async def rotate(work: Work, held: Held) -> Secret[str]:
    """Return the successor: a new one for the current token, the same one again for a repeated question.

    Outrun, at the Work's end, where another was faster.
    """
    return held.family.token(held.generation) if held.turn is Turn.REPEATED else await _turned(work, held, held.generation + 1)


async def prolong(work: Work, held: Held) -> Secret[str]:
    """Return the current token itself, its idle time begun anew: of a client of whom nobody else can use it (RFC 9700, section 4.14)."""
    return await _turned(work, held, held.generation)


async def _turned(work: Work, held: Held, generation: int) -> Secret[str]:
    token = held.family.token(generation)
    until = min(work.now + (await limits(work)).refresh_idle, held.grant.expires)
    grants.rotate(work, held.grant, held.generation, grants.Turned(generation, secrets.digest(token.reveal()), until))
    return token


async def by_refresh(reader: Reader, token: str, client: ClientId) -> Grant | None:
    """Return the grant of a client's refresh token that would be taken now; looking changes nothing."""
    found = await _read(reader, token)
    if found is None or found[1] is Turn.REPLAYED or found[0].grant.permit.client != client:
        return None
    chain = found[0]
    grant = chain.grant
    if reader.now >= grant.expires or grant.idle_until is None or reader.now >= grant.idle_until:
        return None
    return grant if chain.session is not None or not grant.permit.bound_to_session else None


async def family_of(reader: Reader, token: str) -> Grant | None:
    """Return the grant that a refresh token of ours belongs to, be it its newest or an old one."""
    found = await _read(reader, token)
    return found[0].grant if found else None


async def _read(reader: Reader, token: str) -> tuple[grants.Chain, Turn] | None:
    said = claimed(token)
    chain = await grants.chain(reader, said.grant) if said else None
    if said is None or chain is None or chain.key is None or chain.floored:
        return None
    family = await _family(reader, chain.grant, chain.key)
    if family is None or not _genuine(family, chain, said, token):
        return None
    return chain, turn(said.generation, chain.generation, chain.rotated_at, reader.now)
