"""The log is searched by kind, and by what an operator did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "audit_0001"
down_revision = None
branch_labels = ("audit",)
depends_on = ("sql_0001",)


def upgrade() -> None:
    op.create_index("facts_by_kind", "facts", ["tenant", "name", "at"])
    operators = sa.text("actor > 'operator:' AND actor < 'operator;'")
    op.create_index("facts_by_operator", "facts", ["tenant", "actor", "at"], sqlite_where=operators, postgresql_where=operators)
