"""The tables of outbox: outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant

revision = "outbox_0001"
down_revision = None
branch_labels = ("outbox",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", Id(), nullable=False),
        sa.Column("key", Id(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("due", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("holder", Id(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_outbox")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("outbox_by_due", "outbox", ["state", "kind", "due"], unique=False)
    op.create_index("outbox_by_key", "outbox", ["tenant", "kind", "key"], unique=True)
