"""The table of clients."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

import sqlalchemy as sa

from limen.kernel.ids import ClientId
from limen.modules.clients.model import NAMES, AuthMethod, Client, ClientKind, ConsentRule, GrantType, Metadata, Registered, SecretDigest, given
from limen.platform.crypto import Place
from limen.platform.sql import Choice, Id, Instant, Json, Reader, Work, bind, insert_new, one_of, statement, table, upsert
from limen.platform.wire.jose import Alg

CLIENTS: Final = table(
    "clients",
    sa.Column("id", Id, primary_key=True),
    sa.Column("made", Instant, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("kind", Choice(ClientKind), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("auth_method", Choice(AuthMethod)),
    sa.Column("secrets", Json(tuple[SecretDigest, ...]), nullable=False),
    sa.Column("redirect_uris", Json(tuple[str, ...]), nullable=False),
    sa.Column("post_logout_redirect_uris", Json(tuple[str, ...]), nullable=False),
    sa.Column("grants", Json(tuple[GrantType, ...]), nullable=False),
    sa.Column("scopes", Json(tuple[str, ...]), nullable=False),
    sa.Column("pkce_required", sa.Boolean, nullable=False),
    sa.Column("client_uri", sa.Text),
    sa.Column("policy_uri", sa.Text),
    sa.Column("tos_uri", sa.Text),
    sa.Column("contacts", Json(tuple[str, ...]), nullable=False),
    sa.Column("consent", Choice(ConsentRule)),  # null from before there was a choice
    sa.Column("id_token_signed_response_alg", Choice(Alg)),
    sa.Column("sealed_secret", sa.LargeBinary),  # under the tenant's key, beside its digest
    sa.Column("metadata", Json(Metadata)),  # what is not at its default; null from before there was any
    sa.Column("registered", Choice(Registered)),  # null from before there was another way than the operator's
    rowid=True,
)

_C: Final = CLIENTS.c
COLUMNS: Final = (
    *("kind", "name", "auth_method", "secrets", "redirect_uris", "post_logout_redirect_uris", "grants", "scopes", "pkce_required"),
    *("client_uri", "policy_uri", "tos_uri", "contacts", "consent", "id_token_signed_response_alg", "sealed_secret"),
)
"""Columns that hold what a client says of itself, named as in the model."""
FIELDS: Final = (*COLUMNS, *NAMES)
"""All it says of itself."""


class _Row(NamedTuple):
    tenant: str
    id: str
    made: datetime
    version: int
    kind: ClientKind
    name: str
    auth_method: AuthMethod | None
    secrets: tuple[SecretDigest, ...]
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    grants: tuple[GrantType, ...]
    scopes: tuple[str, ...]
    pkce_required: bool
    client_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    contacts: tuple[str, ...]
    consent: ConsentRule | None
    id_token_signed_response_alg: Alg | None
    sealed_secret: bytes | None
    metadata: Metadata | None
    registered: Registered | None

    def read(self) -> Client:
        return Client(
            id=ClientId(self.id),
            made=self.made,
            version=self.version,
            kind=self.kind,
            name=self.name,
            auth_method=self.auth_method,
            secrets=self.secrets,
            redirect_uris=self.redirect_uris,
            post_logout_redirect_uris=self.post_logout_redirect_uris,
            grants=self.grants,
            scopes=self.scopes,
            pkce_required=self.pkce_required,
            client_uri=self.client_uri,
            policy_uri=self.policy_uri,
            tos_uri=self.tos_uri,
            contacts=self.contacts,
            consent=self.consent or ConsentRule.ASK,
            id_token_signed_response_alg=self.id_token_signed_response_alg,
            sealed_secret=self.sealed_secret,
            registered=self.registered or Registered.OPERATOR,
            **({} if self.metadata is None else {name: getattr(self.metadata, name) for name in NAMES}),
        )


_FIND: Final = statement(sa.select(CLIENTS).where(_C.tenant == bind("tenant"), _C.id == bind("id")), into=_Row)
_TAKE: Final = statement(sa.select(CLIENTS).where(_C.tenant == bind("tenant"), _C.id == bind("id")).with_for_update(), into=_Row)
_NAMED: Final = statement(sa.select(CLIENTS).where(_C.tenant == bind("tenant"), one_of(_C.id, "ids")), into=_Row)
_TAKE_NAMED: Final = statement(sa.select(CLIENTS).where(_C.tenant == bind("tenant"), one_of(_C.id, "ids")).order_by(_C.id).with_for_update(), into=_Row)
_LIST: Final = statement(
    sa.select(CLIENTS).where(_C.tenant == bind("tenant"), _C.id > bind("after")).order_by(_C.id).limit(bind("limit", sa.Integer)),
    into=_Row,
)
_ADD: Final = statement(insert_new(CLIENTS))
_PUT: Final = statement(upsert(CLIENTS, key=("id",), set=("version", "registered", *COLUMNS, "metadata")))
_DROP: Final = statement(sa.delete(CLIENTS).where(_C.tenant == bind("tenant"), _C.id == bind("id")))


async def find(reader: Reader, client: ClientId) -> Client | None:
    """Return a client as it is in the database."""
    row = await reader.one(_FIND, id=client)
    return row.read() if row else None


async def take(work: Work, client: ClientId) -> Client | None:
    """Return a client and hold its row, so that what is written next builds on what was read."""
    row = await work.one(_TAKE, id=client)
    return row.read() if row else None


async def named(reader: Reader, ids: Collection[ClientId]) -> list[Client]:
    """Return those of these that there are."""
    return [row.read() for row in await reader.all(_NAMED, ids=list(ids))]


async def take_named(work: Work, ids: Collection[ClientId]) -> list[Client]:
    """Return them and hold their rows, in the order of their ids so that two Works do not wait for each other."""
    return [row.read() for row in await work.all(_TAKE_NAMED, ids=list(ids))]


async def add(work: Work, client: Client) -> bool:
    """Write a new client; False if the id is taken."""
    return await work.run(_ADD, **_values(client)) > 0


async def put(work: Work, client: Client) -> None:
    """Write a client that is there."""
    await work.run(_PUT, **_values(client))


def _values(client: Client) -> dict[str, object]:
    return {**{name: getattr(client, name) for name in ("id", "made", "version", "registered", *COLUMNS)}, "metadata": given(client)}


async def drop(work: Work, client: ClientId) -> bool:
    """Delete a client; False if there was none."""
    return await work.run(_DROP, id=client) > 0


async def page(reader: Reader, after: str, limit: int) -> list[Client]:
    """Return up to `limit` clients after an id, in order."""
    return [row.read() for row in await reader.all(_LIST, after=after, limit=limit)]


_SEALED: Final = statement(
    sa.select(_C.id, _C.sealed_secret)
    .where(_C.tenant == bind("tenant"), _C.id > bind("after"), _C.sealed_secret.is_not(None))
    .order_by(_C.id)
    .limit(bind("limit", sa.Integer))
    .with_for_update()
)
_RESEAL: Final = statement(sa.update(CLIENTS).where(_C.tenant == bind("tenant"), _C.id == bind("id")).values(sealed_secret=bind("sealed_secret")))


def secret_place(reader: Reader, client: ClientId) -> Place:
    """Return where a client's secret is sealed for."""
    return Place("clients", "sealed_secret", reader.tenant, client)


async def sealed(work: Work, after: str, limit: int) -> list[tuple[ClientId, bytes]]:
    """Return up to `limit` clients after an id that keep their secret sealed, and hold their rows."""
    return await work.all(_SEALED, after=after, limit=limit)


async def reseal(work: Work, client: ClientId, sealed_secret: bytes) -> None:
    """Write a secret sealed under another key."""
    await work.run(_RESEAL, id=client, sealed_secret=sealed_secret)
