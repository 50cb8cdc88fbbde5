"""Puts one serving process together: gathers what folders contribute, hands everyone what they need, and returns one ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from limen.app import discover
from limen.app.ground import Opened, install_kept
from limen.app.settings import ServerSettings
from limen.kernel.errors import Kind, LimenError
from limen.kernel.ids import SERVER
from limen.modules import factors, journey, keys, notices, oauth
from limen.modules.oauth.bearer import admits
from limen.modules.sessions.api import signed_in
from limen.modules.tenants.api import Directory
from limen.platform.crypto import pool
from limen.platform.http import Access, Call, Edge, Endpoint, Options, Refusal, build, install_farewells
from limen.platform.outbox import Runner, count_dead
from limen.platform.pages import install_cards, install_places, prepare, register, registered
from limen.platform.sql import Database, facts_lag, follow_clock, read_clock
from limen.platform.telemetry import TRACES, Log, Meter, NoPlaceForFigures, Server, Traced, listener, set_up, shared, start_traces

if TYPE_CHECKING:
    from limen.kernel.ids import AccountId, SessionId


GRACE: Final = 10
"""Seconds that what is under way gets to finish once the process ends."""

_log = structlog.stdlib.get_logger(__name__)


class Gate:
    """Answers the edge who is calling: sessions know the cookie, oauth knows the token."""

    async def session(self, call: Call) -> tuple[AccountId, SessionId] | None:
        """Return who is signed in here."""
        return await signed_in(call)

    async def bearer(self, call: Call, token: str, scope: str, *, by_dpop: bool) -> Access | Refusal:
        """Judge an access token for Limen's own API."""
        return await admits(call, token, scope, by_dpop=by_dpop)


class Leaving(LimenError):
    """This server is about to end: load balancers are to look elsewhere."""

    kind = Kind.UNAVAILABLE
    code = "leaving"


@dataclass(slots=True)
class House:
    """One process, ready to serve: `app` is for the web server, `at_work` for what runs beside it."""

    db: Database
    app: Edge
    runner: Runner
    meter: Meter
    metrics: tuple[str, int] | None
    share: Path | None
    turnable: Database | None
    """In dev mode, the database that says how far the clock is turned."""
    leaving: asyncio.Event
    """Set once the process is asked to end: it is ready no longer, and answers all the same."""
    _ending: asyncio.Event = field(default_factory=asyncio.Event)
    _shown: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Run jobs, figures and clock beside answering requests, for the length of the block. NoPlaceForFigures.

        At the end they are let finish, and what was counted is written: the database is to be still open.
        """
        tasks = [asyncio.create_task(work, name=name) for name, work in self._beside().items()]
        for task in tasks:
            task.add_done_callback(_look_at)
        try:
            await self._shown
            yield
        finally:
            self.runner.stop()
            self._ending.set()
            await asyncio.wait(tasks, timeout=GRACE)
            for task in tasks:
                task.cancel()
            await oauth.flush(self.db)
            await self.app.close()
            if TRACES.on:
                await asyncio.to_thread(TRACES.stop)

    def _beside(self) -> dict[str, Coroutine[None, None, None]]:
        follow = {"clock": self._follow_clock(self.turnable)} if self.turnable else {}
        return {"outbox": self.runner.serve(), "metrics": self._show_figures(), "templates": asyncio.to_thread(prepare), **follow}

    async def _follow_clock(self, db: Database) -> None:
        """Turn this process's clock when another of them turned its own."""
        following = asyncio.create_task(follow_clock(db))
        try:
            await self._ending.wait()
        finally:
            following.cancel()

    async def _show_figures(self) -> None:
        """Serve the figures on a listener of their own, or to the parent process."""
        async with AsyncExitStack() as stack:
            try:
                if self.share is not None:
                    await stack.enter_async_context(shared(self.meter, self.share))
                elif self.metrics is not None:
                    await stack.enter_async_context(listener(self.metrics, [self.meter.snapshot]))
            except (NoPlaceForFigures, OSError) as refused:
                self._shown.set_exception(refused)
                return
            self._shown.set_result(None)
            await self._ending.wait()


