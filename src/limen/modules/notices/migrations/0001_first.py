"""The tables of notices: notice_sends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant, Json

revision = "notices_0001"
down_revision = None
branch_labels = ("notices",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice_sends",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("times", Json(), nullable=False),
        sa.Column("latest", Instant(), nullable=False),
        sa.Column("refused_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "address", name=op.f("pk_notice_sends")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("notice_sends_by_age", "notice_sends", ["tenant", "latest"], unique=False)
