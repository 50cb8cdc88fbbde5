"""The tables of keys: signing_keys, subject_keys, tenant_keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from limen.platform.sql import Id, Instant, Json

revision = "keys_0001"
down_revision = None
branch_labels = ("keys",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("alg", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("begins", Instant(), nullable=False),
        sa.Column("retired", Instant(), nullable=True),
        sa.Column("leaves", Instant(), nullable=True),
        sa.Column("public", Json(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_signing_keys")),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index(
        "signing_keys_stage",
        "signing_keys",
        ["tenant", "alg", "stage"],
        unique=True,
        sqlite_where=sa.text("stage <> 'retired'"),
        postgresql_where=sa.text("stage <> 'retired'"),
    )
    op.create_table(
        "subject_keys",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("subject", Id(), nullable=False),
        sa.Column("epoch", Id(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "subject", name=op.f("pk_subject_keys")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tenant_keys",
        sa.Column("tenant", Id(), nullable=False),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("master", Id(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "use", "id", name=op.f("pk_tenant_keys")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "tenant_keys_current",
        "tenant_keys",
        ["tenant", "use"],
        unique=True,
        sqlite_where=sa.text("standing = 'current'"),
        postgresql_where=sa.text("standing = 'current'"),
    )
