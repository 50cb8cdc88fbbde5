"""Choosing, replacing, listing and removing what an account proves itself with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from limen.kernel.facts import Actor
from limen.kernel.ids import AccountId, FactorId, TenantId
from limen.kernel.secrets import Secret
from limen.modules import accounts, keys, tenants
from limen.modules.factors import store
from limen.modules.factors.errors import UnknownFactor
from limen.modules.factors.facts import FactorEnrolled, FactorRemoved
from limen.modules.factors.model import Context, Enrolled, Prepared
from limen.modules.factors.port import Chosen, Making, Match, Trial, Unfit
from limen.modules.factors.service.attempt import compared
from limen.modules.factors.service.registry import factor
from limen.modules.journey import Proof
from limen.platform.crypto import pool
from limen.platform.sql import Database, Reader, Work


async def prepare(db: Database, tenant: TenantId, actor: Actor, kind: str, value: str, context: Context) -> Prepared | Unfit:
    """Judge what a person chose and make of it what is kept. Slow, so it stands outside a Work; nothing is stored yet."""
    way = factor(kind)
    if way.enrol is None:
        raise UnknownFactor(operator=f"there is nothing to choose for the factor {kind}")
    if way.settings is not None:
        async with db.read(tenant) as reader:
            context = dataclasses.replace(context, rules=await tenants.settings(reader, kind, way.settings))
    if way.slow:
        made = await pool().run(way.enrol, value, context, lane=(tenant, actor.origin.address if actor.origin else ""))
    else:
        made = way.enrol(value, context)
    match made:
        case Chosen(secret):
            return Prepared(kind, Secret(secret))
        case Unfit():
            return made


async def enrol(work: Work, account: AccountId, prepared: Prepared) -> Proof:
    """Store what was prepared, in place of what was there. The proof says that its owner showed it now, which counts where she has just come to be."""
    box = await keys.subject_box(work, account)
    made, replaced = await store.put(work, account, prepared.kind, prepared.secret.reveal(), box)
    await store.clear_kind(work, prepared.kind, account)
    work.record(FactorEnrolled(subject=account, factor=made, kind=prepared.kind, replaced=replaced))
    way = factor(prepared.kind)
    return Proof(factor=prepared.kind, amr=way.amr, acr=way.acr, means=way.means.value, at=work.now, account=account)


def making(kind: str) -> Making:
    """Return how a factor's secret is made; UnknownFactor where it is none that is."""
    found = factor(kind).making
    if found is None:
        raise UnknownFactor(operator=f"the factor {kind} makes nothing")
    return found


async def present(reader: Reader, account: AccountId, kind: str, made: bytes) -> Mapping[str, object]:
    """Return what an account is shown of a secret that was made for it."""
    own = await accounts.identifiers(reader, account)
    words = (own[0].value if own else "", (await tenants.find(reader)).display)
    return making(kind).present(made, Context(words=words))


async def shown(db: Database, tenant: TenantId, actor: Actor, made: Prepared, said: str) -> Prepared | None:
    """Return what is to be stored of a secret that was made (`made.secret` as it was made), if the answer shows that its owner has it.

    What she answered cannot be shown a second time.
    """
    how, kept = making(made.kind), made.secret.reveal()
    kept = how.keep(kept)
    if not how.asks:
        return Prepared(made.kind, Secret(kept))
    found = await compared(factor(made.kind), Trial(kept, said, db.clock.now()), (tenant, actor.origin.address if actor.origin else ""))
    return Prepared(made.kind, Secret(found.renewed or kept)) if isinstance(found, Match) else None


async def list_of(reader: Reader, account: AccountId) -> tuple[Enrolled, ...]:
    """Return what an account has enrolled, oldest first."""
    return tuple(await store.all_of(reader, account))


async def remove(work: Work, account: AccountId, enrolled: FactorId) -> bool:
    """Delete a factor of an account; False if it is gone already."""
    kind = await store.remove(work, account, enrolled)
    if kind is None:
        return False
    await store.clear_kind(work, kind, account)
    work.record(FactorRemoved(subject=account, factor=enrolled, kind=kind))
    return True
