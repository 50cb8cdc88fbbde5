"""`limen outbox`, as an operator sees it."""

from __future__ import annotations

import io

import pytest

from limen.kernel.ids import SERVER, TenantId
from limen.platform import outbox
from limen.platform.commands import BadOption, Console, Ground
from limen.platform.duties import Settings
from limen.platform.outbox import JobState, commands
from tests.conftest import World
from tests.platform.outbox.test_queue import FATAL, QUIET, order, runner


def ground(world: World, tenant: TenantId = SERVER) -> Ground:
    return Ground(Settings([]), world.db, tenant, Console(io.StringIO()))


def said(on: Ground) -> list[list[str]]:
    assert isinstance(on.console.file, io.StringIO)
    return [line.split("\t") for line in on.console.file.getvalue().splitlines()]


async def test_list_replay_drop(world: World) -> None:
    """The list shows what waits and what died, of all tenants; a dead letter is sent again by its id, or all of a kind; any is dropped."""
    dead = await order(world, FATAL)
    await runner(world).run_due()
    waiting = await order(world, QUIET, delay=60)
    on = ground(world)
    await commands.show(on)
    assert [(row[0], row[1], row[2], row[3], row[5], row[6]) for row in said(on)] == [
        ("acme", dead, "test.fatal", "dead", "1", "no_such_thing"),
        ("acme", waiting, "test.quiet", "waiting", "0", "-"),
    ]
    on = ground(world)
    await commands.show(on, state=JobState.DEAD, kind="test.q")
    assert said(on) == []
    await commands.retry(on, dead)
    await runner(world).run_due()
    await commands.retry(on, every=True, kind="test.f")
    assert {job.state for job in await outbox.list_jobs(world.db)} == {JobState.WAITING}
    await commands.drop(on, dead, waiting)
    assert await outbox.list_jobs(world.db) == []
    assert said(on) == [["1 sent on their way again"], ["1 sent on their way again"], ["2 dropped"]]


async def test_dead_letters(world: World) -> None:
    """Each with its tries, its error, until when it is kept and what to do; `retry` takes a kind in place of ids, `replay` is the same command."""
    dead = await order(world, FATAL)
    world.advance(60)
    await runner(world).run_due()
    tried = f"{world.clock.now():%Y-%m-%d %H:%M}"
    await order(world, QUIET, delay=60)
    on = ground(world)
    await commands.dead(on)
    ((tenant, job, kind, attempts, first, last, until, error, step),) = said(on)
    assert (tenant, job, kind, attempts, error) == ("acme", dead, "test.fatal", "1", "no_such_thing")
    assert first[:13] == last[:13] == tried[:13]
    assert until > last
    assert "mend" in step
    await commands.dead(on, kind="test.q")
    assert len(said(on)) == 1
    await commands.retry(on, kind="test.q")
    await commands.retry(on, kind="test.f")
    assert said(on)[1:] == [["0 sent on their way again"], ["1 sent on their way again"]]
    for jobs, every in (((), False), ((dead,), True)):
        with pytest.raises(BadOption):
            await commands.retry(on, *jobs, every=every)
    with pytest.raises(BadOption):
        await commands.retry(on, dead, kind="test.")
    verbs = {command.verb: command.run for command in commands.COMMANDS}
    assert verbs["replay"] is verbs["retry"]


async def test_when_a_job_was_tried(world: World) -> None:
    """The first try and the last one; who is sent on the way again begins anew."""
    job = await order(world, FATAL)
    await runner(world).run_due()
    begun = await outbox.find(world.db, job)
    world.advance(3600)
    await commands.retry(ground(world), job)
    waiting = await outbox.find(world.db, job)
    await runner(world).run_due()
    again = await outbox.find(world.db, job)
    assert begun is not None
    assert waiting is not None
    assert again is not None
    assert (begun.first_tried, waiting.first_tried) == (begun.last_tried, None)
    assert begun.last_tried is not None
    assert again.first_tried == again.last_tried
    assert again.last_tried is not None
    assert (again.last_tried - begun.last_tried).total_seconds() >= 3600


async def test_a_tenant_that_is_named(world: World) -> None:
    """Only its jobs are listed, sent again or dropped; another's are none of that tenant's."""
    dead = await order(world, FATAL)
    await runner(world).run_due()
    for tenant, count in ((world.tenant, 1), (TenantId("another"), 0), (TenantId("zzz"), 0)):
        on = ground(world, tenant)
        await commands.show(on)
        assert len(said(on)) == count
    stranger = ground(world, TenantId("another"))
    await commands.retry(stranger, every=True)
    assert said(stranger) == [["0 sent on their way again"]]
    for verb in (commands.retry, commands.drop):
        with pytest.raises(commands.NoSuchJob):
            await verb(stranger, dead)
    await commands.retry(ground(world, world.tenant), dead)


async def test_unknown_job(world: World) -> None:
    """An id that does not exist, or a job that is not dead, is told so."""
    waiting = await order(world, QUIET, delay=60)
    with pytest.raises(commands.NoSuchJob):
        await commands.retry(ground(world), "job_nothing")
    with pytest.raises(commands.NoSuchJob):
        await commands.retry(ground(world), waiting)
    with pytest.raises(commands.NoSuchJob):
        await commands.drop(ground(world), "job_nothing")
