"""Statements: built by SQLAlchemy Core, compiled once per dialect, run on the raw driver.

A compiled statement is a text, one generated function that turns the caller's words into the driver's tuple (0.1 us), and one that
turns rows into values. What would go wrong silently is refused: a default computed in Python (it would bind NULL), an expanding `IN`
(its text depends on the list: use `one_of`), and a statement on a tenant's table that does not say which tenant.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeAlias, TypeVar, overload

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.types import NullType, TypeEngine

from limen.platform.sql.dialects import DIALECTS
from limen.platform.sql.tables import TENANT, belongs, of_tenant
from limen.platform.sql.types import Several

if TYPE_CHECKING:
    from limen.kernel.ids import TenantId

R = TypeVar("R")
Row: TypeAlias = tuple[Any, ...]  # a row without `into`: its types are those of the columns, which the checker cannot know
Source: TypeAlias = "sa.Executable | Callable[[str], sa.Executable]"
Insert: TypeAlias = "postgresql.Insert | sqlite.Insert"

STATEMENTS: Final[weakref.WeakSet[Statement[Any]]] = weakref.WeakSet()
"""All statements made, so that one test compiles every one of them for both databases."""


class OneOf(ColumnElement[bool]):
    """`column IN (list)` whose text is the same for every length of the list."""

    inherit_cache = False
    type = NullType()  # type: ignore[assignment] # as Boolean, SQLite would get `... IN (...) = 1`

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.several = sa.bindparam(name, type_=Several(column.type))

    def get_children(self, **_: object) -> Sequence[ColumnElement[Any]]:
        return (self.column, self.several)


@compiles(OneOf, "postgresql")
def _any_of_array(element: OneOf, compiler: SQLCompiler, **words: Any) -> str:  # noqa: ANN401 -- SQLAlchemy's own words
    return f"{compiler.process(element.column, **words)} = ANY ({compiler.process(element.several, **words)})"


@compiles(OneOf, "sqlite")
def _in_json(element: OneOf, compiler: SQLCompiler, **words: Any) -> str:  # noqa: ANN401 -- SQLAlchemy's own words
    octets = isinstance(element.column.type.dialect_impl(DIALECTS["sqlite"]), sa.LargeBinary)
    value = "unhex(value)" if octets else "value"
    listed = compiler.process(element.several, **words)
    return f"{compiler.process(element.column, **words)} IN (SELECT {value} FROM json_each({listed}))"  # noqa: S608 -- SQL that SQLAlchemy made


class Beside(ColumnElement[Any]):
    """A subquery of one value. Within `RETURNING` of SQLite, SQLAlchemy leaves the tables out of the names of columns, in subqueries too."""

    inherit_cache = False

    def __init__(self, found: sa.Select[Any], row: sa.FromClause) -> None:
        self.found = found.correlate(row).scalar_subquery()
        self.type = self.found.type

    def get_children(self, **_: object) -> Sequence[ColumnElement[Any]]:
        return (self.found,)


@compiles(Beside)
def _subquery(element: Beside, compiler: SQLCompiler, **words: Any) -> str:  # noqa: ANN401 -- SQLAlchemy's own words
    return compiler.process(element.found, **{**words, "include_table": True})


def beside(found: sa.Select[Any], row: sa.FromClause) -> ColumnElement[Any]:
    """Return the one value that `found` selects for a row of the table `row`, null where it finds none; it stands where a column may."""
    return Beside(found, row)


def one_of(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return the condition `column` is in the list bound as `name`; an empty list matches nothing."""
    return OneOf(column, name)


def bind(name: str, type_: TypeEngine[Any] | type[TypeEngine[Any]] | None = None) -> sa.BindParameter[Any]:
    """Return a place for a word of the caller; give the type where no column beside it tells (`LIMIT`)."""
    return sa.bindparam(name, type_=type_)


