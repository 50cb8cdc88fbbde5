"""A backup is one moment of the database, made while it serves."""

from __future__ import annotations

import asyncio
import itertools
import stat
from pathlib import Path

import apsw
import pytest

from limen.kernel.facts import SYSTEM
from limen.platform.crypto import Keyring
from limen.platform.sql import BackupRefused, check_schema, dump
from tests.platform.sql.things import ACME, count_facts, ids, make, opened
from tests.rig import databases
from tests.rig.postgres import Cluster


async def test_a_backup_under_load_is_consistent(tmp_path: Path, keyring: Keyring) -> None:
    """The copy holds as many rows as facts, opens as a database of this version, and is the owner's only; serving goes on meanwhile."""
    url = await databases.sqlite_copy(tmp_path / "limen.db")
    target = tmp_path / "copies" / "limen.db"
    async with opened(url, keyring) as db:
        running, done = True, 0

        async def load(task: int) -> None:
            nonlocal done
            for turn in itertools.takewhile(lambda _: running, itertools.count()):
                async with db.work(ACME, SYSTEM) as work:
                    await make(work, f"{task}.{turn}")
                done += 1  # acknowledged

        tasks = [asyncio.create_task(load(task)) for task in range(8)]
        await asyncio.sleep(0.1)
        before = done
        size = await db.backup(target)
        running = False
        await asyncio.gather(*tasks)
        assert size == target.stat().st_size
        with pytest.raises(BackupRefused, match="backup_refused"):
            await db.backup(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert apsw.Connection(str(target)).execute("PRAGMA integrity_check").get == "ok"
    async with opened(f"sqlite:///{target}", keyring) as copy:
        await check_schema(copy)
        assert before <= len(await ids(copy)) == await count_facts(copy) <= done


async def test_a_backup_that_fails_leaves_nothing(tmp_path: Path, keyring: Keyring) -> None:
    """Where the target cannot be written, no half of it stays behind."""
    async with opened(await databases.sqlite_copy(tmp_path / "limen.db"), keyring) as db:
        (tmp_path / "file").touch()
        with pytest.raises((BackupRefused, OSError)):
            await db.backup(tmp_path / "file" / "copy.db")
    assert {path.name for path in tmp_path.iterdir()} == {"limen.db", "file"}


async def test_a_dump_is_put_back_whole(cluster: Cluster, keyring: Keyring, tmp_path: Path) -> None:
    """PostgreSQL's copy takes the place of what came after it; its columns can be counted without putting it back."""
    target = tmp_path / "limen.dump"
    async with databases.postgres_copy(cluster) as url:
        async with opened(url, keyring) as db:
            async with db.work(ACME, SYSTEM) as work:
                await make(work, "before")
            assert await db.backup(target) == target.stat().st_size
            async with db.work(ACME, SYSTEM) as work:
                await make(work, "after")
            assert await dump.users(url) > 0
        assert (await dump.counted(target, {"facts": "tenant"}))["facts"] == {ACME: 1}
        assert await dump.holds_facts(url)
        await dump.put_back(target, url)
        async with opened(url, keyring) as db:
            await check_schema(db)
            assert await ids(db) == ["before"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


async def test_a_torn_dump_changes_nothing(cluster: Cluster, keyring: Keyring, tmp_path: Path) -> None:
    """A dump that ends in its middle is refused with what PostgreSQL says, and the database is as it was."""
    target = tmp_path / "limen.dump"
    async with databases.postgres_copy(cluster) as url:
        async with opened(url, keyring) as db:
            async with db.work(ACME, SYSTEM) as work:
                await make(work, "kept")
            await db.backup(target)
        with target.open("rb+") as torn:
            torn.truncate(target.stat().st_size * 3 // 4)
        with pytest.raises(BackupRefused) as refused:
            await dump.put_back(target, url)
        assert "pg_restore" in refused.value.operator
        async with opened(url, keyring) as db:
            assert await ids(db) == ["kept"]


def test_a_missing_program_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pg_dump on the PATH the newest of Debian's folder is taken; without any, the refusal says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupRefused) as refused:
        dump.program("pg_dump", tmp_path)
    assert "apt install postgresql-client" in refused.value.operator
    for version in ("9", "15"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "pg_dump").touch()
    assert dump.program("pg_dump", tmp_path) == str(tmp_path / "15" / "bin" / "pg_dump")


def test_a_password_does_not_stand_among_the_processes() -> None:
    """The address handed to PostgreSQL's programs has no password and no word of ours; the password goes by the environment."""
    address, environ = dump.libpq("postgresql://li%40men:se%2Fcret@db.example:5433/limen?pool_size=4&sslmode=require")
    assert address == "postgresql://li%40men@db.example:5433/limen?sslmode=require"
    assert environ["PGPASSWORD"] == "se/cret"
