"""Which versions of the tenant's terms somebody agreed to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant

revision = "consents_0003"
down_revision = "consents_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "terms",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("account", Id(), nullable=False),
        sa.Column("version", Id(), nullable=False),
        sa.Column("accepted_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "account", "version", name=op.f("pk_terms")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
