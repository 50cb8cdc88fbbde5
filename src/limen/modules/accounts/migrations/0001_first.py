"""The tables of accounts: accounts, identifiers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant

revision = "accounts_0001"
down_revision = None
branch_labels = ("accounts",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_accounts")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "identifiers",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("blind", sa.LargeBinary(), nullable=False),
        sa.Column("account", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("verified_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "kind", "blind", name=op.f("pk_identifiers")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("identifiers_of_account", "identifiers", ["tenant", "account", "place"], unique=False)
