"""Devices that wait for a person, and how many wrong codes came from where: oauth_devices, oauth_device_guesses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant

revision = "oauth_0003"
down_revision = "oauth_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "oauth_devices",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_code", sa.LargeBinary(), nullable=False),
        sa.Column("client", Id(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("permit", sa.LargeBinary(), nullable=True),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("polled", Instant(), nullable=True),
        sa.Column("expires", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "digest", name=op.f("pk_oauth_devices")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("oauth_devices_by_age", "oauth_devices", ["tenant", "expires"], unique=False)
    op.create_index("oauth_devices_by_user_code", "oauth_devices", ["tenant", "user_code"], unique=True)
    op.create_table(
        "oauth_device_guesses",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("free_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "source", name=op.f("pk_oauth_device_guesses")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("oauth_device_guesses_by_age", "oauth_device_guesses", ["tenant", "free_at"], unique=False)
