"""Tables of keys. Every key in them is wrapped or sealed; what unwraps them is the keyring's, outside the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from limen.kernel.ids import AccountId, KeyId, TenantId
from limen.modules.keys.model import SigningRow, Spot, Stage, Standing, SubjectKey, TenantKey, Use
from limen.platform.crypto import Place
from limen.platform.sql import Choice, Id, Instant, Json, Reader, Work, beside, bind, insert_new, insert_row, statement, table
from limen.platform.wire.jose import Alg, PublicJwk

TENANT_KEYS: Final = table(
    "tenant_keys",
    sa.Column("use", Choice(Use), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("standing", Choice(Standing), nullable=False),
    sa.Column("created", Instant, nullable=False),
    sa.Column("master", Id, nullable=False),  # of the master key it is wrapped under
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("renewed", Instant),  # when all that a previous key made had been brought under the current one
    sa.Index(
        "tenant_keys_current", "tenant", "use", unique=True, sqlite_where=sa.text("standing = 'current'"), postgresql_where=sa.text("standing = 'current'")
    ),
)
SUBJECT_KEYS: Final = table(
    "subject_keys",
    sa.Column("subject", Id, primary_key=True),
    sa.Column("epoch", Id, nullable=False),  # of the epoch key it is wrapped under
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)
SIGNING_KEYS: Final = table(
    "signing_keys",
    sa.Column("id", Id, primary_key=True),
    sa.Column("alg", Choice(Alg), nullable=False),
    sa.Column("stage", Choice(Stage), nullable=False),
    sa.Column("created", Instant, nullable=False),
    sa.Column("begins", Instant, nullable=False),
    sa.Column("retired", Instant),
    sa.Column("leaves", Instant),
    sa.Column("public", Json(PublicJwk), nullable=False),
    sa.Column("sealed", sa.LargeBinary),  # the private key under the tenant's key; gone once retired
    sa.Index(
        "signing_keys_stage", "tenant", "alg", "stage", unique=True, sqlite_where=sa.text("stage <> 'retired'"), postgresql_where=sa.text("stage <> 'retired'")
    ),
    rowid=True,
)

DECRYPTION_KEYS: Final = table(
    "decryption_keys",
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # `kty` of the key
    sa.Column("created", Instant, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # the private key under the tenant's key
)

_T = TENANT_KEYS.c
_U = SUBJECT_KEYS.c
_S = SIGNING_KEYS.c
_D = DECRYPTION_KEYS.c
_WALK: Final = "re-wrapping walks over the keys of all tenants"
_COUNT: Final = "a backup is of all tenants, and needs the keys of all"
_OF_USE = (_T.tenant == bind("tenant"), _T.use == bind("use"))
_OF_SUBJECT = (_U.tenant == bind("tenant"), _U.subject == bind("subject"))
_OF_KEY = (_S.tenant == bind("tenant"), _S.id == bind("id"))


@dataclass(frozen=True, slots=True)
class Wrapped:
    """One wrapped key of some tenant: `row` is what its place names, `under` the key that wraps it."""

    tenant: TenantId
    row: str
    under: str
    blob: bytes


# ------------------------------------------------------------------ tenants' keys
_TENANT_KEYS = statement(
    sa.select(_T.use, _T.id, _T.standing, _T.created, _T.master, _T.wrapped, _T.renewed).where(*_OF_USE).order_by(_T.standing, _T.created), into=TenantKey
)
_ADD_TENANT_KEY = statement(insert_new(TENANT_KEYS))
_DEMOTE = statement(sa.update(TENANT_KEYS).where(*_OF_USE, _T.standing == Standing.CURRENT).values(standing=Standing.PREVIOUS))
_DROP_PREVIOUS = statement(sa.delete(TENANT_KEYS).where(*_OF_USE, _T.standing == Standing.PREVIOUS))
_RENEWED = statement(sa.update(TENANT_KEYS).where(*_OF_USE, _T.standing == Standing.PREVIOUS).values(renewed=bind("now")))
_ROTATING = statement(
    sa.select(_T.tenant, _T.use).where(_T.tenant > bind("after"), _T.tenant <= bind("last"), _T.standing == Standing.PREVIOUS).order_by(_T.tenant, _T.use),
    across_tenants="a scheduled job looks whose rotation can be ended",
)
_STALE_TENANT_KEYS = statement(
    sa.select(_T.tenant, _T.use, _T.id, _T.master, _T.wrapped)
    .where(sa.tuple_(_T.tenant, _T.id) > sa.tuple_(bind("after_tenant", Id()), bind("after_row", Id())), _T.master != bind("current"))
    .order_by(_T.tenant, _T.id)
    .limit(bind("most", sa.Integer)),
    into=lambda tenant, use, id_, master, wrapped: Wrapped(tenant, f"{use.value}|{id_}", master, wrapped),
    across_tenants=_WALK,
)
_REWRAP_TENANT_KEY = statement(
    sa.update(TENANT_KEYS).where(*_OF_USE, _T.id == bind("key"), _T.master == bind("before")).values(master=bind("after"), wrapped=bind("blob"))
)


_MASTERS = statement(sa.select(_T.master, sa.func.count()).group_by(_T.master), across_tenants=_COUNT)


def tenant_place(tenant: TenantId, use: Use, id_: str) -> Place:
    """Return where a tenant's wrapped key belongs."""
    return Place("tenant_keys", "wrapped", tenant, f"{use.value}|{id_}")


