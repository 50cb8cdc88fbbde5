"""What keys there are, for operators: names and dates, never a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from limen.kernel.ids import SERVER, TenantId
from limen.modules.keys import store
from limen.modules.keys.model import Standing, TenantKey, Use
from limen.modules.keys.service import keeping
from limen.platform.sql import Database


@dataclass(frozen=True, slots=True)
class Line:
    """One key: `since` it was made or signs, `until` it is destroyed, leaves the JWKS or is needed at least, where that is known."""

    kind: str
    id: str
    standing: str
    since: datetime | None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Needed:
    """Which keys of the keyring open a database: by id, with the number of keys wrapped under each."""

    masters: Mapping[str, int]
    """Of tenants."""
    epochs: Mapping[str, int]
    """Of people: the number of those who are not forgotten."""


async def needed(db: Database) -> Needed:
    """Return what of the keyring this database, or a copy of it, cannot do without."""
    async with db.read(SERVER, snapshot=True) as read:
        return Needed(await store.masters(read), await store.epochs(read))


async def list_keys(db: Database, tenant: TenantId) -> list[Line]:
    """Return the keyring's keys, then the tenant's own and its signing keys."""
    ring = db.keyring
    lines = [Line("master", name, "current" if place == 0 else "previous", born) for place, (name, born) in enumerate(ring.masters)]
    lines += [Line("epoch", epoch.id, "current" if epoch.current else "previous", epoch.created, epoch.ends) for epoch in ring.epochs()]
    async with db.read(tenant) as read:
        for use in Use:
            lines += _of_tenant(await store.tenant_keys(read, use))
        signing = await store.signing_keys(read)
    lines += [Line(row.alg.value, row.id, row.stage.value, row.begins, row.leaves) for row in signing]
    return lines


def _of_tenant(found: Sequence[TenantKey]) -> Iterator[Line]:
    for key in found:
        until = keeping.needed_until(found[0]) if key.standing is Standing.PREVIOUS else None
        yield Line(key.use.value, key.id, key.standing.value, key.created, until)
