"""PostgreSQL: the pool, transactions that never leak, coalesced facts, and a server that goes away and returns."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
import sqlalchemy as sa

from limen.kernel.clock import SystemClock
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import SERVER, AccountId
from limen.platform.crypto import Keyring
from limen.platform.sql import BadValue, CommitFailed, Contended, DatabaseFull, DatabaseUnavailable, bind, facts_after, facts_lag, open_database, statement
from limen.platform.sql.pool import Link
from limen.platform.sql.postgres import Postgres, PostgresScope
from tests.platform.sql.things import ACME, COUNT, GET, GROW, ThingMade, count_facts, ids, make
from tests.rig import databases
from tests.rig.postgres import FAST, Cluster

_SLEEP = statement(sa.select(sa.func.pg_sleep(bind("seconds", sa.Float))).where(bind("seconds", sa.Float) > 0))


@pytest.fixture
async def url(cluster: Cluster) -> AsyncIterator[str]:
    """An empty database."""
    async with databases.postgres_copy(cluster) as address:
        yield address


async def _open(url: str, keyring: Keyring) -> Postgres:
    db = await open_database(url, keyring, SystemClock())
    assert isinstance(db, Postgres)
    return db


@pytest.fixture
async def db(url: str, keyring: Keyring) -> AsyncIterator[Postgres]:
    """The database as a server opens it."""
    opened = await _open(url, keyring)
    yield opened
    await opened.close()


async def _add(db: Postgres, name: str, n: int = 0) -> None:
    async with db.work(ACME, SYSTEM) as work:
        await make(work, name, n)


async def _record(db: Postgres, **words: object) -> None:
    async with db.work(ACME, SYSTEM) as work:
        work.record(ThingMade(**words))  # type: ignore[arg-type] # its own words


def _scope(db: Postgres) -> PostgresScope:
    return PostgresScope(db, ACME, SYSTEM)


async def test_one_task_needs_one_connection(db: Postgres) -> None:
    """The pool grows only with the need: last in, first out."""
    for number in range(5):
        await _add(db, f"a{number}")
    assert db.pool.size <= 3  # this task, the sequencer, the notices
    await asyncio.gather(*(_add(db, f"b{number}") for number in range(100)))
    assert db.pool.size <= 16


async def test_waiting_for_a_connection_is_bounded(url: str, keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """When all connections are busy a Work is refused after a while, and the next one after their return is not."""
    monkeypatch.setattr("limen.platform.sql.pool.TAKE_SECONDS", 0.2)
    db = await _open(f"{url}?pool_size=2", keyring)
    try:
        links = [await db.pool.take() for _ in range(2)]
        results = await asyncio.gather(*(_add(db, f"a{number}") for number in range(3)), _record(db), return_exceptions=True)
        assert all(isinstance(result, DatabaseUnavailable) for result in results), results
        for link in links:
            db.pool.give(link)
        await _add(db, "b")
        assert await ids(db) == ["b"]
    finally:
        await db.close()


async def test_a_swallowed_error_is_seen_in_the_tag_of_commit(db: Postgres) -> None:
    """Even if nobody noticed the failed statement, ROLLBACK as the answer to COMMIT is no success (trap 1)."""
    with pytest.raises(CommitFailed, match="commit_failed"):
        scope = _scope(db)
        async with scope as work:
            await make(work, "a")
            with pytest.raises(BadValue):
                await scope.ask(lambda con: con.execute("SELECT 1/0"))
            scope.failure = None
            scope.facts.clear()
    assert await ids(db) == []


async def test_a_cancelled_statement_leaves_a_clean_connection(db: Postgres) -> None:
    """A Work cancelled while the server computes is rolled back, and nobody gets its connection before that."""

    async def slow(name: str) -> None:
        async with db.work(ACME, SYSTEM) as work:
            await make(work, name)
            await work.all(_SLEEP, seconds=10.0)

    for number in range(3):
        task = asyncio.create_task(slow(f"s{number}"))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task], timeout=3)
        assert task.cancelled()
    async with asyncio.timeout(3):
        await asyncio.gather(*(_add(db, f"a{number}") for number in range(16)))
    assert len(await ids(db)) == 16


async def test_a_cancelled_read_leaves_a_clean_connection(db: Postgres) -> None:
    """The same for a Read."""
    sleep = statement(sa.select(sa.func.pg_sleep(10)))

    async def slow() -> None:
        async with db.read(ACME) as read:
            await read.all(sleep)

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task], timeout=3)
    async with asyncio.timeout(3), db.read(ACME) as read:
        assert await read.one(COUNT) == 0


async def test_connections_that_died_idle_are_replaced(db: Postgres) -> None:
    """The server closes every idle connection: the next Works and Reads do not notice."""
    await asyncio.gather(*(_add(db, f"a{number}") for number in range(8)))
    scope = _scope(db)
    async with scope:
        await scope.ask(
            lambda con: con.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        )
    await asyncio.gather(*(_add(db, f"b{number}") for number in range(8)))
    async with db.read(ACME) as read:
        assert await read.one(COUNT) == 16


async def test_an_idle_transaction_is_ended_by_the_server(db: Postgres) -> None:
    """Sessions carry a timeout for idle transactions, for these hold back everybody's positions; the Work learns that it failed."""
    shown = statement(sa.select(sa.func.current_setting("idle_in_transaction_session_timeout")), into=str)
    async with db.read(ACME) as read:
        assert await read.one(shown) == "10s"
    with pytest.raises(DatabaseUnavailable):
        scope = _scope(db)
        async with scope as work:
            await make(work, "a")
            await scope.ask(lambda con: con.execute("SET LOCAL idle_in_transaction_session_timeout = '50ms'"))
            await asyncio.sleep(0.3)
    await _add(db, "b")
    assert await ids(db) == ["b"]


