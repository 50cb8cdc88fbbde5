"""The tables of accounts and identifiers. A value is sealed under its subject's key and found by its blind index alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from limen.kernel.ids import AccountId
from limen.modules.accounts.model import Account, AccountState
from limen.platform.crypto import Place
from limen.platform.sql import Choice, Id, Instant, Reader, Work, bind, insert_new, insert_row, one_of, statement, table

ACCOUNTS: Final = table(
    "accounts",
    sa.Column("id", Id, primary_key=True),
    sa.Column("state", Choice(AccountState), nullable=False),
    sa.Column("created", Instant, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
IDENTIFIERS: Final = table(
    "identifiers",
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("blind", sa.LargeBinary, primary_key=True),
    sa.Column("account", Id, nullable=False),
    sa.Column("id", Id, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),  # in the order proved; instants can be equal
    sa.Column("value", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("verified_at", Instant, nullable=False),
    sa.Index("identifiers_of_account", "tenant", "account", "place"),
)

_A: Final = ACCOUNTS.c
_I: Final = IDENTIFIERS.c
_ACCOUNT: Final = (_A.id, _A.state, _A.created, _A.version)


@dataclass(frozen=True, slots=True)
class Kept:
    """An identifier as it is stored."""

    account: AccountId
    id: str
    kind: str
    blind: bytes
    value: bytes
    verified_at: datetime
    place: int = 0
    """In the order in which the account got them."""

    def seal_place(self, tenant: str) -> Place:
        """Return what its seal is bound to."""
        return seal_place(tenant, self.id)


def seal_place(tenant: str, identifier: str) -> Place:
    """Return what the seal of an identifier is bound to."""
    return Place("identifiers", "value", tenant, identifier)


_KEPT: Final = (_I.account, _I.id, _I.kind, _I.blind, _I.value, _I.verified_at, _I.place)

_FIND: Final = statement(sa.select(*_ACCOUNT).where(_A.tenant == bind("tenant"), _A.id == bind("id")), into=Account)
_TAKE: Final = statement(sa.select(*_ACCOUNT).where(_A.tenant == bind("tenant"), _A.id == bind("id")).with_for_update(), into=Account)
_KEEP: Final = statement(sa.select(*_ACCOUNT).where(_A.tenant == bind("tenant"), _A.id == bind("id")).with_for_update(read=True), into=Account)
_BY_BLIND: Final = statement(
    sa.select(_I.account).where(_I.tenant == bind("tenant"), _I.kind == bind("kind"), one_of(_I.blind, "blinds")).limit(1),
    into=AccountId,
)
_BY_ONE_BLIND: Final = statement(sa.select(_I.account).where(_I.tenant == bind("tenant"), _I.kind == bind("kind"), _I.blind == bind("blind")), into=AccountId)
_HELD: Final = statement(sa.select(*_KEPT).where(_I.tenant == bind("tenant"), _I.kind == bind("kind"), _I.blind == bind("blind")), into=Kept)
_ADD: Final = statement(insert_row(ACCOUNTS))
_MOVE: Final = statement(
    sa.update(ACCOUNTS).where(_A.tenant == bind("tenant"), _A.id == bind("account")).values(state=bind("state"), version=_A.version + 1).returning(*_ACCOUNT),
    into=Account,
)
_PAGE: Final = statement(
    sa.select(*_ACCOUNT).where(_A.tenant == bind("tenant"), _A.id > bind("after")).order_by(_A.id).limit(bind("limit", sa.Integer)),
    into=Account,
)
_CLAIM: Final = statement(insert_new(IDENTIFIERS, key=("tenant", "kind", "blind")))
_FILL: Final = statement(
    sa.update(IDENTIFIERS).where(_I.tenant == bind("tenant"), _I.kind == bind("of_kind"), _I.blind == bind("of_blind")).values(value=bind("value")),
)
_REBLIND: Final = statement(
    sa.update(IDENTIFIERS).where(_I.tenant == bind("tenant"), _I.kind == bind("of_kind"), _I.blind == bind("of_blind")).values(blind=bind("blind"))
)
_OF: Final = statement(
    sa.select(*_KEPT).where(_I.tenant == bind("tenant"), one_of(_I.account, "accounts")).order_by(_I.account, _I.place, _I.id),
    into=Kept,
)
_OF_ONE: Final = statement(
    sa.select(*_KEPT).where(_I.tenant == bind("tenant"), _I.account == bind("account")).order_by(_I.place, _I.id),
    into=Kept,
)
_DROP: Final = statement(sa.delete(IDENTIFIERS).where(_I.tenant == bind("tenant"), _I.account == bind("account"), _I.id == bind("id")))
_DROP_ALL: Final = statement(sa.delete(IDENTIFIERS).where(_I.tenant == bind("tenant"), _I.account == bind("account")))


def first(*others: Callable[[sa.Column[str]], sa.ColumnElement[Any]]) -> sa.Select[Any]:
    """Return what finds id and sealed value of the first identifier of a `kind` that an `account` has, with what other stores know of the account."""
    return (
        sa.select(_I.id, _I.value, *(other(_I.account) for other in others))
        .where(_I.tenant == bind("tenant"), _I.account == bind("account"), _I.kind == bind("kind"))
        .order_by(_I.place, _I.id)
        .limit(1)
    )


async def find(reader: Reader, account: AccountId) -> Account | None:
    """Return an account."""
    return await reader.one(_FIND, id=account)


async def keep(work: Work, account: AccountId) -> Account | None:
    """Return an account that stays as it is until the Work has ended."""
    return await work.one(_KEEP, id=account)


async def take(work: Work, account: AccountId) -> Account | None:
    """Return an account and hold its row."""
    return await work.one(_TAKE, id=account)


async def add(work: Work, account: Account) -> None:
    """Write a new account."""
    await work.run(_ADD, id=account.id, state=account.state, created=account.created, version=account.version)


async def move(work: Work, account: AccountId, state: AccountState) -> Account | None:
    """Change an account's state."""
    return await work.one(_MOVE, account=account, state=state)


