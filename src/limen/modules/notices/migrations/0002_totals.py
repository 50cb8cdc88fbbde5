"""How many messages went to ranges of telephone numbers, and to all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant

revision = "notices_0002"
down_revision = "notices_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice_totals",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("hour", Instant(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("told_at", Instant(), nullable=True),
        sa.Column("latest", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name=op.f("pk_notice_totals")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("notice_totals_by_age", "notice_totals", ["tenant", "latest"], unique=False)
