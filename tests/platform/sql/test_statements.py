"""Statements: what is refused when they are made, and what is bound when they run."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from limen.platform.sql import METADATA, beside, bind, definitions, insert_row, one_of, statement, table
from limen.platform.sql.statements import STATEMENTS
from tests.conftest import World
from tests.platform.sql.things import ADD, ADD_NEW, COUNT, DROP, EVERYTHING, GET, GROW, OTHER, PAGE, PUT, SOME, THINGS
from tests.rig.schema import import_stores

_T = THINGS.c


@pytest.mark.parametrize(
    "made",
    [
        sa.select(_T.id),
        sa.select(sa.func.count()).select_from(THINGS),
        sa.delete(THINGS).where(_T.id == bind("id")),
        sa.select(_T.id).where(_T.id == bind("tenant")),
        sa.update(THINGS).where(_T.id == bind("id")).values(tenant=bind("tenant")),
        sa.select(_T.id).join(EVERYTHING, EVERYTHING.c.id == _T.id).where(_T.tenant == bind("tenant")),
        sa.select(_T.id).where(_T.tenant == bind("tenant"), _T.id.in_(sa.select(EVERYTHING.c.id))),
        sa.select((twin := THINGS.alias()).c.id).join(THINGS, twin.c.id == _T.id).where(_T.tenant == bind("tenant")),
    ],
)
def test_a_statement_says_which_tenant(made: sa.Executable) -> None:
    """A statement that could reach the rows of another tenant is refused when it is made."""
    with pytest.raises(TypeError, match="tenant"):
        statement(made)
    statement(made, across_tenants="a reason")


def test_a_tenant_compared_through_a_join_is_enough() -> None:
    """The bind of one table and an equality with it cover the other."""
    joined = sa.select(_T.id).join(EVERYTHING, (EVERYTHING.c.tenant == _T.tenant) & (EVERYTHING.c.id == _T.id)).where(_T.tenant == bind("tenant"))
    assert statement(joined).tenant_bound


def test_python_side_defaults_are_refused() -> None:
    """Compiled alone, a default computed in Python would bind NULL without a word (trap 6)."""
    own = sa.Table("defaults", sa.MetaData(), sa.Column("id", sa.Text, primary_key=True), sa.Column("n", sa.Integer, default=lambda: 5))
    with pytest.raises(TypeError, match="default"):
        _ = statement(sa.insert(own), columns=["id"]).sqlite


def test_an_expanding_in_is_refused() -> None:
    """`in_` of a list compiles to a text that depends on the list (trap 8)."""
    with pytest.raises(TypeError, match="one_of"):
        _ = statement(sa.select(_T.id).where(_T.tenant == bind("tenant"), _T.id.in_(["a", "b"]))).sqlite


def test_a_bare_subquery_of_returning_is_refused() -> None:
    """SQLAlchemy leaves the tables out of its names on SQLite, so that `a.id = b.id` reads `id = id`; `beside` keeps them."""
    inner = sa.select(EVERYTHING.c.number).where(EVERYTHING.c.tenant == THINGS.c.tenant, EVERYTHING.c.id == THINGS.c.id)
    changing = sa.update(THINGS).where(THINGS.c.tenant == bind("tenant")).values(n=1)
    with pytest.raises(TypeError, match=r"use beside"):
        _ = statement(changing.returning(THINGS.c.id, inner.correlate(THINGS).scalar_subquery())).sqlite
    kept = statement(changing.returning(THINGS.c.id, beside(inner, THINGS)))
    assert "test_everything.id = test_things.id" in kept.sqlite.sql


def test_an_update_that_finds_by_what_it_sets_is_refused() -> None:
    """`SET n = :n WHERE n = :n` shares one value silently (trap 13); with two names it is what was meant."""
    grown = sa.update(THINGS).where(_T.tenant == bind("tenant"), _T.n == bind("n"))
    with pytest.raises(TypeError, match="two names"):
        statement(grown.values(n=bind("n")))
    statement(grown.values(n=bind("next")))


def test_deferred_constraints_are_refused() -> None:
    """A constraint that fails at COMMIT would fail every Work of the group (trap 3)."""
    try:
        with pytest.raises(TypeError, match="deferred"):
            table("test_deferred", sa.Column("id", sa.Text, primary_key=True), sa.ForeignKeyConstraint(["id"], ["test_things.id"], deferrable=True))
    finally:
        METADATA.remove(METADATA.tables["test_deferred"])


def test_strict_tables_get_names_that_sqlite_takes() -> None:
    """STRICT refuses BIGINT, BOOLEAN and VARCHAR (trap 11)."""
    made = "\n".join(definitions("sqlite"))
    assert "STRICT" in made
    assert not {"BIGINT", "BOOLEAN", "VARCHAR", "TIMESTAMP", "XID8"} & set(made.replace(",", " ").split())


def test_every_statement_compiles_for_both_databases() -> None:
    """Statements are compiled when first used; here all of every package are."""
    import_stores()
    for made in list(STATEMENTS):
        try:
            assert made.sqlite.names == made.postgresql.names, made.sqlite.sql
        except TypeError as refused:
            assert "default" in str(refused) or "one_of" in str(refused)  # noqa: PT017 -- those that the tests above made


async def test_limits_and_constants_are_bound(world: World) -> None:
    """The hidden constant of `LIMIT` without `OFFSET`, and constants in a statement, reach the driver (trap 7)."""
    async with world.work() as work:
        for name in "abcde":
            await work.run(ADD, id=name, n=1)
        assert await work.all(PAGE, after="a", most=2) == ["b", "c"]
        assert await work.run(GROW, id="a") == 1
        assert await work.one(GET, id="a") == 2


async def test_lists(world: World) -> None:
    """`one_of` takes lists of every length, of text, octets and instants, and an empty one matches nothing (trap 8)."""
    octets = statement(
        sa.select(EVERYTHING.c.id).where(EVERYTHING.c.tenant == bind("tenant"), one_of(EVERYTHING.c.octets, "octets"), one_of(EVERYTHING.c.at, "ats")), into=str
    )
    full = statement(insert_row(EVERYTHING))
    empty = {"text": None, "number": None, "truth": None, "colour": None, "json": None, "counts": None}
    async with world.work() as work:
        for name in "abc":
            await work.run(ADD, id=name, n=1)
        assert await work.all(SOME, ids=["a", "c", "x"]) == ["a", "c"]
        assert await work.all(SOME, ids=("b",)) == ["b"]
        assert await work.all(SOME, ids=[]) == []
        await work.run(full, id="o", octets=b"\0\xff", at=work.now, **empty)
        assert await work.all(octets, octets=[b"\0\xff", b"1"], ats=[work.now]) == ["o"]
        assert await work.all(octets, octets=[b"\xff"], ats=[work.now]) == []


async def test_counts_of_changed_rows(world: World) -> None:
    """`run` says how many rows changed: the second comer of a single-use thing gets 0."""
    async with world.work() as work:
        assert await work.run(ADD_NEW, id="a", n=1) == 1
        assert await work.run(ADD_NEW, id="a", n=2) == 0
        assert await work.run(PUT, id="a", n=3) == 1
        assert await work.one(GET, id="a") == 3
        assert await work.run(GROW, id="none") == 0
        assert await work.one(DROP, id="a") == 3
        assert await work.one(DROP, id="a") is None


async def test_tenants_do_not_see_each_other(world: World) -> None:
    """`tenant` is bound from the Work: the same statement finds nothing for another tenant."""
    async with world.work() as work:
        await work.run(ADD, id="a", n=1)
    async with world.db.read(OTHER) as read:
        assert await read.one(COUNT) == 0
        assert await read.one(GET, id="a") is None


async def test_ids_are_ordered_by_octets(world: World) -> None:
    """Keyset pages agree on both databases, whatever the locale (trap 17)."""
    names = ["Z", "a", "_", "é", "0", "B-1", "b_1", "B1"]
    async with world.work() as work:
        for name in names:
            await work.run(ADD, id=name, n=0)
        assert await work.all(PAGE, after="", most=20) == sorted(names, key=str.encode)
