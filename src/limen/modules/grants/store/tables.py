"""Tables of grants, codes and tokens. Every secret is here as a digest only; a family's key is sealed under the tenant's."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from limen.modules.grants.model import Ending, Extra
from limen.platform.sql import Choice, Id, Instant, Json, table

_TUPLE: Final = tuple[str, ...]
PERMIT: Final = ("account", "client", "session", "scopes", "audience", "acr", "amr", "auth_time", "extra")
"""The columns of a permit, in the order of its fields."""


def _permit_columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("account", Id, nullable=False),
        sa.Column("client", Id, nullable=False),
        sa.Column("session", Id, nullable=False),
        sa.Column("scopes", Json(_TUPLE), nullable=False),
        sa.Column("audience", Json(_TUPLE), nullable=False),
        sa.Column("acr", sa.Text, nullable=False),
        sa.Column("amr", Json(_TUPLE), nullable=False),
        sa.Column("auth_time", Instant, nullable=False),
        sa.Column("extra", Json(Extra)),
    )


CODES: Final = table(
    "codes",
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("id", Id, nullable=False),  # of the grant it becomes
    *_permit_columns(),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("redirect_given", sa.Boolean, nullable=False),
    sa.Column("challenge", sa.Text, nullable=False),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("expires", Instant, nullable=False),
    sa.Column("used_at", Instant),
    sa.Column("kept_until", Instant, nullable=False),  # as long as what it gave can live
    sa.Index("codes_by_age", "tenant", "kept_until"),
    rowid=True,
)
GRANTS: Final = table(
    "grants",
    sa.Column("id", Id, primary_key=True),
    *_permit_columns(),
    sa.Column("created", Instant, nullable=False),
    sa.Column("anchored", Instant, nullable=False),  # lives only while later than the account's `not_before`
    sa.Column("expires", Instant, nullable=False),
    sa.Column("idle_until", Instant),
    sa.Column("last_used", Instant, nullable=False),
    sa.Column("family_key", sa.LargeBinary),  # null for a grant without refresh token, and once ended
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("refresh_digest", sa.LargeBinary),  # of the current refresh token
    sa.Column("rotated_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("reason", Choice(Ending)),
    sa.Index("grants_by_account", "tenant", "account"),
    sa.Index("grants_by_session", "tenant", "session"),
    sa.Index("grants_by_client", "tenant", "client", sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL")),
    sa.Index("grants_by_age", "tenant", "expires"),
    rowid=True,
)
FLOORS: Final = table(
    "grant_floors",
    sa.Column("account", Id, primary_key=True),
    sa.Column("not_before", Instant, nullable=False),  # grants anchored up to here are dead, whether or not their rows say so yet
)
TOKENS: Final = table(
    "opaque_tokens",
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("id", Id, nullable=False),
    sa.Column("grant", Id),
    sa.Column("account", Id),
    sa.Column("client", Id, nullable=False),
    sa.Column("scopes", Json(_TUPLE), nullable=False),
    sa.Column("audience", Json(_TUPLE), nullable=False),
    sa.Column("issued", Instant, nullable=False),
    sa.Column("expires", Instant, nullable=False),
    sa.Column("bound", sa.Text),
    sa.Index("opaque_tokens_by_age", "tenant", "expires"),
    rowid=True,
)
REVOKED: Final = table(
    "revoked_tokens",
    sa.Column("id", Id, primary_key=True),
    sa.Column("expires", Instant, nullable=False),  # then the token is dead by itself, and the row goes
    sa.Index("revoked_tokens_by_age", "tenant", "expires"),
)
