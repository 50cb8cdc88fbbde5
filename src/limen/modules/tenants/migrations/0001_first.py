"""The tables of tenants: tenants."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant, Json

revision = "tenants_0001"
down_revision = None
branch_labels = ("tenants",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tenants",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("made", Instant(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("domain", Id(), nullable=True),
        sa.Column("brand", Json(), nullable=False),
        sa.Column("languages", Json(), nullable=False),
        sa.Column("resources", Json(), nullable=False),
        sa.Column("settings", Json(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_tenants")),
        sa.UniqueConstraint("domain", name=op.f("uq_tenants_domain")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