def _look_at(task: asyncio.Task[None]) -> None:
    """Tell of work that ended by a defect: nobody waits for it before the process ends."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("server.work_ended", work=task.get_name(), exc_info=error)


@cache
def install() -> tuple[Endpoint, ...]:
    """Fill the registries of code from the folders, once per process, and return all endpoints."""
    for package in discover.packages():
        folder = discover.folder_of(package)
        if discover.short_name(package) not in registered() and any((folder / name).is_dir() for name in ("templates", "locales")):
            register(discover.short_name(package), folder)
    steps = [step for _, found in discover.gathered(("steps",), "STEPS", tuple) for step in found]
    journeys = [one for _, found in discover.gathered(("steps",), "JOURNEYS", tuple) for one in found]
    doors = {name: path for _, found in discover.everywhere("RESUMES", dict) for name, path in found.items()}
    journey.install(journey.Tables(steps, journeys, doors))
    install_cards(card for _, found in discover.gathered(("pages",), "CARDS", tuple) for card in found)
    install_places({purpose: path for _, found in discover.everywhere("PLACES", dict) for purpose, path in found.items()})
    install_farewells(farewell for _, found in discover.everywhere("FAREWELLS", tuple) for farewell in found)
    factors.install(discover.plugged("factors"))
    notices.install(discover.plugged("transports"))
    install_kept()
    return tuple(endpoint for _, found in discover.everywhere("ENDPOINTS", tuple) for endpoint in found)


def measure(meter: Meter, db: Database, runner: Runner) -> None:
    """Let the figures tell of what piles up: facts without a position, passwords waiting to be hashed, jobs that are late or dead."""

    async def lag() -> float:
        async with db.read(SERVER) as reader:
            return await facts_lag(reader)

    meter.gauge("facts_lag_seconds", "Age of the oldest fact that readers of the log cannot see yet.", lag, sums=False)
    meter.gauge("hashes_waiting", "Password hashes in the queue.", lambda: pool().waiting)
    meter.gauge("outbox_late_seconds", "How long the oldest job that is due has waited for a runner.", lambda: runner.late_seconds, sums=False)
    meter.gauge("outbox_dead", "Jobs that were given up and wait for an operator.", lambda: count_dead(db), sums=False)
    meter.kinds("token_anomalies", "Anomalies that the token watch told of, by kind.", lambda: oauth.anomalies(db))
    meter.gauge("hashes_busy", "Threads at work on password hashes.", lambda: pool().busy)
    meter.gauge("hashes_cpu_seconds", "Processor time spent in password hashes since the start.", lambda: pool().spent)


async def compose(opened: Opened, *, share: Path | None = None) -> House:
    """Return one process's house. `share` is the socket on which a parent process reads this one's figures."""
    settings, db = opened.settings, opened.db
    server = settings.of(ServerSettings)
    set_up(settings.of(Log), dev=server.dev)
    start_traces(settings.of(Traced))
    pool().told = TRACES.hashed if TRACES.on else None
    endpoints = install()
    for opens in (one for _, found in discover.everywhere("AT_START", tuple) for one in found):
        await asyncio.to_thread(opens, settings)  # what it reads may be large
    if server.dev:
        await read_clock(db)
    jobs = [kind for _, found in discover.gathered(("jobs",), "JOBS", tuple) for kind in found]
    runner = Runner(db, settings, jobs)
    meter = Meter()
    measure(meter, db, runner)
    leaving = asyncio.Event()

    async def staying() -> None:
        if leaving.is_set():
            raise Leaving(operator="this server was asked to end")

    options = Options(
        base_url=server.base_url,
        dev=server.dev,
        trusted_proxies=server.trusted_proxies,
        source_label=lambda reader, address: keys.blind(reader, keys.LOGGED, "address", address),
        meter=meter,
        checks={"staying": staying},
    )
    edge = build(endpoints, Directory(server.base_url, db, dev=server.dev), Gate(), db, settings, options)
    return House(db, edge, runner, meter, settings.of(Server).address, share, db if server.dev else None, leaving)
