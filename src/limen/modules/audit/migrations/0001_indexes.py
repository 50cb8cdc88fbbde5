"""The log is searched by kind, and by what a person did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "audit_0001"
down_revision = None
branch_labels = ("audit",)
depends_on = ("sql_0001",)


def upgrade() -> None:
    op.create_index("facts_by_kind", "facts", ["tenant", "name", "at"])
    person = sa.text("actor > 'client;' AND actor < 'system'")
    op.create_index("facts_by_person", "facts", ["tenant", "actor", "at"], sqlite_where=person, postgresql_where=person)
