"""What a database's catalogue says of its tables, in a form that two databases can be compared by."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import apsw
import asyncpg

from limen.app import discover

Described = dict[str, frozenset[str]]
"""Table to what is true of it, one sentence each."""

_COLUMNS: Final = """
    SELECT c.relname, format('%s %s null=%s default=%s collation=%s identity=%s', a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
        pg_get_expr(d.adbin, d.adrelid), l.collname, a.attidentity)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum LEFT JOIN pg_collation l ON l.oid = a.attcollation
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
_CONSTRAINTS: Final = (
    "SELECT conrelid::regclass::text, conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
)
_INDEXES: Final = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'"


def import_stores() -> None:
    """Import every package and its store, so that all tables and statements are known."""
    for package in discover.packages():
        for name in (package, f"{package}.store"):
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as missing:
                if missing.name != name:
                    raise


def _gathered(rows: Iterable[tuple[str, str]]) -> Described:
    found: dict[str, set[str]] = {}
    for table, says in rows:
        found.setdefault(table, set()).add(says)
    return {table: frozenset(says) for table, says in found.items()}


async def describe_postgres(url: str) -> Described:
    """Return columns, constraints and indexes of every table."""
    connection = await asyncpg.connect(url)
    try:
        rows = [tuple(row) for sql in (_COLUMNS, _CONSTRAINTS, _INDEXES) for row in await connection.fetch(sql)]
    finally:
        await connection.close()
    return _gathered(rows)


def describe_sqlite(path: Path) -> Described:
    """Return columns, references and indexes of every table, and how it is kept."""
    connection = apsw.Connection(str(path))
    rows: list[tuple[str, str]] = []
    for name, kind, without_rowid, strict in connection.execute(
        "SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'"
    ):
        table = str(name)
        rows.append((table, f"{kind} without_rowid={without_rowid} strict={strict}"))
        for _, *column in connection.execute(f"PRAGMA table_xinfo({table})"):
            rows.append((table, f"column {column}"))
        for _, _, *reference in connection.execute(f"PRAGMA foreign_key_list({table})"):
            rows.append((table, f"reference {reference}"))
        for _, index, unique, origin, partial in connection.execute(f"PRAGMA index_list({table})"):
            columns = [tuple(each[2:]) for each in connection.execute(f"PRAGMA index_xinfo({index})")]
            where = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).get if partial else ""
            rows.append((table, f"index {index if origin == 'c' else origin} unique={unique} {columns} {where}"))
    connection.close()
    return _gathered(rows)
