"""The table of consents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from limen.kernel.ids import AccountId, ClientId
from limen.modules.consents.model import Accepted, Consent
from limen.platform.sql import Id, Instant, Reader, Work, beside, bind, one_of, statement, table, upsert

CONSENTS: Final = table(
    "consents",
    sa.Column("account", Id, primary_key=True),
    sa.Column("client", Id, primary_key=True),
    sa.Column("scope", Id, primary_key=True),
    sa.Column("given_at", Instant, nullable=False),
    sa.Column("withdrawn_at", Instant),
    sa.Column("implied", sa.Boolean),  # null from before there was a choice: she was asked
)
TERMS: Final = table(
    "terms",
    sa.Column("account", Id, primary_key=True),
    sa.Column("version", Id, primary_key=True),
    sa.Column("accepted_at", Instant, nullable=False),
)

_C = CONSENTS.c
_T = TERMS.c
_OF_ACCOUNT = (_C.tenant == bind("tenant"), _C.account == bind("account"))
_OF_CLIENT = (*_OF_ACCOUNT, _C.client == bind("client"))
_COLUMNS = (_C.account, _C.client, _C.scope, _C.given_at, _C.withdrawn_at, sa.func.coalesce(_C.implied, sa.false()))

_GIVEN = statement(sa.select(_C.scope).where(*_OF_CLIENT, _C.withdrawn_at.is_(None)), into=str)
_ALLOWED = statement(sa.select(_C.scope).where(*_OF_CLIENT, _C.withdrawn_at.is_(None), _C.implied.is_not(sa.true())), into=str)
_KEPT = statement(sa.select(_C.scope).where(*_OF_CLIENT, _C.withdrawn_at.is_(None)).with_for_update(read=True), into=str)
_LIST = statement(
    sa.select(*_COLUMNS).where(*_OF_ACCOUNT, _C.withdrawn_at.is_(None)).order_by(_C.client, _C.scope).limit(bind("most", sa.Integer)), into=Consent
)
_ALL = statement(
    sa.select(*_COLUMNS)
    .where(*_OF_ACCOUNT, sa.or_(_C.client > bind("client"), sa.and_(_C.client == bind("client"), _C.scope > bind("scope"))))
    .order_by(_C.client, _C.scope)
    .limit(bind("most", sa.Integer)),
    into=Consent,
)
_GIVE = statement(upsert(CONSENTS, key=("account", "client", "scope"), set=("given_at", "withdrawn_at", "implied")))
_WITHDRAW = statement(sa.update(CONSENTS).where(*_OF_CLIENT, one_of(_C.scope, "scopes"), _C.withdrawn_at.is_(None)).values(withdrawn_at=bind("now")))
_DROP = statement(sa.delete(CONSENTS).where(*_OF_ACCOUNT))
_TERMS_OF = (_T.tenant == bind("tenant"), _T.account == bind("account"))
_AGREED = statement(sa.select(_T.version, _T.accepted_at).where(*_TERMS_OF).order_by(_T.accepted_at.desc()).limit(bind("most", sa.Integer)), into=Accepted)
_AGREE = statement(upsert(TERMS, key=("account", "version"), set=("accepted_at",)))
_DROP_TERMS = statement(sa.delete(TERMS).where(*_TERMS_OF))


def covered(dialect: str, account: sa.Column[str], client: sa.Column[str], *, held: bool = False) -> sa.ColumnElement[str | None]:
    """Return what a statement of another store asks for beside its own: what the account in its row lets the client there have.

    The scopes in one text, in their order, null where there are none. With `held` they are withdrawn after the Work at the earliest, as by `kept`.
    """
    row = account.table
    kept = sa.select(_C.scope).where(_C.tenant == row.c.tenant, _C.account == account, _C.client == client, _C.withdrawn_at.is_(None))
    kept = kept.order_by(_C.scope).correlate(row)
    one = (kept.with_for_update(read=True) if held else kept).subquery()
    joined = sa.func.string_agg if dialect == "postgresql" else sa.func.group_concat
    return beside(sa.select(joined(one.c.scope, sa.literal_column("' '"), type_=sa.Text)), row)


async def given(reader: Reader, account: AccountId, client: ClientId) -> frozenset[str]:
    """Return the scopes the account lets the client have."""
    return frozenset(await reader.all(_GIVEN, account=account, client=client))


async def allowed(reader: Reader, account: AccountId, client: ClientId) -> frozenset[str]:
    """Return those of them that the account itself was asked for."""
    return frozenset(await reader.all(_ALLOWED, account=account, client=client))


async def kept(work: Work, account: AccountId, client: ClientId) -> frozenset[str]:
    """Return them; they are withdrawn after the Work at the earliest."""
    return frozenset(await work.all(_KEPT, account=account, client=client))


async def standing(reader: Reader, account: AccountId, most: int) -> list[Consent]:
    """Return what stands, by client."""
    return await reader.all(_LIST, account=account, most=most)


async def all_of(reader: Reader, account: AccountId, after: tuple[str, str], most: int) -> list[Consent]:
    """Return every consent of the account behind (client, scope), withdrawn ones too."""
    return await reader.all(_ALL, account=account, client=after[0], scope=after[1], most=most)


async def give(work: Work, account: AccountId, client: ClientId, scopes: Iterable[str], *, implied: bool) -> None:
    """Store consents given now."""
    for scope in scopes:
        await work.run(_GIVE, account=account, client=client, scope=scope, given_at=work.now, withdrawn_at=None, implied=implied)


async def withdraw(work: Work, account: AccountId, client: ClientId, scopes: Iterable[str]) -> None:
    """Mark consents withdrawn now."""
    await work.run(_WITHDRAW, account=account, client=client, scopes=list(scopes), now=work.now)


async def drop_of(work: Work, account: AccountId) -> None:
    """Delete the account's consents, to terms too."""
    await work.run(_DROP, account=account)
    await work.run(_DROP_TERMS, account=account)


async def accepted(reader: Reader, account: AccountId, most: int) -> list[Accepted]:
    """Return the versions of the terms that the account agreed to, last first."""
    return await reader.all(_AGREED, account=account, most=most)


async def accept(work: Work, account: AccountId, version: str) -> None:
    """Store that the account agreed to a version now."""
    await work.run(_AGREE, account=account, version=version, accepted_at=work.now)
