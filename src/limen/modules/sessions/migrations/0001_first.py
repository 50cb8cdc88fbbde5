"""The tables of sessions: session_floors, sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant, Json

revision = "sessions_0001"
down_revision = None
branch_labels = ("sessions",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "session_floors",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("account", Id(), nullable=False),
        sa.Column("not_before", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "account", name=op.f("pk_session_floors")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sessions",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("account", Id(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("acr", sa.Text(), nullable=False),
        sa.Column("amr", Json(), nullable=False),
        sa.Column("auth_time", Instant(), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("anchored", Instant(), nullable=False),
        sa.Column("last_seen", Instant(), nullable=False),
        sa.Column("idle_until", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.Column("place", sa.LargeBinary(), nullable=True),
        sa.Column("address_hash", sa.LargeBinary(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_sessions")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("sessions_by_account", "sessions", ["tenant", "account", "last_seen"], unique=False)
    op.create_index("sessions_by_age", "sessions", ["tenant", "ended_at", "idle_until"], unique=False)
    op.create_index("sessions_by_digest", "sessions", ["tenant", "digest"], unique=True)