async def page(reader: Reader, after: str, limit: int) -> list[Account]:
    """Return up to `limit` accounts after an id, the oldest first."""
    return await reader.all(_PAGE, after=after, limit=limit)


async def by_blind(reader: Reader, kind: str, blinds: Sequence[bytes]) -> AccountId | None:
    """Return whose identifier has one of these blind indexes."""
    if len(blinds) == 1:  # the rule, save while the key of the index rotates
        return await reader.one(_BY_ONE_BLIND, kind=kind, blind=blinds[0])
    return await reader.one(_BY_BLIND, kind=kind, blinds=blinds)


async def held(reader: Reader, kind: str, blind: bytes) -> Kept | None:
    """Return the identifier that has this blind index."""
    return await reader.one(_HELD, kind=kind, blind=blind)


async def claim(work: Work, kept: Kept) -> bool:
    """Write a new identifier unless it is taken; a second comer waits for the first one's commit, and gets False."""
    values = {name: getattr(kept, name) for name in ("kind", "blind", "account", "id", "place", "value", "verified_at")}
    return await work.run(_CLAIM, **values) > 0


async def fill(work: Work, kept: Kept) -> None:
    """Write the sealed value of an identifier that was just claimed."""
    await work.run(_FILL, of_kind=kept.kind, of_blind=kept.blind, value=kept.value)


async def reblind(work: Work, kept: Kept, blind: bytes) -> None:
    """Write an identifier's index under another key; the seal of its value does not depend on it."""
    await work.run(_REBLIND, of_kind=kept.kind, of_blind=kept.blind, blind=blind)


async def identifiers(reader: Reader, accounts: Sequence[AccountId]) -> list[Kept]:
    """Return the identifiers of some accounts, in the order in which each account got them."""
    if len(accounts) == 1:
        return await reader.all(_OF_ONE, account=accounts[0])
    return await reader.all(_OF, accounts=accounts)


async def drop(work: Work, account: AccountId, identifier: str) -> bool:
    """Delete an identifier; False if the account has none of that id."""
    return await work.run(_DROP, account=account, id=identifier) > 0


async def drop_all(work: Work, account: AccountId) -> int:
    """Delete every identifier of an account."""
    return await work.run(_DROP_ALL, account=account)