def insert_of(dialect: str) -> Callable[[sa.Table], Insert]:
    """Return the `insert` of a dialect, whose results know `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return postgresql.insert if dialect == "postgresql" else sqlite.insert


def _filled(dialect: str, into: sa.Table) -> Insert:
    columns = [column for column in into.c if column.server_default is None and column.identity is None and belongs(column, dialect)]
    return insert_of(dialect)(into).values({column.name: sa.bindparam(column.name, type_=column.type) for column in columns})


def insert_row(into: sa.Table) -> Callable[[str], Insert]:
    """Insert one row, every column bound by its name (but those that the database fills); Conflict where the key exists."""
    return lambda dialect: _filled(dialect, into)


def insert_new(into: sa.Table, key: Sequence[str] = ()) -> Callable[[str], Insert]:
    """Insert one row unless `key` (default: any unique key) exists: `run` answers 1 or 0, and a second comer is no error."""
    return lambda dialect: _filled(dialect, into).on_conflict_do_nothing(index_elements=list(key) or None)


def upsert(into: sa.Table, key: Sequence[str], set: Sequence[str]) -> Callable[[str], Insert]:  # noqa: A002 -- SQL's word
    """Insert one row, or where `key` exists set the columns named in `set` to the new values."""
    whole = [*([TENANT] if of_tenant(into) and TENANT not in key else []), *key]

    def build(dialect: str) -> Insert:
        start = _filled(dialect, into)
        return start.on_conflict_do_update(index_elements=whole, set_={name: start.excluded[name] for name in set})

    return build


class Compiled(Generic[R]):
    """One statement for one dialect."""

    __slots__ = ("binds", "many", "names", "sql", "types")

    def __init__(self, made: sa.Executable, dialect: str, statement: Statement[R]) -> None:
        compiled = made.compile(dialect=DIALECTS[dialect], column_keys=statement.columns)  # type: ignore[attr-defined] # every statement has it
        if compiled.insert_prefetch or compiled.update_prefetch:
            raise TypeError(f"a default computed in Python would bind NULL: {compiled.insert_prefetch or compiled.update_prefetch}")
        if compiled.effective_returning and _bare_subqueries(compiled.effective_returning):
            raise TypeError("a subquery in RETURNING loses the names of its tables: use beside()")
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise TypeError("the text of an expanding IN depends on its list: use one_of()")
        self.sql: str = compiled.string
        self.types: dict[str, TypeEngine[Any]] = {name: param.type for param, name in compiled.bind_names.items() if param.required}
        self.names = frozenset(self.types) - ({TENANT} if statement.tenant_bound else set())
        self.binds: Callable[[TenantId, Mapping[str, object]], tuple[object, ...]] = _binder(compiled, dialect, tenant_bound=statement.tenant_bound)
        self.many: Callable[[Sequence[Any]], list[R]] | None = _reader(made, dialect, statement.into)


def _binder(compiled: SQLCompiler, dialect: str, *, tenant_bound: bool) -> Callable[[TenantId, Mapping[str, object]], tuple[object, ...]]:
    """Generate `lambda t, p: (t, c1(p['at']), k2,)`: constants of the statement are bound too, words that it needs are looked up."""
    known: dict[str, object] = {}
    parts = []
    params = {name: param for param, name in compiled.bind_names.items()}
    for place, name in enumerate(compiled.positiontup or ()):
        param = params[name]
        convert = param.type.dialect_impl(DIALECTS[dialect]).bind_processor(DIALECTS[dialect])
        if not param.required:
            known[f"k{place}"] = convert(param.effective_value) if convert else param.effective_value
            parts.append(f"k{place},")
            continue
        word = "t" if tenant_bound and name == TENANT else f"p[{name!r}]"
        if convert:
            known[f"c{place}"] = convert
        parts.append(f"c{place}({word})," if convert else f"{word},")
    made: Callable[[TenantId, Mapping[str, object]], tuple[object, ...]] = eval(f"lambda t, p: ({''.join(parts)})", known)  # noqa: S307 -- built from the names of a statement in this code base, never from input
    return made


def _reader(made: sa.Executable, dialect: str, into: Callable[..., R] | None) -> Callable[[Sequence[Any]], list[R]] | None:
    """Generate `lambda rows: [into(r[0], c1(r[1]),) for r in rows]`; None where the driver's rows already are what is wanted."""
    columns = list(getattr(made, "exported_columns", ()))
    convert = [column.type.dialect_impl(DIALECTS[dialect]).result_processor(DIALECTS[dialect], None) for column in columns]
    known: dict[str, object] = {f"c{place}": each for place, each in enumerate(convert) if each}
    known["into"] = into
    if any(convert):
        parts = "".join(f"c{place}(r[{place}])," if each else f"r[{place}]," for place, each in enumerate(convert))
        one = f"into({parts})" if into else f"({parts})"
    elif into:
        one = "into(*r)"
    elif dialect == "postgresql":
        one = "tuple(r)"
    else:
        return None
    made_reader: Callable[[Sequence[Any]], list[R]] = eval(f"lambda rows: [{one} for r in rows]", known)  # noqa: S307 -- as above
    return made_reader


class Statement(Generic[R]):
    """What `statement` returns: hand it to `all`, `one` or `run`. It is compiled for a dialect when first used there."""

    __slots__ = ("__weakref__", "across_tenants", "columns", "into", "postgresql", "source", "sqlite", "tenant_bound")

    sqlite: Compiled[R]
    postgresql: Compiled[R]

    def __init__(self, source: Source, into: Callable[..., R] | None, columns: Sequence[str] | None, across_tenants: str) -> None:
        self.source = source
        self.into = into
        self.columns = list(columns) if columns is not None else None
        self.across_tenants = across_tenants
        self.tenant_bound = False
        for dialect in DIALECTS if callable(source) else ("sqlite",):
            binds = _check_tenant(self.built(dialect), self.columns or (), across_tenants)
            self.tenant_bound = binds and not across_tenants
        STATEMENTS.add(self)

    def built(self, dialect: str) -> sa.Executable:
        return self.source(dialect) if callable(self.source) else self.source

    def __getattr__(self, name: str) -> Compiled[R]:
        """Compile on first use: `sqlite` and `postgresql` are empty slots until then, and 0.2 ms each are too many at start-up."""
        if name not in DIALECTS:
            raise AttributeError(name)
        made: Compiled[R] = Compiled(self.built(name), name, self)
        setattr(self, name, made)
        return made


