"""Whether a person was asked for a consent, or the operator gave it for an app of her own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "consents_0002"
down_revision = "consents_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("consents", sa.Column("implied", sa.Boolean(), nullable=True))
