"""Whether people are asked before an app is let in, and what its ID tokens are signed with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "clients_0002"
down_revision = "clients_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clients", sa.Column("consent", sa.Text(), nullable=True))
    op.add_column("clients", sa.Column("id_token_signed_response_alg", sa.Text(), nullable=True))
