"""The tables of profiles: profiles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id

revision = "profiles_0001"
down_revision = None
branch_labels = ("profiles",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "profiles",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("account", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "account", name=op.f("pk_profiles")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