async def test_look_ups_of_concurrent_reads_share_round_trips(db: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty at once take a handful of connections, not forty, and each gets its own answer, nothing included; alone, one waits for nobody."""
    for number in range(20):
        await _add(db, f"a{number}", number)
    taken, take = [], db.pool.take

    async def counted() -> Link:
        taken.append(1)
        return await take()

    monkeypatch.setattr(db.pool, "take", counted)
    found = await asyncio.gather(*(_number(db, f"a{number % 25}") for number in range(40)))
    assert found == [number % 25 if number % 25 < 20 else None for number in range(40)]
    assert len(taken) <= 6
    assert [await _number(db, f"a{number}") for number in range(3)] == [0, 1, 2]
    assert len(taken) <= 9


async def test_a_bad_look_up_fails_alone(db: Postgres) -> None:
    """Those that went along with it get their answers."""
    await _add(db, "a", 7)
    asked = [_number(db, "\0" if number == 5 else "a") for number in range(10)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(found[5], BadValue)
    assert [one for place, one in enumerate(found) if place != 5] == [7] * 9


async def test_a_cancelled_look_up_harms_nobody(db: Postgres) -> None:
    """Neither the one that goes first nor one that goes along."""
    await _add(db, "a", 7)
    tasks = [asyncio.create_task(_number(db, "a")) for _ in range(12)]
    await asyncio.sleep(0)
    for gone in (0, 5, 11):
        tasks[gone].cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [one for place, one in enumerate(found) if place not in (0, 5, 11)] == [7] * 9
    assert await _number(db, "a") == 7


async def _number(db: Postgres, name: str) -> int | None:
    async with db.read(ACME) as read:
        return await read.one(GET, id=name)


async def test_facts_of_concurrent_works_share_inserts(db: Postgres) -> None:
    """200 fact-only Works at once need a few INSERTs, and two connections at most."""
    before = db.pool.size
    await asyncio.gather(*(_record(db, n=number) for number in range(200)))
    assert db.pool.size <= before + 2
    inserts = statement(sa.text("SELECT count(DISTINCT xid::text) FROM facts").columns(n=sa.Integer), into=int)
    async with db.read(SERVER) as read:
        assert (await read.one(inserts) or 0) <= 8
    assert await count_facts(db) == 200


async def test_a_bad_fact_fails_only_its_own_work(db: Postgres) -> None:
    """U+0000 in a subject makes the shared INSERT fail: each is tried alone, and only the bad one fails (trap 16)."""
    results = await asyncio.gather(*(_record(db, n=number, subject=AccountId("a\0" if number == 3 else "a")) for number in range(6)), return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 3 + [CommitFailed] + [type(None)] * 2
    assert await count_facts(db) == 5


async def test_text_with_a_nul_is_a_bad_value(db: Postgres) -> None:
    """PostgreSQL refuses U+0000 in text: the Work fails with the error for bad input, not with a fault of the server."""
    with pytest.raises(BadValue):
        await _add(db, "a\0")


async def test_a_full_disk(db: Postgres) -> None:
    """The server's 53100 becomes DatabaseFull for a writing Work and for every Work of a shared INSERT; afterwards all is well."""
    await db.execute("CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$")
    try:
        await db.execute("CREATE TRIGGER full_disk BEFORE INSERT ON facts FOR EACH ROW EXECUTE FUNCTION no_room()")
        results = await asyncio.gather(_add(db, "a"), *(_record(db) for _ in range(4)), return_exceptions=True)
        assert [type(result) for result in results] == [DatabaseFull] * 5
    finally:
        await db.execute("DROP FUNCTION no_room CASCADE")
    await _add(db, "b")
    await _record(db)
    assert await ids(db) == ["b"]
    assert await count_facts(db) == 2


async def test_a_deadlock_ends_with_one_refusal(db: Postgres) -> None:
    """Two Works that lock two rows crosswise: one commits, the other is told that trying again may help."""
    await asyncio.gather(_add(db, "x"), _add(db, "y"))
    both_hold_one = asyncio.Barrier(2)

    async def cross(first: str, second: str) -> None:
        async with db.work(ACME, SYSTEM) as work:
            await work.run(GROW, id=first)
            await both_hold_one.wait()
            await work.run(GROW, id=second)

    results = await asyncio.gather(cross("x", "y"), cross("y", "x"), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Contended", "NoneType"]
    assert any(isinstance(result, Contended) and result.retry_after for result in results)
    async with db.read(ACME) as read:
        assert await read.one(GET, id="x") == 1


async def test_an_idle_writer_elsewhere_is_seen_as_lag(db: Postgres, cluster: Cluster, keyring: Keyring) -> None:
    """A transaction in another database of the cluster holds back positions, which the lag shows; then they come (trap 14)."""
    async with databases.postgres_copy(cluster) as elsewhere:
        other = await _open(elsewhere, keyring)
        try:
            async with other.work(ACME, SYSTEM) as held:
                await make(held, "idle")
                await _add(db, "a")
                await asyncio.sleep(0.3)
                async with db.read(SERVER) as read:
                    assert await facts_after(read, 0) == []
                    assert await facts_lag(read) > 0.2
        finally:
            await other.close()
    async with asyncio.timeout(3):
        while not await _positions(db):
            await asyncio.sleep(0.02)
    async with db.read(SERVER) as read:
        assert await facts_lag(read) == 0.0


async def _positions(db: Postgres) -> list[int]:
    async with db.read(SERVER) as read:
        return [fact.pos for fact in await facts_after(read, 0)]


async def test_a_restored_log_keeps_its_order(url: str, keyring: Keyring) -> None:
    """After a restore transaction numbers begin anew: facts of the earlier era are numbered first, new ones follow (trap 15)."""
    db = await _open(url, keyring)
    try:
        for number in range(3):
            await _record(db, n=number)
        await db.sequencer.step()
    finally:
        await db.close()
    restored = await _open(url, keyring)
    try:
        await restored.execute("UPDATE facts SET xid = (xid::text::bigint + 1000000000000)::text::xid8")
        await restored.execute("UPDATE fact_order SET xid = (xid::text::bigint + 1000000000000)::text::xid8")
        await restored.execute("DELETE FROM fact_order WHERE pos = 3")  # committed before the dump, not numbered yet
    finally:
        await restored.close()
    again = await _open(url, keyring)
    try:
        for number in range(3, 6):
            await _record(again, n=number)
        while await again.sequencer.step():
            await asyncio.sleep(0.02)
        async with again.read(SERVER) as read:
            facts = await facts_after(read, 0)
        assert [(fact.pos, fact.data["n"]) for fact in facts] == [(number + 1, number) for number in range(6)]
    finally:
        await again.close()


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A server that a test may stop."""
    server = Cluster(FAST)
    server.start()
    yield server
    server.drop()


@pytest.mark.slow
async def test_nobody_is_busy_while_the_database_is_away(own_cluster: Cluster, keyring: Keyring) -> None:
    """The listener's end wakes it once; then it looks for the database once a second, and not as often as it can."""
    async with databases.postgres_copy(own_cluster) as url:
        db = await _open(url, keyring)
        try:
            await asyncio.sleep(0.5)  # until it listens
            await asyncio.to_thread(own_cluster.stop, signal.SIGINT)
            await asyncio.sleep(0.5)
            begun = time.process_time()
            await asyncio.sleep(2)
            assert time.process_time() - begun < 0.5
        finally:
            await db.close()
            own_cluster.start()


@pytest.mark.slow
async def test_the_database_goes_away_and_returns(own_cluster: Cluster, keyring: Keyring) -> None:
    """While the server is down everything is refused within a short while; when it is back all works again without a restart."""
    async with databases.postgres_copy(own_cluster) as url:
        db = await _open(url, keyring)
        try:
            await _add(db, "before")
            await asyncio.to_thread(own_cluster.stop, signal.SIGQUIT)
            started = time.monotonic()
            results = await asyncio.gather(*(_add(db, f"a{number}") for number in range(40)), *(_record(db) for _ in range(40)), return_exceptions=True)
            assert all(isinstance(result, DatabaseUnavailable) for result in results), results
            with pytest.raises(DatabaseUnavailable):
                async with db.read(ACME) as read:
                    await read.one(COUNT)
            assert time.monotonic() - started < 8
            with pytest.raises(DatabaseUnavailable):
                await open_database(url, keyring, SystemClock())
            own_cluster.start()
            await _add(db, "after")
            await _record(db)
            assert await ids(db) == ["after", "before"]
            async with asyncio.timeout(5):
                while len(await _positions(db)) < 3:
                    await asyncio.sleep(0.05)
        finally:
            await db.close()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("limen:hush@127.0.0.1:1/limen?pool_size=3", "at 127.0.0.1:1/limen as limen: nothing listens there. Start PostgreSQL, or correct [database] url"),
        ("limen:hush@localhost:1/limen", "at localhost:1/limen as limen: nothing listens there."),
        ("limen:hush@nowhere.invalid/limen", "at nowhere.invalid/limen as limen: "),
        ("limen:hush@127.0.0.1:{port}/nowhere", 'role "limen" does not exist. Correct the user in [database] url'),
        ("postgres@127.0.0.1:{port}/nowhere", 'database "nowhere" does not exist. Make it with createdb'),
        ("postgres@127.0.0.1:{port}/postgres?sslmode=require", "rejected SSL"),
    ],
)
async def test_a_wrong_address_is_refused_at_once(cluster: Cluster, keyring: Keyring, address: str, says: str) -> None:
    """Opening a database that is not there fails within seconds, says where it was looked for and what may help, and not the password."""
    with pytest.raises(DatabaseUnavailable) as refused:
        await open_database(f"postgresql://{address.format(port=cluster.port)}", keyring, SystemClock())
    assert "cannot connect to PostgreSQL at " in refused.value.operator
    assert says in refused.value.operator
    assert "hush" not in refused.value.operator


async def test_a_user_without_rights_is_told(cluster: Cluster, keyring: Keyring) -> None:
    """The message names what that user must have."""
    async with databases.postgres_copy(cluster) as url:
        admin = await asyncpg.connect(url)
        try:
            await admin.execute("CREATE ROLE weak LOGIN")
            with pytest.raises(DatabaseUnavailable) as refused:
                await open_database(url.replace("postgres@", "weak@"), keyring, SystemClock())
        finally:
            await admin.execute("DROP ROLE weak")
            await admin.close()
    assert "permission denied" in refused.value.operator
    assert "must own the tables" in refused.value.operator
