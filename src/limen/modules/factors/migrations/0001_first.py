"""The tables of factors: challenges, factor_tries, factors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant

revision = "factors_0001"
down_revision = None
branch_labels = ("factors",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "challenges",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("journey", Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "journey", "kind", name=op.f("pk_challenges")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("challenges_by_expiry", "challenges", ["tenant", "expires"], unique=False)
    op.create_table(
        "factor_tries",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", Id(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "kind", "subject", "browser", name=op.f("pk_factor_tries")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("factor_tries_by_age", "factor_tries", ["tenant", "last_at"], unique=False)
    op.create_table(
        "factors",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("account", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("last_used", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "account", "id", name=op.f("pk_factors")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("factors_by_kind", "factors", ["tenant", "account", "kind"], unique=True)