async def tenant_keys(reader: Reader, use: Use) -> list[TenantKey]:
    """Return the tenant's keys of one use, the current one first."""
    return await reader.all(_TENANT_KEYS, use=use)


async def add_tenant_key(work: Work, key: TenantKey) -> bool:
    """Add a key unless the tenant has a current one of that use; whether it was added."""
    values = {"use": key.use, "id": key.id, "standing": key.standing, "created": key.created, "master": key.master, "wrapped": key.wrapped, "renewed": None}
    return await work.run(_ADD_TENANT_KEY, **values) == 1


async def demote_tenant_key(work: Work, use: Use) -> None:
    """Make the current key the previous one."""
    await work.run(_DEMOTE, use=use)


async def drop_previous_tenant_key(work: Work, use: Use) -> int:
    """Delete the previous key; return how many there were."""
    return await work.run(_DROP_PREVIOUS, use=use)


async def note_renewed(work: Work, use: Use) -> None:
    """Note that all that the previous key made has been brought under the current one."""
    await work.run(_RENEWED, use=use, now=work.now)


async def rotating(reader: Reader, after: TenantId, last: TenantId) -> list[tuple[TenantId, Use]]:
    """Return whose keys have a previous one still, among the tenants after one name up to another."""
    return await reader.all(_ROTATING, after=after, last=last)


async def stale_tenant_keys(reader: Reader, master: str, after: Spot, most: int) -> list[Wrapped]:
    """Return tenants' keys after a spot that are wrapped under another master key than this."""
    return await reader.all(_STALE_TENANT_KEYS, after_tenant=after.tenant, after_row=after.row, current=master, most=most)


async def rewrap_tenant_key(work: Work, old: Wrapped, master: str, blob: bytes) -> int:
    """Store the key as wrapped anew, unless somebody else did."""
    use, _, id_ = old.row.partition("|")
    return await work.run(_REWRAP_TENANT_KEY, use=Use(use), key=id_, before=old.under, after=master, blob=blob)


async def masters(reader: Reader) -> dict[str, int]:
    """Return how many tenants' keys are wrapped under each master key."""
    return dict(await reader.all(_MASTERS))


# ------------------------------------------------------------------ subjects' keys
_SUBJECT_KEY = statement(sa.select(_U.subject, _U.epoch, _U.wrapped).where(*_OF_SUBJECT), into=SubjectKey)
_ADD_SUBJECT_KEY = statement(insert_row(SUBJECT_KEYS))
_DROP_SUBJECT_KEY = statement(sa.delete(SUBJECT_KEYS).where(*_OF_SUBJECT))
_STALE_SUBJECT_KEYS = statement(
    sa.select(_U.tenant, _U.subject, _U.epoch, _U.wrapped)
    .where(sa.tuple_(_U.tenant, _U.subject) > sa.tuple_(bind("after_tenant", Id()), bind("after_row", Id())), _U.epoch != bind("current"))
    .order_by(_U.tenant, _U.subject)
    .limit(bind("most", sa.Integer)),
    into=Wrapped,
    across_tenants=_WALK,
)
_REWRAP_SUBJECT_KEY = statement(sa.update(SUBJECT_KEYS).where(*_OF_SUBJECT, _U.epoch == bind("before")).values(epoch=bind("after"), wrapped=bind("blob")))


