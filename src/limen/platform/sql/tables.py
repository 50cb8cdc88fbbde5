"""How tables are declared: tenant first in every primary key, strict types, no deferred constraints."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable, DDLElement, SchemaItem
from sqlalchemy.sql.compiler import DDLCompiler

from limen.platform.sql.dialects import DIALECTS
from limen.platform.sql.types import Id

METADATA: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of the house, each declared by the store that owns it."""

TENANT: Final = "tenant"
ONLY: Final = "only"
"""Key of a table's or column's `info`: the one dialect that has it."""


def table(name: str, *columns: SchemaItem, rowid: bool = False) -> sa.Table:
    """Declare a table of a tenant's rows: `tenant` is added as first column and stands first in the primary key.

    `rowid=True` is for wide rows (over about 200 octets), which SQLite keeps better beside the key than in it.
    """
    return _declare(name, (sa.Column(TENANT, Id, primary_key=True, nullable=False), *columns), rowid=rowid)


def server_table(name: str, *columns: SchemaItem, rowid: bool = False, only: str = "") -> sa.Table:
    """Declare a table of the server itself; `only` names the one dialect that has it."""
    return _declare(name, columns, rowid=rowid, only=only)


def _declare(name: str, columns: tuple[SchemaItem, ...], *, rowid: bool, only: str = "") -> sa.Table:
    made = sa.Table(name, METADATA, *columns, sqlite_strict=True, sqlite_with_rowid=rowid, info={ONLY: only} if only else {})
    for constraint in made.constraints:
        if constraint.deferrable or constraint.initially:
            raise TypeError(f"{name}: a deferred constraint fails at COMMIT and with it every Work of the group")
    return made


def of_tenant(made: sa.FromClause) -> bool:
    """Return whether a table holds rows of tenants."""
    return isinstance(made, sa.Table) and TENANT in made.c


def belongs(item: sa.Table | sa.Column[object], dialect: str) -> bool:
    """Return whether the table or column exists on this dialect."""
    return bool(item.info.get(ONLY, dialect) == dialect)


@compiles(CreateColumn, "sqlite")
def _create_column(element: CreateColumn, compiler: DDLCompiler, **words: object) -> str | None:
    if not belongs(element.element, "sqlite"):
        return None
    return str(compiler.visit_create_column(element, **words))  # type: ignore[no-untyped-call] # SQLAlchemy annotates it not


def definitions_by_table(dialect: str) -> dict[str, list[str]]:
    """Return for each table declared the statements that make it and its indexes, in an order that references allow."""
    found: dict[str, list[str]] = {}
    for each in METADATA.sorted_tables:
        if not belongs(each, dialect):
            continue
        indexes = [index for index in each.indexes if all(belongs(column, dialect) for column in index.columns)]
        made: list[DDLElement] = [CreateTable(each)]
        made += [CreateIndex(index) for index in sorted(indexes, key=lambda index: str(index.name))]
        found[each.name] = [str(element.compile(dialect=DIALECTS[dialect])) for element in made]
    return found


def definitions(dialect: str) -> list[str]:
    """Return the statements that make every declared table and index on an empty database."""
    return [sql for made in definitions_by_table(dialect).values() for sql in made]
