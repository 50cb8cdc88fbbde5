"""`limen outbox`, as an operator sees it."""

from __future__ import annotations

import io

import pytest

from limen.kernel.ids import SERVER, TenantId
from limen.platform import outbox
from limen.platform.commands import Console, Ground
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
    await commands.replay(on, dead)
    await runner(world).run_due()
    await commands.replay(on, every=True, kind="test.f")
    assert {job.state for job in await outbox.list_jobs(world.db)} == {JobState.WAITING}
    await commands.drop(on, dead, waiting)
    assert await outbox.list_jobs(world.db) == []
    assert said(on) == [["1 sent on their way again"], ["1 sent on their way again"], ["2 dropped"]]


async def test_a_tenant_that_is_named(world: World) -> None:
    """Only its jobs are listed, sent again or dropped; another's are none of that tenant's."""
    dead = await order(world, FATAL)
    await runner(world).run_due()
    for tenant, count in ((world.tenant, 1), (TenantId("another"), 0), (TenantId("zzz"), 0)):
        on = ground(world, tenant)
        await commands.show(on)
        assert len(said(on)) == count
    stranger = ground(world, TenantId("another"))
    await commands.replay(stranger, every=True)
    assert said(stranger) == [["0 sent on their way again"]]
    for verb in (commands.replay, commands.drop):
        with pytest.raises(commands.NoSuchJob):
            await verb(stranger, dead)
    await commands.replay(ground(world, world.tenant), dead)


async def test_unknown_job(world: World) -> None:
    """An id that does not exist, or a job that is not dead, is told so."""
    waiting = await order(world, QUIET, delay=60)
    with pytest.raises(commands.NoSuchJob):
        await commands.replay(ground(world), "job_nothing")
    with pytest.raises(commands.NoSuchJob):
        await commands.replay(ground(world), waiting)
    with pytest.raises(commands.NoSuchJob):
        await commands.drop(ground(world), "job_nothing")
