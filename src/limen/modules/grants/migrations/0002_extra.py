"""What few permits have: wanted claims, authorization details, resources, another subject, an actor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Json

revision = "grants_0002"
down_revision = "grants_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("codes", sa.Column("extra", Json(), nullable=True))
    op.add_column("grants", sa.Column("extra", Json(), nullable=True))
