"""The storage: tables, statements, Works on SQLite and PostgreSQL, the log of facts, caches, upgrades. Knows no subject of the domain.

Tables are declared with `table`, statements made once with `statement`, and both are used by stores only:

    async with db.work(tenant, actor) as work:
        row = await work.one(FIND, id=account)
        work.record(AccountSeen(subject=account))
"""

from limen.platform.sql.backup import BackupRefused
from limen.platform.sql.caches import Cached, Caches
from limen.platform.sql.database import Database, end_process
from limen.platform.sql.errors import (
    BadValue,
    CommitFailed,
    Conflict,
    ConstraintFailed,
    Contended,
    DatabaseFull,
    DatabaseMissing,
    DatabaseServed,
    DatabaseUnavailable,
    Outrun,
    SchemaOutdated,
    StatementFailed,
    WorkMisused,
)
from limen.platform.sql.facts import FACTS, StoredFact, facts_after, last_position
from limen.platform.sql.follower import Follower, facts_lag
from limen.platform.sql.opening import BadAddress, open_database, refuse_missing, served_alone
from limen.platform.sql.schema import Branch, Step, ahead, branches, check_schema, upgrade
from limen.platform.sql.statements import Row, Statement, beside, bind, insert_new, insert_of, insert_row, one_of, statement, upsert
from limen.platform.sql.tables import METADATA, definitions, definitions_by_table, server_table, table
from limen.platform.sql.turning import follow_clock, read_clock, turn_clock
from limen.platform.sql.types import Choice, Id, Instant, Json
from limen.platform.sql.work import Reaction, Reactions, Read, Reader, Transaction, Work

__all__ = [
    "FACTS",
    "METADATA",
    "BackupRefused",
    "BadAddress",
    "BadValue",
    "Branch",
    "Cached",
    "Caches",
    "Choice",
    "CommitFailed",
    "Conflict",
    "ConstraintFailed",
    "Contended",
    "Database",
    "DatabaseFull",
    "DatabaseMissing",
    "DatabaseServed",
    "DatabaseUnavailable",
    "Follower",
    "Id",
    "Instant",
    "Json",
    "Outrun",
    "Reaction",
    "Reactions",
    "Read",
    "Reader",
    "Row",
    "SchemaOutdated",
    "Statement",
    "StatementFailed",
    "Step",
    "StoredFact",
    "Transaction",
    "Work",
    "WorkMisused",
    "ahead",
    "beside",
    "bind",
    "branches",
    "check_schema",
    "definitions",
    "definitions_by_table",
    "end_process",
    "facts_after",
    "facts_lag",
    "follow_clock",
    "insert_new",
    "insert_of",
    "insert_row",
    "last_position",
    "one_of",
    "open_database",
    "read_clock",
    "refuse_missing",
    "served_alone",
    "server_table",
    "statement",
    "table",
    "turn_clock",
    "upgrade",
    "upsert",
]
