"""SQLite: groups that share a COMMIT, and what a full disk, a failing one and a second process do to them."""

from __future__ import annotations

import asyncio
import stat
import textwrap
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import apsw
import pytest

from limen.kernel.clock import SystemClock
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId, TenantId
from limen.platform.crypto import Keyring
from limen.platform.sql import CommitFailed, Contended, DatabaseFull, DatabaseUnavailable, WorkMisused, open_database
from limen.platform.sql.database import FATAL_EXIT
from limen.platform.sql.sqlite import Sqlite
from tests.platform.sql.things import ACME, ADD, GET, IDS, ThingMade, count_facts, ids, make, other_process
from tests.rig import databases


class FaultyFile(apsw.VFSFile):
    """A file whose fsync or write fails on demand."""

    def __init__(self, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._main = bool(flags[0] & apsw.SQLITE_OPEN_MAIN_DB)

    def xSync(self, flags: int) -> None:  # noqa: N802 -- SQLite's name
        if FaultyDisk.fail_sync or (FaultyDisk.fail_sync_of_file and self._main):
            raise _says_no(apsw.SQLITE_IOERR_FSYNC)
        super().xSync(flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 -- SQLite's name
        if FaultyDisk.fail_write:
            raise _says_no(apsw.SQLITE_IOERR_WRITE)
        super().xWrite(data, offset)


class FaultyDisk(apsw.VFS):
    """A file system in front of the real one."""

    fail_sync = False
    fail_sync_of_file = False
    fail_write = False

    def __init__(self) -> None:
        super().__init__("faulty", "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> FaultyFile:  # noqa: N802 -- SQLite's name
        return FaultyFile(name, flags)


def _says_no(code: int) -> apsw.IOError:
    error = apsw.IOError("the disk says no")
    vars(error)["extendedresult"] = code
    return error


@pytest.fixture
def disk() -> Iterator[type[FaultyDisk]]:
    """The file system `faulty`, known to SQLite as long as the test runs."""
    system = FaultyDisk()
    assert "faulty" in apsw.vfs_names()
    yield FaultyDisk
    FaultyDisk.fail_sync = FaultyDisk.fail_sync_of_file = FaultyDisk.fail_write = False
    del system


@pytest.fixture
async def db(tmp_path: Path, keyring: Keyring) -> AsyncIterator[Sqlite]:
    """An empty database as a server opens it."""
    await databases.sqlite_copy(tmp_path / "limen.db")
    opened = Sqlite(tmp_path / "limen.db", keyring=keyring, clock=SystemClock(), reactions={})
    yield opened
    await opened.close()


async def _add(db: Sqlite, name: str, n: int = 0) -> None:
    async with db.work(ACME, SYSTEM) as work:
        await make(work, name, n)


async def test_the_file_is_private_and_durable(db: Sqlite) -> None:
    """File and WAL are readable by the owner only; what is deleted is overwritten; every commit is synced."""
    await _add(db, "a")
    for path in (db.path, Path(f"{db.path}-wal")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    connection = db.writer.connection
    assert connection.execute("PRAGMA journal_mode").get == "wal"
    assert connection.execute("PRAGMA synchronous").get == 2
    assert connection.execute("PRAGMA secure_delete").get == 1


async def test_a_statement_is_planned_once_whatever_it_is_asked_with(db: Sqlite) -> None:
    """An ordered look-up by other values is not parsed and planned anew, which SQLite does of itself and which costs more than the look-up."""
    planned = 0

    def plans(*_: object) -> int:
        nonlocal planned
        planned += 1
        return apsw.SQLITE_OK

    connection = db.writer.connection
    connection.authorizer = plans
    counts = []
    for tenant in ("acme", "other", "third"):
        connection.execute(IDS.sqlite.sql, IDS.sqlite.binds(TenantId(tenant), {})).fetchall()
        counts.append(planned)
    assert counts[0] > 0
    assert counts == [counts[0]] * 3


async def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: Path, keyring: Keyring) -> None:
    """A database file with a wider mode is narrowed when it is opened."""
    path = tmp_path / "wide.db"
    path.touch(0o644)
    await (await open_database(f"sqlite:///{path}", keyring, SystemClock())).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_concurrent_works_share_commits(db: Sqlite) -> None:
    """64 Works at once need a handful of commits, not 64; alone, each has its own."""
    before = db.writer.commits
    await asyncio.gather(*(_add(db, f"a{number}") for number in range(64)))
    assert db.writer.commits - before <= 6
    before = db.writer.commits
    for number in range(3):
        await _add(db, f"b{number}")
    assert db.writer.commits - before == 3
    assert await count_facts(db) == 67


async def test_works_with_facts_only_never_take_the_writer(db: Sqlite) -> None:
    """A Work that only records can end while another holds the writer, and waits only for the commit."""
    held, go_on = asyncio.Event(), asyncio.Event()

    async def holding() -> None:
        async with db.work(ACME, SYSTEM) as work:
            await make(work, "a")
            held.set()
            await go_on.wait()

    async def recording() -> None:
        async with db.work(ACME, SYSTEM) as work:
            work.record(ThingMade())
            assert not work.tx.begun

    task = asyncio.create_task(holding())
    await held.wait()
    facts = [asyncio.create_task(recording()) for _ in range(5)]
    await asyncio.sleep(0.01)
    go_on.set()
    await asyncio.gather(task, *facts)
    assert await count_facts(db) == 6


async def test_a_bad_fact_fails_only_its_own_work(db: Sqlite) -> None:
    """Of five Works in a group, the one whose fact SQLite refuses fails; the others are stored (trap 16)."""

    async def record(subject: str) -> None:
        async with db.work(ACME, SYSTEM) as work:
            work.record(ThingMade(subject=AccountId(subject)))

    results = await asyncio.gather(record("a"), record("b"), record("\ud800"), record("c"), record("d"), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), type(None), CommitFailed, type(None), type(None)]
    assert await count_facts(db) == 4


async def test_a_full_disk_fails_the_group_and_nothing_else(db: Sqlite) -> None:
    """SQLITE_FULL ends the whole transaction: every Work of it is refused as DatabaseFull; with room again all goes on (trap 2)."""
    connection = db.writer.connection
    connection.execute(f"PRAGMA max_page_count={connection.execute('PRAGMA page_count').get + 2}").fetchall()

    async def big(number: int, size: int) -> None:
        async with db.work(ACME, SYSTEM) as work:
            await make(work, f"{number}" + "x" * size)

    results = await asyncio.gather(big(0, 1), big(1, 100_000), big(2, 1), return_exceptions=True)
    assert isinstance(results[0], DatabaseFull)
    assert isinstance(results[1], DatabaseFull)
    assert results[2] is None
    assert await ids(db) == ["2x"]
    connection.execute("PRAGMA max_page_count=1000000").fetchall()
    await _add(db, "room")
    assert await count_facts(db) == 2


async def test_a_full_disk_at_the_facts_of_a_group(db: Sqlite) -> None:
    """Fact-only Works learn DatabaseFull from the commit, all of the group, and recover."""
    connection = db.writer.connection
    connection.execute(f"PRAGMA max_page_count={connection.execute('PRAGMA page_count').get + 1}").fetchall()

    async def record(size: int) -> None:
        async with db.work(ACME, SYSTEM) as work:
            work.record(ThingMade(thing="x" * size))

    results = await asyncio.gather(record(1), record(100_000), return_exceptions=True)
    assert [type(result) for result in results] == [DatabaseFull, DatabaseFull]
    connection.execute("PRAGMA max_page_count=1000000").fetchall()
    await record(1)
    assert await count_facts(db) == 1


async def test_a_constraint_that_fails_at_commit(db: Sqlite) -> None:
    """Should a deferred constraint slip in, COMMIT fails: everybody of the group learns it, nothing is stored, the next group works (trap 3)."""
    await db.execute("CREATE TABLE child (k TEXT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED); CREATE TABLE parent (id TEXT PRIMARY KEY)")

    async def broken() -> None:
        async with db.work(ACME, SYSTEM) as work:
            await make(work, "b")
            db.writer.run("INSERT INTO child VALUES ('nope')", ())

    results = await asyncio.gather(_add(db, "a"), broken(), _add(db, "c"), return_exceptions=True)
    assert [type(result) for result in results] == [CommitFailed] * 3
    assert await ids(db) == []
    await _add(db, "d")
    assert await ids(db) == ["d"]


async def test_a_failed_fsync_ends_the_process(tmp_path: Path, keyring: Keyring, disk: type[FaultyDisk]) -> None:
    """Every caller of the group is refused, the fatal hook gets one clear line, and nothing is accepted afterwards."""
    lines: list[str] = []
    await databases.sqlite_copy(tmp_path / "limen.db")
    db = Sqlite(tmp_path / "limen.db", keyring=keyring, clock=SystemClock(), reactions={}, on_fatal=lines.append, vfs="faulty")
    try:
        await _add(db, "before")
        disk.fail_sync = True
        results = await asyncio.gather(*(_add(db, f"a{number}") for number in range(5)), return_exceptions=True)
        assert all(isinstance(result, DatabaseUnavailable) for result in results)
        assert len(lines) == 1
        assert str(db.path) in lines[0]
        assert "durable" in lines[0]
        with pytest.raises(DatabaseUnavailable):
            await _add(db, "after")
        assert await ids(db) == ["before"]
    finally:
        disk.fail_sync = disk.fail_sync_of_file = False
        await db.close()


async def test_a_failed_fsync_of_a_checkpoint_ends_the_process(tmp_path: Path, keyring: Keyring, disk: type[FaultyDisk]) -> None:
    """SQLite would swallow an error of its automatic checkpoint: ours is fatal too."""
    lines: list[str] = []
    await databases.sqlite_copy(tmp_path / "limen.db")
    db = Sqlite(tmp_path / "limen.db", keyring=keyring, clock=SystemClock(), reactions={}, on_fatal=lines.append, vfs="faulty")
    try:
        await _add(db, "a")
        db.writer.checkpoint_from(1)
        disk.fail_sync_of_file = True
        await _add(db, "b")
        async with asyncio.timeout(2):
            while not lines:
                await asyncio.sleep(0.01)
    finally:
        disk.fail_sync = disk.fail_sync_of_file = False
        await db.close()


async def test_a_failed_write_is_survived(tmp_path: Path, keyring: Keyring, disk: type[FaultyDisk]) -> None:
    """An input or output error that is no failed fsync refuses the group; when the disk is well again, so is the server."""
    lines: list[str] = []
    await databases.sqlite_copy(tmp_path / "limen.db")
    db = Sqlite(tmp_path / "limen.db", keyring=keyring, clock=SystemClock(), reactions={}, on_fatal=lines.append, vfs="faulty")
    try:
        disk.fail_write = True
        results = await asyncio.gather(*(_add(db, f"a{number}") for number in range(3)), return_exceptions=True)
        assert all(isinstance(result, DatabaseUnavailable) for result in results)
        disk.fail_write = False
        await _add(db, "b")
        assert await ids(db) == ["b"]
        assert lines == []
    finally:
        disk.fail_write = False
        await db.close()


async def test_by_default_a_failed_fsync_exits(tmp_path: Path) -> None:
    """Without a hook the process says one line and exits with the status for input and output errors."""
    await databases.sqlite_copy(tmp_path / "limen.db")
    code = """
        import asyncio, sys
        from pathlib import Path
        from limen.kernel.clock import SystemClock
        from limen.platform.sql.sqlite import Sqlite
        from tests.platform.sql.test_sqlite import FaultyDisk, _record

        async def main():
            disk = FaultyDisk()
            db = Sqlite(Path(sys.argv[1]), keyring=None, clock=SystemClock(), reactions={}, vfs="faulty")
            FaultyDisk.fail_sync = True
            await _record(db, "x")
            print("acknowledged")

        asyncio.run(main())
    """
    process = await other_process(textwrap.dedent(code), str(tmp_path / "limen.db"))
    said, complained = await process.communicate()
    assert process.returncode == FATAL_EXIT, complained
    assert said == b""
    assert complained.startswith(b"limen: the disk failed to make ")
    assert complained.count(b"\n") == 1


async def test_another_process_holding_the_file_does_not_freeze_the_loop(db: Sqlite) -> None:
    """While a second process holds the write lock 50 Works wait, and the event loop stands still for less than 15 ms (trap 5).

    On a machine busy with something else the loop stands still anyway: there it may be twice what it is without any Work.
    """
    code = f"""
import apsw, time
c = apsw.Connection({str(db.path)!r})
c.set_busy_timeout(5000)
c.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(0.5)
c.execute("COMMIT")
"""
    excess = []
    for attempt in range(3):
        idle = _Stall(asyncio.get_running_loop())
        await asyncio.sleep(0.5)
        limit = max(0.015, 2 * idle.stop())
        process = await other_process(code)
        assert process.stdout is not None
        await process.stdout.readline()
        stall = _Stall(asyncio.get_running_loop())
        tasks = [asyncio.create_task(_add(db, f"{attempt}-{number}")) for number in range(50)]
        await asyncio.sleep(0.2)
        assert not any(task.done() for task in tasks)
        async with db.read(ACME) as read:
            assert len(await read.all(IDS)) == attempt * 50
        await asyncio.gather(*tasks)
        excess.append(stall.stop() - limit)
        await process.wait()
        if excess[-1] < 0:
            break
    assert min(excess) < 0, excess


class _Stall:
    """Measures the longest time in which the event loop took no turn."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._last = loop.time()
        self.worst = 0.0
        self._timer = loop.call_later(0.001, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        self.worst = max(self.worst, now - self._last - 0.001)
        self._last = now
        self._timer = self._loop.call_later(0.001, self._tick)

    def stop(self) -> float:
        self._timer.cancel()
        return self.worst


async def test_another_process_that_never_lets_go(db: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the file stays locked, writing Works and fact-only ones are refused after a bounded wait; reads go on; later all works."""
    monkeypatch.setattr("limen.platform.sql.group.BUSY_MILLISECONDS", 50)
    await _add(db, "a")
    other = apsw.Connection(str(db.path))
    other.execute("BEGIN IMMEDIATE")

    async def record() -> None:
        async with db.work(ACME, SYSTEM) as work:
            work.record(ThingMade())

    results = await asyncio.gather(_add(db, "b"), record(), return_exceptions=True)
    assert [type(result) for result in results] == [Contended, Contended]
    async with db.read(ACME) as read:
        assert await read.one(GET, id="a") == 0
    other.execute("COMMIT")
    other.close()
    await _add(db, "c")
    await record()
    assert await ids(db) == ["a", "c"]


async def test_a_second_writer_does_not_starve(db: Sqlite) -> None:
    """Under full load a command in another process gets its turn, twenty times."""
    stop = False

    async def load() -> None:
        while not stop:
            async with db.work(ACME, SYSTEM) as work:
                work.record(ThingMade())

    loads = [asyncio.create_task(load()) for _ in range(16)]
    code = f"""
import apsw
c = apsw.Connection({str(db.path)!r})
c.set_busy_timeout(10000)
for n in range(20):
    c.execute("BEGIN IMMEDIATE")
    c.execute("INSERT INTO test_things VALUES ('acme', ?, 1)", (f"p{{n:02}}",))
    c.execute("COMMIT")
"""  # noqa: S608 -- the path of the test's own file
    process = await other_process(code)
    async with asyncio.timeout(20):
        await process.wait()
    stop = True
    await asyncio.gather(*loads)
    assert process.returncode == 0
    assert len(await ids(db)) == 20


async def test_a_read_changes_nothing(db: Sqlite) -> None:
    """The reading connection refuses to write, whatever the statement."""
    async with db.read(ACME) as read:
        with pytest.raises((DatabaseUnavailable, CommitFailed)):
            await read.all(ADD, id="a", n=1)


async def test_the_wal_stays_bounded(db: Sqlite) -> None:
    """Checkpoints keep the WAL from growing with the load."""
    db.writer.checkpoint_from(50)
    for _ in range(60):
        await asyncio.gather(*(_record(db, "x" * 3000) for _ in range(8)))
    assert Path(f"{db.path}-wal").stat().st_size < 200 * 4200


async def _record(db: Sqlite, text: str) -> None:
    async with db.work(ACME, SYSTEM) as work:
        work.record(ThingMade(thing=text))


async def test_closing_waits_for_what_is_under_way(tmp_path: Path, keyring: Keyring) -> None:
    """Works that ended before `close` are acknowledged and stored; those that begin later are refused."""
    await databases.sqlite_copy(tmp_path / "limen.db")
    db = Sqlite(tmp_path / "limen.db", keyring=keyring, clock=SystemClock(), reactions={})
    tasks = [asyncio.create_task(_add(db, f"a{number}")) for number in range(20)]
    await asyncio.sleep(0)
    await db.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(result is None for result in results)
    with pytest.raises(DatabaseUnavailable):
        await _record(db, "late")
    assert apsw.Connection(str(db.path)).execute("SELECT count(*) FROM test_things").get == 20
    assert [path.name for path in tmp_path.iterdir()] == ["limen.db"]


async def test_nested_works_are_refused_without_a_deadlock(db: Sqlite) -> None:
    """The one writer would wait for itself for ever: the mistake is raised instead (trap 4)."""
    async with db.work(ACME, SYSTEM) as work:
        await make(work, "a")
        with pytest.raises(WorkMisused):
            await _add(db, "b")
