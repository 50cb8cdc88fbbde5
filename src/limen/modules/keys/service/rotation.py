"""The life of signing keys: a successor comes, takes over an hour later, and the one before it retires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from limen.kernel.facts import SYSTEM, Actor
from limen.kernel.ids import KeyId, TenantId
from limen.modules import tenants
from limen.modules.keys import store
from limen.modules.keys.facts import SigningKeyRotated
from limen.modules.keys.model import SigningRow, Stage
from limen.modules.keys.service import signing
from limen.modules.keys.service.tenant import tenant_box
from limen.modules.keys.settings import NEVER, Tenant
from limen.platform.sql import Database, Reader, Work
from limen.platform.wire.jose import Alg, SigningKey


@dataclass(frozen=True, slots=True)
class Due:
    """What a tenant's signing keys need now: algorithms to `rotate`, and whether to `advance`."""

    rotate: tuple[Alg, ...]
    advance: bool


async def due(reader: Reader, *, dev: bool = False) -> Due:
    """Return what is to be done for the tenant's signing keys at this instant. Cheap: a scheduled job asks for every tenant."""
    rows = await store.signing_keys(reader)
    if not rows:
        return Due((), advance=False)
    settings = await tenants.settings(reader, Tenant.section, Tenant)
    coming = {row.alg for row in rows if row.stage is Stage.SUCCESSOR}
    lives = settings.rotation - settings.lead(dev=dev)
    old = [row.alg for row in rows if row.stage is Stage.CURRENT and settings.rotation != NEVER and row.begins + lives <= reader.now]
    ready = any(row.stage is Stage.SUCCESSOR and row.begins <= reader.now for row in rows)
    forgotten = any(row.leaves is not None and row.leaves <= _forgotten_before(settings, reader.now) for row in rows)
    return Due(tuple(alg for alg in old if alg not in coming), ready or forgotten)


async def overdue(reader: Reader) -> list[tuple[Alg, timedelta]]:
    """Return the tenant's signing keys that sign longer than they should, and by how much: no server looks after them."""
    settings = await tenants.settings(reader, Tenant.section, Tenant)
    if settings.rotation == NEVER:
        return []
    signing_now: dict[Alg, datetime] = {}
    for row in await store.signing_keys(reader):
        if row.stage is not Stage.RETIRED and row.begins <= reader.now:
            signing_now[row.alg] = max(row.begins, signing_now.get(row.alg, row.begins))
    late = {alg: reader.now - begins - settings.rotation for alg, begins in signing_now.items()}
    return [(alg, by) for alg, by in late.items() if by > timedelta()]


async def rotate(db: Database, tenant: TenantId, alg: Alg, *, withdraw: bool = False, dev: bool = False, actor: Actor = SYSTEM) -> KeyId:
    """Begin a rotation; return the id of the key that will sign.

    It is shown now and signs after the tenant's `successor_lead`; asking again meanwhile changes nothing. With `withdraw` (the key
    got into wrong hands) it signs at once, and the present key is deleted: tokens signed by it are void.
    """
    async with db.read(tenant) as read:
        settings = await tenants.settings(read, Tenant.section, Tenant)
        await tenant_box(read, signing.SIGNING)
    key = await signing.made(alg)
    async with db.work(tenant, actor) as work:
        rows = [row for row in await store.hold_signing_keys(work) if row.alg is alg and row.stage is not Stage.RETIRED]
        if withdraw:
            return await _replace(work, key, rows)
        present = any(row.stage is Stage.CURRENT for row in rows)
        stage, begins = (Stage.SUCCESSOR, work.now + settings.lead(dev=dev)) if present else (Stage.CURRENT, work.now)
        if await signing.add(work, key, stage, begins):
            return KeyId(key.kid)
        return next(row.id for row in await store.signing_keys(work) if row.alg is alg and row.stage is stage)


async def advance(work: Work) -> int:
    """Let successors whose hour has come take the place of those before them, and forget what is long retired; return how many took over.

    Processes turn to the successor by its instant, not by this; what happens here is that the old private key is destroyed.
    """
    settings = await tenants.settings(work, Tenant.section, Tenant)
    rows = await store.hold_signing_keys(work)
    ready = [row for row in rows if row.stage is Stage.SUCCESSOR and row.begins <= work.now]
    for successor in ready:
        before = next((row for row in rows if row.alg is successor.alg and row.stage is Stage.CURRENT), None)
        if before is not None:
            await store.retire_signing_key(work, before.id, successor.begins, successor.begins + settings.retired_shown)
        await store.promote_signing_key(work, successor.id)
        work.record(SigningKeyRotated(key=successor.id, alg=successor.alg.value, retired=before.id if before else None))
    dropped = await store.drop_signing_keys(work, _forgotten_before(settings, work.now))
    if ready or dropped:
        signing.changed(work)
    return len(ready)


async def leaves(db: Database, tenant: TenantId, begins: datetime) -> datetime:
    """Return when a key leaves the JWKS whose successor signs from `begins`: the last token it signed has ended then."""
    async with db.read(tenant) as read:
        return begins + (await tenants.settings(read, Tenant.section, Tenant)).retired_shown


async def _replace(work: Work, key: SigningKey, rows: Sequence[SigningRow]) -> KeyId:
    present = next((row.id for row in rows if row.stage is Stage.CURRENT), None)
    for row in rows:
        await store.withdraw_signing_key(work, row.id)
    await signing.add(work, key, Stage.CURRENT, work.now)
    work.record(SigningKeyRotated(key=KeyId(key.kid), alg=key.alg.value, retired=present, withdrawn=True))
    return KeyId(key.kid)


def _forgotten_before(settings: Tenant, now: datetime) -> datetime:
    return now - (settings.retired_known - settings.retired_shown)
