"""How far the clock of dev mode is turned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id

revision = "sql_0002"
down_revision = "sql_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dev_clock",
        sa.Column("id", Id(), nullable=False),
        sa.Column("turned", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dev_clock")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
