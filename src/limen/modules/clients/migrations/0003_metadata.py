"""What clients say of themselves beyond their first columns, and a secret kept sealed where something is signed with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Json

revision = "clients_0003"
down_revision = "clients_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clients", sa.Column("sealed_secret", sa.LargeBinary(), nullable=True))
    op.add_column("clients", sa.Column("metadata", Json(), nullable=True))
