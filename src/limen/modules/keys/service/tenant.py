"""A tenant's own keys: one seals, one makes the blind index. Made when first used, kept in memory, rotated while serving."""

from __future__ import annotations

from typing import Final

from limen.kernel import secrets
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import TenantId
from limen.modules.keys import store
from limen.modules.keys.errors import RotationUnfinished
from limen.modules.keys.facts import TenantKeyDropped, TenantKeyRotated
from limen.modules.keys.model import Standing, TenantKey, Use
from limen.modules.keys.port import Indexed, Sealed
from limen.modules.keys.service import keeping
from limen.platform.crypto import Box, Keyring, key_id, new_key
from limen.platform.sql import Cached, Database, Reader, Work

_ONLY: Final = ""
_BLIND_OCTETS: Final = 16


class _Index:
    """The keys of the blind index, the current one first. A class of its own so that nothing prints them."""

    __slots__ = ("keys",)

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self.keys = keys


async def _load_box(reader: Reader, key: str) -> Box | None:
    del key
    found = await _unwrapped(reader, Use.DATA)
    return Box(*found) if found else None


async def _load_index(reader: Reader, key: str) -> _Index | None:
    del key
    found = await _unwrapped(reader, Use.INDEX)
    return _Index(found) if found else None


_BOXES: Final[Cached[str, Box]] = Cached("keys.data", load=_load_box)
_INDEXES: Final[Cached[str, _Index]] = Cached("keys.index", load=_load_index)


async def tenant_box(reader: Reader, kept: Sealed) -> Box:
    """Return the tenant's box; its first key is made now if there is none (in the Work in hand, or in one of its own beside a Read).

    `kept` says what is sealed, and so what becomes of it when the key rotates: see `port`.
    """
    del kept
    return await _box(reader)


async def blind(reader: Reader, kept: Indexed, purpose: str, value: str) -> bytes:
    """Return the 16 octets under which `value` is stored for look-ups of one purpose (`email`): keyed, so that a stolen file tells nothing.

    Equal values have equal indexes within a tenant and purpose, and nowhere else. `kept` says what is found by it, as in `tenant_box`.
    """
    del kept
    return _mac((await _index(reader)).keys[0], purpose, value)


async def blinds(reader: Reader, kept: Indexed, purpose: str, value: str) -> tuple[bytes, ...]:
    """Return all indexes under which `value` may be stored: the current one, then while the key rotates the previous one."""
    del kept
    return tuple(_mac(key, purpose, value) for key in (await _index(reader)).keys)


async def prepare(db: Database, tenant: TenantId) -> None:
    """Make a new tenant's keys, so that its first requests need not."""
    async with db.read(tenant) as read:
        await _box(read)
        await _index(read)


async def begin_rotation(work: Work, use: Use) -> TenantKey:
    """Put a new key before the present one; return it. RotationUnfinished while there is a previous one.

    From now on the new key seals (or indexes) and both open (or find).
    """
    present = await store.tenant_keys(work, use)
    if len(present) > 1:
        until = f"{keeping.needed_until(present[0]):%Y-%m-%d %H:%M} UTC"
        raise RotationUnfinished(operator=f"the previous {use.value} key of {work.tenant} is still needed; it goes by itself, not before {until}")
    if not present:
        await _made(work, use)
    await store.demote_tenant_key(work, use)
    fresh = _new(work, use)
    await store.add_tenant_key(work, fresh)
    _changed(work, use)
    work.record(TenantKeyRotated(use=use.value, key=fresh.id))
    return fresh


async def drop_previous(work: Work, use: Use) -> None:
    """End a rotation: what the previous key sealed opens no more, what it indexed is found no more."""
    for key in await store.tenant_keys(work, use):
        if key.standing is Standing.PREVIOUS:
            work.record(TenantKeyDropped(use=use.value, key=key.id))
    await store.drop_previous_tenant_key(work, use)
    _changed(work, use)


async def _box(reader: Reader) -> Box:
    found = await _BOXES.get(reader, _ONLY)
    return found if found is not None else Box(*await _made(reader, Use.DATA))


async def _index(reader: Reader) -> _Index:
    found = await _INDEXES.get(reader, _ONLY)
    return found if found is not None else _Index(await _made(reader, Use.INDEX))


def _mac(key: bytes, purpose: str, value: str) -> bytes:
    """Return HMAC-SHA-256 cut to 128 bits (RFC 2104, section 5): nobody can search for collisions without the key."""
    return secrets.mac(key, f"{purpose}\0{value}".encode("utf-8", "surrogatepass"))[:_BLIND_OCTETS]


async def _unwrapped(reader: Reader, use: Use) -> tuple[bytes, ...]:
    ring: Keyring = reader.tx.db.keyring
    rows = await store.tenant_keys(reader, use)
    return tuple(ring.master_unwrap(row.wrapped, store.tenant_place(reader.tenant, use, row.id)) for row in rows)


async def _made(reader: Reader, use: Use) -> tuple[bytes, ...]:
    """Make the first key of a use unless somebody else just did; return what there is."""
    if isinstance(reader, Work):
        await store.add_tenant_key(reader, _new(reader, use))
        _changed(reader, use)
        return await _unwrapped(reader, use)
    async with reader.tx.db.work(reader.tenant, SYSTEM) as work:
        return await _made(work, use)


def _new(work: Work, use: Use) -> TenantKey:
    key = new_key()
    name, ring = key_id(key).hex(), work.tx.db.keyring
    wrapped = ring.master_wrap(key, store.tenant_place(work.tenant, use, name))
    return TenantKey(use, name, Standing.CURRENT, work.now, ring.epoch_of(wrapped), wrapped)


def _changed(work: Work, use: Use) -> None:
    if use is Use.DATA:
        _BOXES.changed(work, _ONLY)
    else:
        _INDEXES.changed(work, _ONLY)
