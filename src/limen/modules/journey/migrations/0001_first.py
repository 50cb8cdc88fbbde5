"""The tables of journey: journeys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant

revision = "journey_0001"
down_revision = None
branch_labels = ("journey",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journeys",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("browser", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.LargeBinary(), nullable=True),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("account", Id(), nullable=True),
        sa.Column("session", Id(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("taken_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_journeys")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("journeys_by_expiry", "journeys", ["tenant", "expires"], unique=False)
