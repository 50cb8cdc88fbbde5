"""Back-channel requests that wait for an answer: oauth_backchannel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant

revision = "oauth_0004"
down_revision = "oauth_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "oauth_backchannel",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("client", Id(), nullable=False),
        sa.Column("approval", Id(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.Column("pause", sa.Integer(), nullable=False),
        sa.Column("polled", Instant(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "digest", name=op.f("pk_oauth_backchannel")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("oauth_backchannel_by_age", "oauth_backchannel", ["tenant", "expires"], unique=False)
    op.create_index("oauth_backchannel_by_approval", "oauth_backchannel", ["tenant", "approval"], unique=False)
