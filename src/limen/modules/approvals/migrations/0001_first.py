"""The tables of approvals: approval_turns, approvals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant, Json

revision = "approvals_0001"
down_revision = None
branch_labels = ("approvals",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approval_turns",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("account", Id(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "account", name=op.f("pk_approval_turns")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "approvals",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("account", Id(), nullable=False),
        sa.Column("client", Id(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("answered", Instant(), nullable=True),
        sa.Column("session", Id(), nullable=True),
        sa.Column("acr", sa.Text(), nullable=False),
        sa.Column("amr", Json(), nullable=False),
        sa.Column("auth_time", Instant(), nullable=True),
        sa.Column("used", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_approvals")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("approvals_by_account", "approvals", ["tenant", "account", "asked"], unique=False)
    op.create_index("approvals_by_age", "approvals", ["tenant", "until"], unique=False)
