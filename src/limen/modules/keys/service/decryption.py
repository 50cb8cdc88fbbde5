"""Keys that others encrypt to: an RSA and a P-256 key of each tenant that asks for them, in its JWKS for encryption alone.

They take turns on the signing keys' schedule: the newest of a kind stands in the JWKS, and the one before it opens what was encrypted
while it stood there, a day more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import msgspec

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import KeyId, TenantId
from limen.modules import tenants
from limen.modules.keys import store
from limen.modules.keys.facts import DecryptionKeyMade
from limen.modules.keys.port import Page, Sealed
from limen.modules.keys.service.tenant import tenant_box
from limen.modules.keys.settings import NEVER, Tenant
from limen.modules.keys.store import DecryptionRow
from limen.platform.sql import Cached, Database, Reader, Work
from limen.platform.wire.jose import DecryptionKey, KeyAlg

DECRYPTION: Final = Sealed(name="keys.decryption")
KINDS: Final = {"RSA": KeyAlg.RSA_OAEP_256, "EC": KeyAlg.ECDH_ES}
LINGERS: Final = timedelta(days=1)
"""So long the key before the newest still opens."""

_ONLY: Final = ""


@dataclass(frozen=True, slots=True)
class Readers:
    """A tenant's keys in memory: all that open, and the JWKs of those that are shown."""

    keys: tuple[DecryptionKey, ...]
    shown: tuple[bytes, ...]


async def _load(reader: Reader, key: str) -> Readers | None:
    del key
    rows = await store.decryption_keys(reader)
    if not rows:
        return None
    box = await tenant_box(reader, DECRYPTION)
    found = {row.id: DecryptionKey.load(box.open(row.sealed, store.decryption_place(reader.tenant, row.id)), row.id) for row in rows}
    return Readers(tuple(found.values()), tuple(msgspec.json.encode(found[row.id].jwk) for row in _newest(rows)))


_READERS: Final[Cached[str, Readers]] = Cached("keys.decryption", load=_load)


def _newest(rows: Sequence[DecryptionRow]) -> list[DecryptionRow]:
    """Return the newest of each kind."""
    return list({row.kind: row for row in reversed(rows)}.values())


async def wanted(reader: Reader) -> bool:
    """Whether the tenant lets clients encrypt to it."""
    return (await tenants.settings(reader, Tenant.section, Tenant)).encryption


def takes_encrypted(tenant: tenants.Tenant) -> bool:
    """Return what `wanted` does, of a tenant at hand."""
    return tenants.settings_of(tenant, Tenant.section, Tenant).encryption


async def decryption_keys(reader: Reader) -> tuple[DecryptionKey, ...]:
    """Return the keys with which the tenant reads what others encrypted to it; none where it does not, or before the first was made."""
    found = await _READERS.get(reader, _ONLY) if await wanted(reader) else None
    return found.keys if found is not None else ()


async def shown(reader: Reader) -> tuple[bytes, ...]:
    """Return the JWKs that stand in the tenant's JWKS, as JSON."""
    found = await _READERS.get(reader, _ONLY) if await wanted(reader) else None
    return found.shown if found is not None else ()


async def keep(db: Database, tenant: TenantId) -> None:
    """Make what keys the tenant lacks, or whose time is over, and drop those nothing can be encrypted to any more. Outside any Work."""
    async with db.read(tenant, snapshot=True) as read:
        settings = await tenants.settings(read, Tenant.section, Tenant)
        rows, now = await store.decryption_keys(read), read.now
        if not settings.encryption:
            return
    newest = {row.kind: row for row in _newest(rows)}
    due = [kind for kind in KINDS if kind not in newest or (settings.rotation != NEVER and newest[kind].created + settings.rotation <= now)]
    old = [row.id for row in rows if row is not newest[row.kind] and newest[row.kind].created + LINGERS <= now]
    made = [(kind, await asyncio.to_thread(DecryptionKey.generate, KINDS[kind])) for kind in due]
    if made or old:
        async with db.work(tenant, SYSTEM) as work:
            await _write(work, made, old)


async def _write(work: Work, made: Sequence[tuple[str, DecryptionKey]], old: Sequence[KeyId]) -> None:
    box = await tenant_box(work, DECRYPTION)
    for kind, key in made:
        name = KeyId(key.kid)
        sealed = box.seal(key.dump(), store.decryption_place(work.tenant, name))
        await store.add_decryption_key(work, DecryptionRow(name, kind, work.now, sealed))
        work.record(DecryptionKeyMade(key=name, kind=kind))
    for name in old:
        await store.drop_decryption_key(work, name)
    _READERS.changed(work, _ONLY)


async def reseal(work: Work, after: str) -> Page:
    """Seal anew what another data key sealed: a tenant has few, so this is one page."""
    del after
    box, changed = await tenant_box(work, DECRYPTION), 0
    for row in await store.decryption_keys(work):
        if not box.is_current(row.sealed):
            place = store.decryption_place(work.tenant, row.id)
            await store.reseal_decryption_key(work, row.id, box.seal(box.open(row.sealed, place), place))
            changed += 1
    return Page(changed, None)
