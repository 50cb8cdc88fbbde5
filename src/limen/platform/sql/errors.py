"""What can go wrong between a Work and the disk. Each says what the caller may believe afterwards."""

from __future__ import annotations

from typing import ClassVar, Final

from limen.kernel.errors import Kind, LimenError


class Conflict(LimenError):
    """A row with this unique key exists; the Work is rolled back."""

    kind: ClassVar[Kind] = Kind.CONFLICT
    code: ClassVar[str] = "conflict"


class ConstraintFailed(LimenError):
    """A row broke a rule of its table (reference, not null, check); the Work is rolled back."""

    code: ClassVar[str] = "constraint_failed"


class BadValue(LimenError):
    """The database cannot hold a value it was given, such as U+0000 in text on PostgreSQL; the Work is rolled back."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "bad_value"


class CommitFailed(LimenError):
    """The Work did not become durable: nothing of it may be acknowledged."""

    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    code: ClassVar[str] = "commit_failed"


class StatementFailed(LimenError):
    """The database does not understand a statement: a fault of the program; the Work is rolled back."""

    code: ClassVar[str] = "statement_failed"


class DatabaseUnavailable(LimenError):
    """The database does not answer or is held by another process; the Work did not happen, or may not be acknowledged."""

    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    code: ClassVar[str] = "database_unavailable"

    def __init__(self, public: str = "the database is not available at the moment, try again shortly", *, operator: str = "", retry_after: int = 2) -> None:
        super().__init__(public, operator=operator, retry_after=retry_after)


class Contended(DatabaseUnavailable):
    """Works stood in each other's way (deadlock, lock timeout, serialisation) and this one was rolled back: trying again may succeed."""

    code: ClassVar[str] = "database_contended"


class Outrun(Contended):
    """What a Work had read was changed by another before it ended (`Work.claim`): nothing of it was done, and begun anew it may succeed."""

    code: ClassVar[str] = "outrun"


class DatabaseFull(DatabaseUnavailable):
    """The disk or the file's limit is full; the Work did not happen, and others of its group neither."""

    code: ClassVar[str] = "database_full"

    def __init__(self, operator: str = "") -> None:
        super().__init__("the service cannot store anything at the moment", operator=f"the database's disk is full: {operator}", retry_after=60)


ENDINGS: Final = (CommitFailed, DatabaseUnavailable, Conflict, ConstraintFailed)
"""What the end of a Work says as it is, `Outrun` among them; whatever else went wrong there is CommitFailed."""


class DatabaseMissing(LimenError):
    """There is no database where the settings say; opening it must not make one, or a mistyped path would look like an empty server."""

    code: ClassVar[str] = "database_missing"


class DatabaseServed(LimenError):
    """Another process serves this SQLite file; there is room for one."""

    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    code: ClassVar[str] = "database_served"


class SchemaOutdated(LimenError):
    """The database was made by an older version."""

    code: ClassVar[str] = "schema_outdated"


class WorkMisused(RuntimeError):
    """The program broke a rule of Works (nested, slow, or waiting for something else); never caused by input."""
