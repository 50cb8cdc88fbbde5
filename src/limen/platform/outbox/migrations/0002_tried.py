"""When a job was tried first, and last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Instant

revision = "outbox_0002"
down_revision = "outbox_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("first_tried", Instant(), nullable=True))
    op.add_column("outbox", sa.Column("last_tried", Instant(), nullable=True))
