"""The two SQLAlchemy dialects that turn statements into text. They compile only; the drivers below them are never asked."""

from __future__ import annotations

from typing import Any, Final, Literal

from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.base import SQLiteDialect, SQLiteTypeCompiler
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

_STRICT: Final = {
    "BOOLEAN": "INTEGER",
    "BIGINT": "INTEGER",
    "SMALLINT": "INTEGER",
    "XID8": "INTEGER",
    "VARCHAR": "TEXT",
    "CHAR": "TEXT",
    "FLOAT": "REAL",
    "DOUBLE": "REAL",
    "DOUBLE PRECISION": "REAL",
}
DialectName = Literal["sqlite", "postgresql"]


class _StrictNames(SQLiteTypeCompiler):
    """A STRICT table knows INTEGER, REAL, TEXT and BLOB, and refuses every other name."""

    def process(self, type_: TypeEngine[Any], **words: Any) -> str:  # noqa: ANN401 -- SQLAlchemy's own words
        name = str(super().process(type_, **words)).partition("(")[0]
        return _STRICT.get(name, name)


class _Sqlite(SQLiteDialect):
    type_compiler_cls = _StrictNames
    supports_statement_cache = True


SQLITE: Final[Dialect] = _Sqlite(paramstyle="qmark")
POSTGRESQL: Final[Dialect] = PGDialect_asyncpg()  # type: ignore[no-untyped-call] # SQLAlchemy annotates it not
DIALECTS: Final[dict[str, Dialect]] = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
