"""Upgrades: every package's migrations make what its code declares, once, whole, and whoever serves knows whether they ran."""

from __future__ import annotations

import asyncio
import importlib
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import asyncpg
import pytest

from limen.kernel.clock import SystemClock
from limen.platform.crypto import Keyring
from limen.platform.sql import DatabaseUnavailable, SchemaOutdated, StatementFailed, branches, check_schema, definitions_by_table, open_database, upgrade
from tests.platform.sql.things import other_process
from tests.rig import databases
from tests.rig.postgres import Cluster
from tests.rig.schema import Described, describe_postgres, describe_sqlite, import_stores
from tools.new_migration import owners, written


@pytest.fixture(params=["sqlite", "postgresql"])
async def bare(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
        return
    async with databases.postgres_bare(request.getfixturevalue("cluster")) as url:
        yield url


async def _describe(url: str) -> Described:
    if url.startswith("sqlite"):
        return describe_sqlite(Path(url.removeprefix("sqlite:///")))
    return await describe_postgres(url)


async def _run(url: str, sql: list[str]) -> None:
    if url.startswith("sqlite"):
        connection = apsw.Connection(url.removeprefix("sqlite:///"))
        for each in sql:
            connection.execute(each)
        connection.close()
        return
    server = await asyncpg.connect(url)
    for each in sql:
        await server.execute(each)
    await server.close()


async def test_migrations_make_what_the_code_declares(bare: str, tmp_path: Path) -> None:
    """On both databases the migrated schema of every package equals the one its tables describe: columns, keys, indexes, references."""
    import_stores()
    await upgrade(bare)
    migrated = await _describe(bare)
    migrated.pop("schema_versions")
    declared = {table: made for table, made in definitions_by_table(bare.partition(":")[0]).items() if table in owners()}
    if bare.startswith("sqlite"):
        other = f"sqlite:///{tmp_path / 'declared.db'}"
        await _run(other, [sql for made in declared.values() for sql in made])
        assert await _describe(other) == migrated
        return
    await _run(bare, ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public", *(sql for made in declared.values() for sql in made)])
    assert await _describe(bare) == migrated


def _package(root: Path, name: str, *bodies: str, depends_on: str = "None") -> Path:
    """Write a package whose migrations have these bodies."""
    folder = root / name / "migrations"
    folder.mkdir(parents=True)
    for place, body in enumerate(bodies, start=1):
        before = f'"{name}_{place - 1:04}"' if place > 1 else "None"
        (folder / f"{place:04}_step.py").write_text(
            textwrap.dedent(f'''
                """Step {place} of {name}."""
                import sqlalchemy as sa
                from alembic import op
                revision = "{name}_{place:04}"
                down_revision = {before}
                branch_labels = {f'("{name}",)' if place == 1 else None}
                depends_on = {depends_on if place == 1 else None}
                def upgrade():
                    {body}
            ''')
        )
    return root


_MAKE = 'op.create_table("{0}", sa.Column("id", sa.Text(), primary_key=True))'
_GROW = 'op.add_column("{0}", sa.Column("{1}", sa.Text(), nullable=False, server_default="x"))'


async def test_a_dry_run_says_everything_and_does_nothing(bare: str, tmp_path: Path) -> None:
    """It lists the migrations with their statements; the real run then runs exactly those, and a second finds nothing to do."""
    root = _package(tmp_path / "code", "shop", _MAKE.format("shops"), _GROW.format("shops", "town"))
    planned = await upgrade(bare, dry_run=True, roots=[root])
    assert [step.revision for step in planned] == ["shop_0001", "shop_0002"]
    assert planned[0].title == "Step 1 of shop."
    assert planned[0].statements[0].startswith("CREATE TABLE shops")
    assert planned[1].statements[0].startswith("ALTER TABLE shops ADD COLUMN town")
    assert "shops" not in await _describe(bare)
    assert await upgrade(bare, roots=[root]) == planned
    assert "shops" in await _describe(bare)
    assert await upgrade(bare, roots=[root]) == ()


async def test_later_migrations_are_run_alone(bare: str, tmp_path: Path) -> None:
    """A database at version 1 gets version 2 only, and its rows stay."""
    await upgrade(bare, roots=[_package(tmp_path / "old", "shop", _MAKE.format("shops"))])
    await _run(bare, ["INSERT INTO shops (id) VALUES ('a')"])
    steps = await upgrade(bare, roots=[_package(tmp_path / "new", "shop", _MAKE.format("shops"), _GROW.format("shops", "town"))])
    assert [step.number for step in steps] == [2]
    await _run(bare, ["INSERT INTO shops (id, town) VALUES ('b', 'Ulm')"])


async def test_branches_run_in_the_order_of_their_references(bare: str, tmp_path: Path) -> None:
    """A package that depends on another's table is migrated after it, whatever their names."""
    root = tmp_path / "code"
    _package(root, "zoo", _MAKE.format("zoos"))
    _package(root, "apes", 'op.create_table("apes", sa.Column("zoo", sa.Text(), sa.ForeignKey("zoos.id"), primary_key=True))', depends_on='("zoo_0001",)')
    steps = await upgrade(bare, roots=[root])
    assert [step.branch for step in steps] == ["zoo", "apes"]


async def test_a_migration_that_fails_leaves_nothing(bare: str, tmp_path: Path) -> None:
    """All migrations of a run are one transaction: if the second fails the first is undone too."""
    root = _package(tmp_path / "code", "shop", _MAKE.format("shops"), 'op.execute("UPDATE shops SET nonsense WHERE")')
    with pytest.raises(StatementFailed):
        await upgrade(bare, roots=[root])
    assert "shops" not in await _describe(bare)
    root = _package(tmp_path / "fixed", "shop", _MAKE.format("shops"))
    assert len(await upgrade(bare, roots=[root])) == 1


async def test_two_runners_do_not_collide(bare: str, tmp_path: Path) -> None:
    """Two processes upgrade the same database at the same time: each migration runs once, nobody fails."""
    root = _package(tmp_path / "code", "shop", *(_MAKE.format(f"shops{number}") for number in range(5)))
    code = """
import asyncio, sys
from pathlib import Path
from limen.platform.sql import upgrade
print(len(asyncio.run(upgrade(sys.argv[1], roots=[Path(sys.argv[2])]))))
"""
    processes = await asyncio.gather(*(other_process(code, bare, str(root)) for _ in range(2)))
    said = await asyncio.gather(*(process.communicate() for process in processes))
    assert sorted(out.strip() for out, _ in said) == [b"0", b"5"], said


async def test_serving_needs_the_newest_schema(bare: str, tmp_path: Path, keyring: Keyring) -> None:
    """A database that is empty or behind is refused with the command's name; one that is up to date, or ahead, is served."""
    old = _package(tmp_path / "old", "shop", _MAKE.format("shops"))
    new = _package(tmp_path / "new", "shop", _MAKE.format("shops"), _GROW.format("shops", "town"))

    async def refusal(root: Path) -> str:
        db = await open_database(bare, keyring, SystemClock())
        try:
            await check_schema(db, roots=[root])
        except SchemaOutdated as outdated:
            return outdated.operator
        finally:
            await db.close()
        return ""

    assert await refusal(old) == "the database is empty: run `limen upgrade`"
    await upgrade(bare, roots=[old])
    assert await refusal(old) == ""
    said = await refusal(new)
    assert "shop is at 1 of 2" in said
    assert "`limen upgrade`" in said
    await upgrade(bare, roots=[new])
    assert await refusal(new) == ""
    assert await refusal(old) == ""


def test_numbers_have_no_gap(tmp_path: Path) -> None:
    """A file with another name, a gap, or two packages of one name are refused before anything runs."""
    folder = _package(tmp_path / "a", "shop", _MAKE.format("shops")) / "shop" / "migrations"
    (folder / "0003_later.py").touch()
    with pytest.raises(ValueError, match="without a gap"):
        branches([tmp_path / "a"])
    (folder / "0003_later.py").rename(folder / "later.py")
    with pytest.raises(ValueError, match="numbered"):
        branches([tmp_path / "a"])
    (folder / "later.py").unlink()
    _package(tmp_path / "a" / "inner", "shop", _MAKE.format("shops"))
    with pytest.raises(ValueError, match="two packages"):
        branches([tmp_path / "a"])


async def test_a_server_that_is_not_there(cluster: Cluster) -> None:
    """An upgrade of a database that does not answer says so."""
    with pytest.raises(DatabaseUnavailable):
        await upgrade(cluster.url("nothing_of_that_name"))


async def test_checking_imports_no_alembic() -> None:
    """Opening and checking a database does not pay for the migration tool."""
    process = await other_process("import sys, limen.platform.sql; print('alembic' in sys.modules)")
    said, _ = await process.communicate()
    assert said.strip() == b"False"


def test_the_first_migration_is_written_from_the_tables() -> None:
    """The tool's text for a package that is unchanged since its first migration has all of its tables and names its branch."""
    importlib.import_module("limen.platform.outbox.store")
    from limen.platform.outbox.store import OUTBOX  # noqa: PLC0415 -- a store is imported for its table only here

    text = written("limen.platform.outbox", [OUTBOX], {"outbox": "limen.platform.outbox"})
    assert 'revision = "outbox_0001"' in text
    assert "op.create_table" in text
    compile(text, "0001_first.py", "exec")