class _Reach(NamedTuple):
    """Which tables a statement touches, and of which it looks at the tenant."""

    tables: set[sa.FromClause]
    compared: set[sa.FromClause]
    binds: bool


def _reach(made: sa.Executable) -> _Reach:
    tables: set[sa.FromClause] = set()
    compared: set[sa.FromClause] = set()
    binds = False
    for element in visitors.iterate(made):  # type: ignore[arg-type] # every statement is a clause
        if isinstance(element, (sa.Table, sa.Alias)):
            tables.add(element)
        elif isinstance(element, sa.BindParameter):
            binds = binds or (element.key == TENANT and element.required)
        elif isinstance(element, (sa.BinaryExpression, sa.Tuple)):
            compared |= {each.table for each in visitors.iterate(element) if isinstance(each, sa.Column) and each.name == TENANT}
    if isinstance(made, (sa.Insert, sa.Update, sa.Delete)):
        tables.add(made.table)
    if isinstance(made, sa.Insert):
        compared.add(made.table)  # it writes the tenant rather than looking at it
    return _Reach(tables, compared, binds)


def _check_tenant(made: sa.Executable, columns: Sequence[str], across_tenants: str) -> bool:
    """Return whether the statement binds `tenant`; TypeError where it could reach the rows of another tenant."""
    reach = _reach(made)
    binds = reach.binds or TENANT in columns
    _check_update(made)
    if across_tenants:
        return binds
    mine = {each for each in reach.tables if of_tenant(each.element if isinstance(each, sa.Alias) else each)}
    if mine and not binds:
        raise TypeError(f"a statement on {_names(mine)} must bind `tenant`, or give the reason in across_tenants")
    aliased = {each.element for each in mine if isinstance(each, sa.Alias)}
    if open_ones := mine - reach.compared - aliased:
        raise TypeError(f"the tenant of {_names(open_ones)} is compared with nothing: the statement reaches every tenant's rows")
    return binds


def _check_update(made: sa.Executable) -> None:
    """Refuse `SET c = :c WHERE c = :c`: both silently share one value, so the update finds only what it would not change."""
    if not isinstance(made, sa.Update) or made.whereclause is None:
        return
    values = {getattr(column, "name", column): value for column, value in (made._values or {}).items()}  # noqa: SLF001 -- SQLAlchemy has no other door to them
    for element in visitors.iterate(made.whereclause):
        if isinstance(element, sa.BinaryExpression) and isinstance(element.right, sa.BindParameter):
            set_to = values.get(getattr(element.left, "name", ""))
            if isinstance(set_to, sa.BindParameter) and set_to.key == element.right.key:
                raise TypeError(f"`{set_to.key}` is both the new value of {element.left} and what it is found by: give the binds two names")


def _bare_subqueries(returning: Sequence[Any]) -> bool:
    """Whether columns returned are subqueries that are not `Beside`."""

    def bare(element: Any) -> bool:  # noqa: ANN401 -- SQLAlchemy's own
        if isinstance(element, Beside):
            return False
        return isinstance(element, sa.SelectBase) or any(bare(child) for child in element.get_children())

    return any(bare(column) for column in returning)


def _names(tables: set[sa.FromClause]) -> str:
    return ", ".join(sorted(str(getattr(each, "name", each)) for each in tables))


@overload
def statement(source: Source, *, into: Callable[..., R], columns: Sequence[str] | None = None, across_tenants: str = "") -> Statement[R]: ...


@overload
def statement(source: Source, *, into: None = None, columns: Sequence[str] | None = None, across_tenants: str = "") -> Statement[Row]: ...


def statement(source: Source, *, into: Callable[..., Any] | None = None, columns: Sequence[str] | None = None, across_tenants: str = "") -> Statement[Any]:
    """Make a statement of `source`, a SQLAlchemy statement or a function from a dialect's name to one.

    `into` is called with the columns of each row (default: a tuple). `columns` names the columns of an INSERT without `.values`.
    On a tenant's table the statement must bind `tenant`, which is then the tenant of the Work, or say in `across_tenants` why not;
    then a bind of that name is an ordinary word. TypeError at import otherwise.
    """
    return Statement(source, into, columns, across_tenants)