_SOME_EPOCHS = statement(sa.select(_U.epoch).limit(bind("most", sa.Integer)), into=str, across_tenants="one keyring is for all tenants")
_EPOCHS = statement(sa.select(_U.epoch, sa.func.count()).group_by(_U.epoch), across_tenants=_COUNT)


def subject_place(tenant: TenantId, subject: str) -> Place:
    """Return where a person's wrapped key belongs."""
    return Place("subject_keys", "wrapped", tenant, subject)


def wrapped_key(account: sa.Column[str]) -> sa.ColumnElement[bytes | None]:
    """Return what a statement of another store asks for beside its own: the wrapped key of the person its row names, null if it is destroyed."""
    row = account.table
    return beside(sa.select(_U.wrapped).where(_U.tenant == row.c.tenant, _U.subject == account), row)


async def subject_key(reader: Reader, subject: AccountId) -> SubjectKey | None:
    """Return a person's wrapped key, None if it is destroyed."""
    return await reader.one(_SUBJECT_KEY, subject=subject)


async def add_subject_key(work: Work, subject: AccountId, epoch: str, wrapped: bytes) -> None:
    """Store a person's first and only key; Conflict if she has one."""
    await work.run(_ADD_SUBJECT_KEY, subject=subject, epoch=epoch, wrapped=wrapped)


async def drop_subject_key(work: Work, subject: AccountId) -> bool:
    """Destroy a person's key; whether there was one."""
    return await work.run(_DROP_SUBJECT_KEY, subject=subject) == 1


async def stale_subject_keys(reader: Reader, epoch: str, after: Spot, most: int) -> list[Wrapped]:
    """Return people's keys after a spot that are wrapped under another epoch key than this."""
    return await reader.all(_STALE_SUBJECT_KEYS, after_tenant=after.tenant, after_row=after.row, current=epoch, most=most)


async def rewrap_subject_key(work: Work, old: Wrapped, epoch: str, blob: bytes) -> int:
    """Store the key as wrapped anew, unless she was forgotten meanwhile or somebody else did it."""
    return await work.run(_REWRAP_SUBJECT_KEY, subject=old.row, before=old.under, after=epoch, blob=blob)


async def some_epochs(reader: Reader, most: int) -> list[str]:
    """Return the epoch keys under which a few people's keys are wrapped."""
    return await reader.all(_SOME_EPOCHS, most=most)


async def epochs(reader: Reader) -> dict[str, int]:
    """Return how many people's keys are wrapped under each epoch key."""
    return dict(await reader.all(_EPOCHS))


# ------------------------------------------------------------------ signing keys
_ROW = (_S.id, _S.alg, _S.stage, _S.created, _S.begins, _S.retired, _S.leaves, _S.public, _S.sealed)
_SIGNING_KEYS = statement(sa.select(*_ROW).where(_S.tenant == bind("tenant")).order_by(_S.created, _S.id), into=SigningRow)
_HOLD_SIGNING_KEYS = statement(sa.select(*_ROW).where(_S.tenant == bind("tenant")).order_by(_S.created, _S.id).with_for_update(), into=SigningRow)
_ADD_SIGNING_KEY = statement(insert_new(SIGNING_KEYS))
_RETIRE = statement(
    sa.update(SIGNING_KEYS).where(*_OF_KEY, _S.stage != Stage.RETIRED).values(stage=Stage.RETIRED, retired=bind("retired"), leaves=bind("leaves"), sealed=None)
)
_PROMOTE = statement(sa.update(SIGNING_KEYS).where(*_OF_KEY, _S.stage == Stage.SUCCESSOR).values(stage=Stage.CURRENT))
_RESEAL = statement(sa.update(SIGNING_KEYS).where(*_OF_KEY, _S.sealed.is_not(None)).values(sealed=bind("blob")))
_WITHDRAW = statement(sa.delete(SIGNING_KEYS).where(*_OF_KEY))
_DROP_SIGNING_KEYS = statement(sa.delete(SIGNING_KEYS).where(_S.tenant == bind("tenant"), _S.stage == Stage.RETIRED, _S.leaves <= bind("before")))


