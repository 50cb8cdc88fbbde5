"""The two SQLAlchemy dialects that turn statements into text. They compile only; the drivers below them are never asked."""

from __future__ import annotations

from typing import Final, Literal

from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.base import SQLiteDialect, SQLiteTypeCompiler
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

DialectName = Literal["sqlite", "postgresql"]


class _StrictNames(SQLiteTypeCompiler):
    """A STRICT table knows INTEGER, REAL, TEXT and BLOB, and refuses every other name."""

    def _integer(self, type_: TypeEngine[object], **_: object) -> str:
        del type_
        return "INTEGER"

    def _text(self, type_: TypeEngine[object], **_: object) -> str:
        del type_
        return "TEXT"

    def _real(self, type_: TypeEngine[object], **_: object) -> str:
        del type_
        return "REAL"

    visit_BOOLEAN = visit_BIGINT = visit_SMALLINT = visit_XID8 = _integer  # noqa: N815 -- the names SQLAlchemy looks for
    visit_VARCHAR = visit_CHAR = _text  # noqa: N815
    visit_FLOAT = visit_DOUBLE = visit_DOUBLE_PRECISION = _real  # noqa: N815


class _Sqlite(SQLiteDialect):
    type_compiler_cls = _StrictNames
    supports_statement_cache = True


SQLITE: Final[Dialect] = _Sqlite(paramstyle="qmark")
POSTGRESQL: Final[Dialect] = PGDialect_asyncpg()
DIALECTS: Final[dict[str, Dialect]] = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
