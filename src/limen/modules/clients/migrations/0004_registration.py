"""How clients come that no operator enters: their registrations, and the tokens with which they may come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant

revision = "clients_0004"
down_revision = "clients_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clients", sa.Column("registered", sa.Text(), nullable=True))
    op.create_table(
        "client_registrations",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("client", Id(), nullable=False),
        sa.Column("made", Instant(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("token", Id(), nullable=True),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("drop_at", Instant(), nullable=True),
        sa.Column("fresh_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "client", name=op.f("pk_client_registrations")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("client_registrations_unused", "client_registrations", ["drop_at"])
    op.create_table(
        "client_registration_tokens",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made", Instant(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("expires", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_client_registration_tokens")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("client_registration_tokens_by_digest", "client_registration_tokens", ["tenant", "digest"], unique=True)
