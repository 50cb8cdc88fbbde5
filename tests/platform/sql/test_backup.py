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
from limen.platform.sql import BackupRefused, check_schema
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


async def test_postgresql_has_a_tool_of_its_own(cluster: Cluster, keyring: Keyring) -> None:
    """The refusal names pg_dump."""
    async with databases.postgres_copy(cluster) as url, opened(url, keyring) as db:
        with pytest.raises(BackupRefused) as refused:
            await db.backup(Path("x"))
        assert "pg_dump" in refused.value.operator
