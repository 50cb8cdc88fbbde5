"""The token watch: oauth_watch_stretches, oauth_watch_tenants, oauth_watch_clients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant, Json

revision = "oauth_0005"
down_revision = "oauth_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "oauth_watch_stretches",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_oauth_watch_stretches")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "oauth_watch_tenants",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("raised", sa.Integer(), nullable=False),
        sa.Column("relearn", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_oauth_watch_tenants")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "oauth_watch_clients",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("client", Id(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("seen", Instant(), nullable=False),
        sa.Column("profile", Json(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "client", name=op.f("pk_oauth_watch_clients")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("oauth_watch_clients_by_age", "oauth_watch_clients", ["tenant", "seen"], unique=False)
