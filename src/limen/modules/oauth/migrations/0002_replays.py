"""What was shown once: oauth_replays."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant

revision = "oauth_0002"
down_revision = "oauth_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "oauth_replays",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "kind", "digest", name=op.f("pk_oauth_replays")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("oauth_replays_by_age", "oauth_replays", ["expires"], unique=False)
