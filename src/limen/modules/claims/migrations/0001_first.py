"""The tables of claims: pairwise_subjects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant

revision = "claims_0001"
down_revision = None
branch_labels = ("claims",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pairwise_subjects",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("account", Id(), nullable=False),
        sa.Column("sector", Id(), nullable=False),
        sa.Column("sub", Id(), nullable=False),
        sa.Column("made", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "account", "sector", name=op.f("pk_pairwise_subjects")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("pairwise_subjects_by_sub", "pairwise_subjects", ["tenant", "sector", "sub"], unique=True)
