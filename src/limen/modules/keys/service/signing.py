"""Signing keys: one signs, its successor is shown before it does, the retired stay until their last token has ended."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final
from weakref import WeakKeyDictionary

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import KeyId, TenantId
from limen.modules import tenants
from limen.modules.keys import store
from limen.modules.keys.errors import NoSigningKey
from limen.modules.keys.facts import SigningKeyMade
from limen.modules.keys.model import Ring, SigningRow, Stage, document
from limen.modules.keys.port import Page, Sealed
from limen.modules.keys.service.decryption import shown
from limen.modules.keys.service.tenant import tenant_box
from limen.modules.keys.settings import OFFERED, Tenant
from limen.platform.sql import Cached, Database, Reader, Work
from limen.platform.wire.jose import Alg, KeySet, SigningKey

SIGNING: Final = Sealed(name="keys.signing")
_ONLY: Final = ""
_NONE: Final = document(())
_SIGN: Final = {alg.value: alg for alg in OFFERED}
_MAKING: Final[WeakKeyDictionary[Database, dict[tuple[TenantId, Alg], asyncio.Task[None]]]] = WeakKeyDictionary()
"""Keys being made, so that a hundred requests that need a tenant's first RSA key make one."""


async def _load(reader: Reader, key: str) -> Ring | None:
    del key
    rows = await store.signing_keys(reader)
    if not rows:
        return None
    box = await tenant_box(reader, SIGNING)
    return Ring(rows, {row.id: box.open(row.sealed, store.signing_place(reader.tenant, row.id)) for row in rows if row.sealed is not None})


_RINGS: Final[Cached[str, Ring]] = Cached("keys.signing", load=_load)


async def signer(reader: Reader, alg: str = "ES256") -> SigningKey:
    """Return the key that signs with this algorithm now; NoSigningKey before `ensure` made the first.

    Under 1 us when in memory. Ask in a Read, or before the first statement of a Work: after it a Work keeps nothing in memory.
    """
    ring = await _RINGS.get(reader, _ONLY)
    found = ring.signer(alg, reader.now) if ring is not None else None
    if found is None:
        raise NoSigningKey(alg, operator=f"{reader.tenant} has no {alg[:20]} key")
    return found


async def public_keys(reader: Reader) -> KeySet:
    """Return the keys in the tenant's JWKS: whatever it signed that is still alive verifies with them."""
    ring = await _RINGS.get(reader, _ONLY)
    return ring.at(reader.now).published if ring is not None else KeySet(())


async def remembered_keys(reader: Reader) -> KeySet:
    """Return all public keys not yet forgotten, for an expired `id_token_hint` (OpenID Connect RP-Initiated Logout 1.0, section 2)."""
    ring = await _RINGS.get(reader, _ONLY)
    return ring.remembered if ring is not None else KeySet(())


async def jwks(reader: Reader) -> bytes:
    """Return the tenant's JWK Set document, made once per change; where others may encrypt to it, the keys for that stand behind the others."""
    ring = await _RINGS.get(reader, _ONLY)
    signing = ring.at(reader.now).document if ring is not None else _NONE
    more = await shown(reader)
    if not more:
        return signing
    joint = b"" if signing == _NONE else b","
    return signing[:-2] + joint + b",".join(more) + signing[-2:]


async def algorithms(reader: Reader) -> tuple[Alg, ...]:
    """Return the algorithms the tenant offers its clients, the default one first."""
    return (await tenants.settings(reader, Tenant.section, Tenant)).algorithms


def offered(tenant: tenants.Tenant) -> tuple[Alg, ...]:
    """Return what `algorithms` does, of a tenant at hand."""
    return tenants.settings_of(tenant, Tenant.section, Tenant).algorithms


async def ensure(db: Database, tenant: TenantId, alg: str = "ES256") -> None:
    """Make the tenant's first key of an algorithm if it has none: call it outside any Work when `signer` raised NoSigningKey.

    The key signs at once. Two processes racing end with one key; in one process the second caller waits for the first.
    """
    wanted = _SIGN.get(alg)
    if wanted is None:
        raise NoSigningKey(alg, operator=f"{alg[:20]} is no algorithm Limen signs with")
    making = _MAKING.setdefault(db, {})
    task = making.get((tenant, wanted))
    if task is None:
        task = making[tenant, wanted] = asyncio.create_task(_ensure(db, tenant, wanted))
        task.add_done_callback(lambda _: making.pop((tenant, wanted), None))
    await asyncio.shield(task)  # one caller giving up is no reason for the others to fail


async def _ensure(db: Database, tenant: TenantId, alg: Alg) -> None:
    async with db.read(tenant) as read:
        if any(row.alg is alg and row.stage is Stage.CURRENT for row in await store.signing_keys(read)):
            db.caches.drop([(_RINGS.name, tenant, _ONLY)])  # another process made it, and its notice is not here yet
            return
        await tenant_box(read, SIGNING)
    key = await made(alg)
    async with db.work(tenant, SYSTEM) as work:
        await add(work, key, Stage.CURRENT, work.now)


async def made(alg: Alg) -> SigningKey:
    """Make a key in a thread: RSA takes 50 ms to a second."""
    return await asyncio.to_thread(SigningKey.generate, alg)


async def add(work: Work, key: SigningKey, stage: Stage, begins: datetime) -> bool:
    """Store a key unless the tenant has one of that algorithm in that stage; whether it was stored."""
    name = KeyId(key.kid)
    sealed = (await tenant_box(work, SIGNING)).seal(key.dump(), store.signing_place(work.tenant, name))
    row = SigningRow(name, key.alg, stage, work.now, begins, None, None, key.public.jwk, sealed)
    if not await store.add_signing_key(work, row):
        return False
    changed(work)
    work.record(SigningKeyMade(key=name, alg=key.alg.value, stage=stage.value))
    return True


def changed(work: Work) -> None:
    """Tell every process that the tenant's signing keys changed."""
    _RINGS.changed(work, _ONLY)


async def reseal(work: Work, after: str) -> Page:
    """Seal the private parts anew that another data key sealed: a tenant has few, so this is one page."""
    del after
    box, changed = await tenant_box(work, SIGNING), 0
    for row in await store.hold_signing_keys(work):
        if row.sealed is not None and not box.is_current(row.sealed):
            place = store.signing_place(work.tenant, row.id)
            await store.reseal_signing_key(work, row.id, box.seal(box.open(row.sealed, place), place))
            changed += 1
    return Page(changed, None)
