"""The tables of grants: codes, grant_floors, grants, opaque_tokens, revoked_tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant, Json

revision = "grants_0001"
down_revision = None
branch_labels = ("grants",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "codes",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("account", Id(), nullable=False),
        sa.Column("client", Id(), nullable=False),
        sa.Column("session", Id(), nullable=False),
        sa.Column("scopes", Json(), nullable=False),
        sa.Column("audience", Json(), nullable=False),
        sa.Column("acr", sa.Text(), nullable=False),
        sa.Column("amr", Json(), nullable=False),
        sa.Column("auth_time", Instant(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("redirect_given", sa.Boolean(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("kept_until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "digest", name=op.f("pk_codes")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("codes_by_age", "codes", ["tenant", "kept_until"], unique=False)
    op.create_table(
        "grant_floors",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("account", Id(), nullable=False),
        sa.Column("not_before", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "account", name=op.f("pk_grant_floors")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "grants",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("account", Id(), nullable=False),
        sa.Column("client", Id(), nullable=False),
        sa.Column("session", Id(), nullable=False),
        sa.Column("scopes", Json(), nullable=False),
        sa.Column("audience", Json(), nullable=False),
        sa.Column("acr", sa.Text(), nullable=False),
        sa.Column("amr", Json(), nullable=False),
        sa.Column("auth_time", Instant(), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("anchored", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.Column("idle_until", Instant(), nullable=True),
        sa.Column("last_used", Instant(), nullable=False),
        sa.Column("family_key", sa.LargeBinary(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("refresh_digest", sa.LargeBinary(), nullable=True),
        sa.Column("rotated_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_grants")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("grants_by_account", "grants", ["tenant", "account"], unique=False)
    op.create_index("grants_by_age", "grants", ["tenant", "expires"], unique=False)
    op.create_index(
        "grants_by_client", "grants", ["tenant", "client"], unique=False, sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("grants_by_session", "grants", ["tenant", "session"], unique=False)
    op.create_table(
        "opaque_tokens",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("grant", Id(), nullable=True),
        sa.Column("account", Id(), nullable=True),
        sa.Column("client", Id(), nullable=False),
        sa.Column("scopes", Json(), nullable=False),
        sa.Column("audience", Json(), nullable=False),
        sa.Column("issued", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "digest", name=op.f("pk_opaque_tokens")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("opaque_tokens_by_age", "opaque_tokens", ["tenant", "expires"], unique=False)
    op.create_table(
        "revoked_tokens",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_revoked_tokens")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("revoked_tokens_by_age", "revoked_tokens", ["tenant", "expires"], unique=False)
