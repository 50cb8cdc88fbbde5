"""`limen audit tail`, as an operator sees it."""

from __future__ import annotations

import asyncio
import io

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import TenantId
from limen.modules.audit import commands
from limen.platform.commands import Console, Ground
from limen.platform.duties import Settings
from limen.platform.sql import last_position
from tests.conftest import World
from tests.modules.audit.test_search import Came, fill


async def said(world: World, **options: object) -> list[list[str]]:
    out = io.StringIO()
    await commands.tail(Ground(Settings([]), world.db, world.tenant, Console(out)), **options)  # type: ignore[arg-type] # a test's shorthand
    return [line.split("\t") for line in out.getvalue().splitlines()]


async def test_tail(world: World) -> None:
    """One line a fact, oldest first, the tenant's own; all tenants' with their names where asked for."""
    await fill(world, 6)
    async with world.db.work(TenantId("other"), SYSTEM) as work:
        work.record(Came(number=99, private=b"x"))
    for _ in range(300):  # on PostgreSQL the last facts get their place a moment after the commit
        async with world.read() as read:
            if await last_position(read) == 7:
                break
        await asyncio.sleep(0.01)
    lines = await said(world, last=3)
    assert [line[-1] for line in lines] == ['{"number":3}', '{"number":4}', '{"number":5}']
    assert lines[0][0].endswith("UTC")
    assert lines[0][1:4] == ["door.came", "customer:acc_ada", "acc_ada"]
    assert [line[-1] for line in await said(world, kind="door.went")] == ['{"number":1}', '{"number":4}']
    assert (await said(world, last=1, everybody=True))[0][1:] == ["other", "door.came", "system", "-", '{"number":99} +sealed']
