"""A sign-in and a token, as whoever collects traces sees them."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator

import pytest

from limen.app.ground import reactions
from limen.kernel.clock import SystemClock
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import ClientId
from limen.kernel.secrets import Secret
from limen.modules import clients
from limen.modules.clients import Client as App
from limen.modules.clients import ClientKind
from limen.platform.crypto import Keyring
from limen.platform.sql import open_database
from tests.conftest import World
from tests.journeys.conftest import ADA, PASSWORD, Town, clock, town_of
from tests.rig.spans import Recorded, Seen, recorded

__all__ = ["clock"]
pytestmark = pytest.mark.anyio

SECRET = "a secret of thirty-two characters, or more"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.fixture
def spans() -> Iterator[Recorded]:
    """Everything is recorded."""
    with recorded() as found:
        yield found


@pytest.fixture
async def traced(spans: Recorded, database_url: str, keyring: Keyring, clock: SystemClock) -> AsyncIterator[Town]:
    """A server that traces, on each database, with an account of Ada's and a client."""
    opened = await open_database(database_url, keyring, clock, reactions())
    try:
        town = await town_of(World(opened, clock, keyring, database_url))
        await town.account()
        app = App(id=ClientId("svc"), kind=ClientKind.SERVICE, scopes=("limen:sessions:read",))
        async with town.world.work(SYSTEM) as work:
            await clients.save(work, clients.with_secret(app, Secret(SECRET), work.now), dev=True)
        spans.take()
        yield town
    finally:
        await opened.close()


async def token(town: Town, **headers: str) -> int:
    """Ask for a token by client credentials."""
    basic = base64.b64encode(f"svc:{SECRET.replace(' ', '+')}".encode()).decode()
    answer = await town.browser().post(
        "/oauth/token", form={"grant_type": "client_credentials", "scope": "limen:sessions:read"}, headers={"authorization": f"Basic {basic}", **headers}
    )
    return answer.status


def parts(spans: list[Seen], of: Seen) -> list[Seen]:
    """Return what happened inside a span."""
    return [span for span in spans if span.parent == of.id]


async def test_a_token_is_a_request_with_its_work_in_it(traced: Town, spans: Recorded) -> None:
    """One span of the request by method and route, one of each Work by the function that opened it, with numbers and no parameters."""
    assert await token(traced) == 200
    spans.take()
    assert await token(traced) == 200
    found = spans.take()
    (request,) = [span for span in found if span.kind == "server"]
    assert (request.name, request.parent, request.failed) == ("POST /oauth/token", "", False)
    assert request.attributes == {"http.request.method": "POST", "http.route": "/oauth/token", "http.response.status_code": 200, "limen.tenant": "acme"}
    works = parts(found, request)
    assert works
    assert {span.trace for span in found} == {request.trace}
    for work in works:
        assert work.name.startswith("work oauth."), work.name
        assert work.attributes["db.system.name"] in {"sqlite", "postgresql"}
        assert work.attributes["limen.tenant"] == "acme"
        assert set(work.attributes) == {"db.system.name", "limen.tenant", "limen.work.statements", "limen.work.facts"}
    assert sum(int(str(work.attributes["limen.work.facts"])) for work in works) == 1


async def test_a_sign_in_shows_its_password_and_its_works(traced: Town, spans: Recorded) -> None:
    """The page that took a password has the hash, with its time in the queue, and several Works; statements are counted; nobody is named."""
    browser = traced.browser()
    page = await browser.submit(await browser.get("/signin"), {"identifier": ADA})
    spans.take()
    page = await browser.submit(page, {"password": PASSWORD})
    assert page.url.endswith("/account"), page.words
    raw = spans.raw()
    found = spans.take()
    posted = next(span for span in found if span.kind == "server" and span.name.startswith("POST "))
    inside = parts(found, posted)
    (hashed,) = [span for span in inside if span.name == "password hash"]
    assert 0 <= float(str(hashed.attributes["limen.hash.queued_ms"])) < 60_000
    works = [span for span in inside if span.name.startswith("work ")]
    assert len(works) >= 2
    assert max(int(str(work.attributes["limen.work.statements"])) for work in works) >= 2
    assert "GET /account" in {span.name for span in found if span.kind == "server"}
    for personal in (ADA, "ada@", PASSWORD, "acc_", "jny_", "ses_", "lmn_", "identifier="):
        assert personal not in raw, personal


async def test_the_trace_of_the_caller_goes_on_here(traced: Town, spans: Recorded) -> None:
    """`traceparent` of anybody gives trace and parent; one that is malformed, zero or there twice is as good as none."""
    assert await token(traced, traceparent=f"00-{TRACE}-{SPAN}-00") == 200
    (request,) = [span for span in spans.take() if span.kind == "server"]
    assert (request.trace, request.parent) == (TRACE, SPAN)
    for broken in (f"00-{TRACE}-{SPAN}", f"00-{'0' * 32}-{SPAN}-01", f"ff-{TRACE}-{SPAN}-01", f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01-more"):
        assert await token(traced, traceparent=broken) == 200
        (request,) = [span for span in spans.take() if span.kind == "server"]
        assert (request.trace == TRACE, request.parent) == (False, "")


async def test_what_nobody_has_and_what_breaks(traced: Town, spans: Recorded) -> None:
    """A path nobody has is one name for all, whatever was asked for; a method nobody knows is `_OTHER`."""
    await traced.browser().get(f"/nowhere/{ADA}?login_hint={ADA}")
    await traced.browser().send("ADA@EXAMPLE", "/signin")
    raw = spans.raw()
    names = [span.name for span in spans.take() if span.kind == "server"]
    assert names[0] == "GET /(none)"
    assert names[1].startswith("_OTHER ")
    assert "ada@" not in raw.lower()  # three letters may stand in a number


async def test_a_job_is_a_trace_of_its_own(traced: Town, spans: Recorded) -> None:
    """A code that is sent: a span of its job by kind, with the attempt, and its Works inside."""
    browser = traced.browser()
    await browser.submit(await browser.get("/signup"), {"identifier": "grace@example.com"})
    spans.take()
    await traced.code("grace@example.com")
    raw = spans.raw()
    found = spans.take()
    job = next(span for span in found if span.name == "job notices.mail")
    assert (job.kind, job.parent, job.failed) == ("consumer", "", False)
    assert job.attributes == {"limen.job.kind": "notices.mail", "limen.job.attempt": 1, "limen.tenant": "acme"}
    assert {span.name.partition(" ")[0] for span in parts(found, job)} == {"work"}
    assert "grace" not in json.dumps(raw)
