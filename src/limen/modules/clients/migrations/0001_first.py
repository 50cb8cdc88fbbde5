"""The tables of clients: clients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant, Json

revision = "clients_0001"
down_revision = None
branch_labels = ("clients",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clients",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("made", Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("auth_method", sa.Text(), nullable=True),
        sa.Column("secrets", Json(), nullable=False),
        sa.Column("redirect_uris", Json(), nullable=False),
        sa.Column("post_logout_redirect_uris", Json(), nullable=False),
        sa.Column("grants", Json(), nullable=False),
        sa.Column("scopes", Json(), nullable=False),
        sa.Column("pkce_required", sa.Boolean(), nullable=False),
        sa.Column("client_uri", sa.Text(), nullable=True),
        sa.Column("policy_uri", sa.Text(), nullable=True),
        sa.Column("tos_uri", sa.Text(), nullable=True),
        sa.Column("contacts", Json(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_clients")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