def signing_place(tenant: TenantId, id_: KeyId) -> Place:
    """Return where a sealed private key belongs."""
    return Place("signing_keys", "sealed", tenant, id_)


async def signing_keys(reader: Reader) -> Sequence[SigningRow]:
    """Return all signing keys of the tenant, the oldest first."""
    return await reader.all(_SIGNING_KEYS)


async def hold_signing_keys(work: Work) -> Sequence[SigningRow]:
    """Return them, held until the Work ends."""
    return await work.all(_HOLD_SIGNING_KEYS)


async def add_signing_key(work: Work, row: SigningRow) -> bool:
    """Add a key unless the tenant has one of that algorithm in that stage; whether it was added."""
    added = await work.run(
        _ADD_SIGNING_KEY,
        id=row.id,
        alg=row.alg,
        stage=row.stage,
        created=row.created,
        begins=row.begins,
        retired=row.retired,
        leaves=row.leaves,
        public=row.public,
        sealed=row.sealed,
    )
    return added == 1


async def retire_signing_key(work: Work, id_: KeyId, retired: datetime, leaves: datetime) -> None:
    """Destroy the private part; the public one is shown until `leaves`."""
    await work.run(_RETIRE, id=id_, retired=retired, leaves=leaves)


async def withdraw_signing_key(work: Work, id_: KeyId) -> None:
    """Delete a key, its public part too: nothing it signed is recognised any more."""
    await work.run(_WITHDRAW, id=id_)


async def promote_signing_key(work: Work, id_: KeyId) -> None:
    """Make a successor the current key, once the current one is retired."""
    await work.run(_PROMOTE, id=id_)


async def reseal_signing_key(work: Work, id_: KeyId, blob: bytes) -> None:
    """Store a private part as sealed anew."""
    await work.run(_RESEAL, id=id_, blob=blob)


async def drop_signing_keys(work: Work, before: datetime) -> int:
    """Delete retired keys that left the JWKS before an instant; return how many."""
    return await work.run(_DROP_SIGNING_KEYS, before=before)


# ------------------------------------------------------------------ keys others encrypt to
@dataclass(frozen=True, slots=True)
class DecryptionRow:
    """A private key that others encrypt to, sealed."""

    id: KeyId
    kind: str
    created: datetime
    sealed: bytes


_DECRYPTION_KEYS = statement(
    sa.select(_D.id, _D.kind, _D.created, _D.sealed).where(_D.tenant == bind("tenant")).order_by(_D.kind, _D.created.desc()), into=DecryptionRow
)
_ADD_DECRYPTION_KEY = statement(insert_row(DECRYPTION_KEYS))
_RESEAL_DECRYPTION_KEY = statement(sa.update(DECRYPTION_KEYS).where(_D.tenant == bind("tenant"), _D.id == bind("id")).values(sealed=bind("sealed")))
_DROP_DECRYPTION_KEY = statement(sa.delete(DECRYPTION_KEYS).where(_D.tenant == bind("tenant"), _D.id == bind("id")))


def decryption_place(tenant: TenantId, id_: KeyId) -> Place:
    """Return where a sealed private key belongs."""
    return Place("decryption_keys", "sealed", tenant, id_)


async def decryption_keys(reader: Reader) -> Sequence[DecryptionRow]:
    """Return the tenant's keys, of each kind the newest first."""
    return await reader.all(_DECRYPTION_KEYS)


async def add_decryption_key(work: Work, row: DecryptionRow) -> None:
    """Add a key."""
    await work.run(_ADD_DECRYPTION_KEY, id=row.id, kind=row.kind, created=row.created, sealed=row.sealed)


async def reseal_decryption_key(work: Work, id_: KeyId, sealed: bytes) -> None:
    """Store a key as sealed anew."""
    await work.run(_RESEAL_DECRYPTION_KEY, id=id_, sealed=sealed)


async def drop_decryption_key(work: Work, id_: KeyId) -> None:
    """Delete a key: what was encrypted to it opens no more."""
    await work.run(_DROP_DECRYPTION_KEY, id=id_)
