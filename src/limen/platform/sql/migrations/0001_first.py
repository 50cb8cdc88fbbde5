"""The log of facts, its order, the notices for caches, and how far followers got."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant, Json
from limen.platform.sql.types import TransactionId

revision = "sql_0001"
down_revision = None
branch_labels = ("sql",)
depends_on = None


def _own_number() -> sa.Column[int]:
    return sa.Column("xid", TransactionId(), nullable=False, server_default=sa.text("pg_current_xact_id()"))


def upgrade() -> None:
    on_server = op.get_context().dialect.name == "postgresql"
    op.create_table(
        "facts",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("name", Id(), nullable=False),
        sa.Column("subject", Id()),
        sa.Column("actor", Id(), nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.Column("private", sa.LargeBinary()),
        *([sa.Column("era", sa.Integer(), nullable=False), _own_number()] if on_server else []),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_facts")),
        sqlite_strict=True,
    )
    op.create_index("facts_by_time", "facts", ["tenant", "at"])
    with_subject = sa.text("subject IS NOT NULL")
    op.create_index("facts_by_subject", "facts", ["tenant", "subject", "at"], sqlite_where=with_subject, postgresql_where=with_subject)
    if on_server:
        op.create_index("facts_by_commit", "facts", ["era", "xid", "seq"])
        op.create_table(
            "fact_order",
            sa.Column("pos", sa.BigInteger(), nullable=False, autoincrement=False),
            sa.Column("seq", sa.BigInteger(), nullable=False),
            sa.Column("era", sa.Integer(), nullable=False),
            sa.Column("xid", TransactionId(), nullable=False),
            sa.PrimaryKeyConstraint("pos", name=op.f("pk_fact_order")),
        )
    op.create_table(
        "changes",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("cache", sa.Text(), nullable=False),
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        *([_own_number()] if on_server else []),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_changes")),
        sqlite_strict=True,
    )
    if on_server:
        op.create_index("changes_by_commit", "changes", ["xid"])
    op.create_table(
        "followers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_followers")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
