"""The key an opaque token is bound to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "grants_0003"
down_revision = "grants_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("opaque_tokens", sa.Column("bound", sa.Text(), nullable=True))
