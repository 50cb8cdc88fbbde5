"""The tables of consents: consents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant

revision = "consents_0001"
down_revision = None
branch_labels = ("consents",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consents",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("account", Id(), nullable=False),
        sa.Column("client", Id(), nullable=False),
        sa.Column("scope", Id(), nullable=False),
        sa.Column("given_at", Instant(), nullable=False),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "account", "client", "scope", name=op.f("pk_consents")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
