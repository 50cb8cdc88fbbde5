"""When all that a tenant's previous key made had been brought under the current one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Instant

revision = "keys_0002"
down_revision = "keys_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenant_keys", sa.Column("renewed", Instant(), nullable=True))
