"""Puts the edge together: from endpoints as values to one ASGI application."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import structlog

from limen.kernel.ids import SERVER
from limen.platform import pages
from limen.platform.duties import Settings
from limen.platform.http.address import Addresses
from limen.platform.http.answers import Answer, Raw
from limen.platform.http.edge import Edge, Fallbacks, Lifespan
from limen.platform.http.endpoint import PUBLIC, Endpoint, WhoKind
from limen.platform.http.errors import NoSuchPlace
from limen.platform.http.gate import Gate
from limen.platform.http.health import Check, health_endpoints
from limen.platform.http.house import House
from limen.platform.http.openapi import description
from limen.platform.http.pace import Pace
from limen.platform.http.plan import Plan
from limen.platform.http.refusals import Refusals, SourceLabel
from limen.platform.http.refusing import as_problem
from limen.platform.http.routes import Routes
from limen.platform.http.settings import Server
from limen.platform.http.site import Place, Places, Site, Sites
from limen.platform.http.traced import TracedEdge
from limen.platform.pages import Asset, Brand, stylesheet
from limen.platform.sql import last_position
from limen.platform.telemetry import TRACES, Log, Meter, Repeats, RequestLog

if TYPE_CHECKING:
    from limen.platform.http.call import Call
    from limen.platform.sql import Database

_UNMATCHED: Final = "(none)"
_log = structlog.stdlib.get_logger("limen.platform.http")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the composition root knows beside the parts. `source_label` is how an address stands in the log (`keys.blind`)."""

    base_url: str
    dev: bool
    source_label: SourceLabel
    trusted_proxies: tuple[str, ...] = ()
    sign_in: str = "/account/signin"
    """Path of the tenant that begins a sign-in and comes back to the path given as `to`."""
    checks: Mapping[str, Check] = field(default_factory=dict)
    """What else has to be there for /health/ready."""
    assets: tuple[Asset, ...] = ()
    """Files beside the style sheet, served under their hashes."""
    meter: Meter | None = None
    log: RequestLog | None = None
    lifespan: Lifespan | None = None


def build(endpoints: Iterable[Endpoint], sites: Sites, gate: Gate, db: Database, settings: Settings, options: Options) -> Edge:
    """Return the application. Endpoints of dev mode are left out in production; two for one method and path are refused."""
    meter = options.meter or Meter()
    pacing = settings.of(Server)
    pace = Pace(db.clock, rate=pacing.refusal_rate, burst=pacing.refusal_burst)
    house = House(
        db=db,
        settings=settings,
        gate=gate,
        addresses=Addresses(options.trusted_proxies),
        pace=pace,
        refusals=Refusals(db, pace, options.source_label),
        failures=Repeats(_log.warning, "request.failed"),
        production=not options.dev,
        sign_in=options.sign_in,
    )
    mine = tuple(one for one in endpoints if options.dev or one.who.kind is not WhoKind.DEV)
    own = (*health_endpoints({**_checks(db), **options.checks}), *_assets((stylesheet(), *options.assets)), description(mine))

    def plan(endpoint: Endpoint) -> Plan:
        return Plan(endpoint, meter.traffic(endpoint.method, endpoint.path), production=house.production)

    url = urlsplit(options.base_url)
    fallbacks = Fallbacks(
        page=plan(Endpoint(method="GET", path=f"/{_UNMATCHED}", who=PUBLIC, call=_nowhere, summary="")),
        problem=plan(Endpoint(method="GET", path=f"/api/{_UNMATCHED}", who=PUBLIC, call=_nowhere, summary="", refuse=as_problem)),
        place=Place(_no_site(options), 0.0),
        base_host=url.netloc.encode("ascii"),
    )
    places = Places(sites, scheme=url.scheme, clock=time.monotonic)
    log = options.log or RequestLog(settings.of(Log), dev=options.dev)
    edge = TracedEdge if TRACES.on else Edge
    return edge(house, places, Routes([plan(one) for one in (*mine, *own)]), fallbacks, log, options.lifespan)


def _no_site(options: Options) -> Site:
    """Return what stands in for a tenant where there is none: on pages that say so, and for /health."""
    url = urlsplit(options.base_url)
    origin = f"{url.scheme}://{url.netloc}"
    spoken = ("en", *sorted(pages.languages() - {"en"}))
    return Site(SERVER, origin, origin, "", url.netloc, options.dev, "Limen", Brand("Limen"), spoken)


def _checks(db: Database) -> dict[str, Check]:
    async def database() -> None:
        db.check_place()
        async with db.read(SERVER) as reader:
            await last_position(reader)

    async def keyring() -> None:
        if not db.keyring.current_epoch:
            raise LookupError("no epoch key")

    return {"database": database, "keyring": keyring}


def _assets(assets: Iterable[Asset]) -> list[Endpoint]:
    def serve(asset: Asset) -> Endpoint:
        answer = Raw(asset.body, asset.media_type, headers=(("cache-control", "public, max-age=31536000, immutable"),), packed=asset.packed)

        async def call(_call: Call) -> Answer:
            return answer

        return Endpoint(method="GET", path=asset.path, who=PUBLIC, call=call, summary="A file of the pages.", hot=True)

    return [serve(asset) for asset in assets]


async def _nowhere(_call: Call) -> Answer:
    raise NoSuchPlace
