"""`/api/v1/outbox/dead`, with real tokens."""

from __future__ import annotations

import pytest

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import JobId, TenantId
from limen.platform import outbox
from limen.platform.duties import Settings
from limen.platform.outbox import JobState, Runner
from tests.modules.oauth.conftest import ACME, BASE, RIVAL, Door, door
from tests.platform.outbox.test_queue import FATAL, QUIET, Word
from tests.rig.asgi import Answer

__all__ = ["door"]
pytestmark = pytest.mark.anyio

READ, WRITE = "limen:outbox:read", "limen:outbox:write"
CANARY = "a word that only the job may know"


async def bearer(door: Door, scope: str, base: str = BASE) -> dict[str, str]:
    """Return the head of somebody whose token has that scope."""
    answer = await door.token(auth="svc", base=base, grant_type="client_credentials", scope=scope)
    assert answer.status == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


async def died(door: Door, tenant: TenantId = ACME) -> JobId:
    """Make a dead letter."""
    async with door.world.db.work(tenant, SYSTEM) as work:
        job = await outbox.enqueue(work, FATAL, Word(CANARY))
    await Runner(door.world.db, Settings([]), [FATAL]).run_due()
    return job


@pytest.fixture
async def office(door: Door) -> Door:
    """Both tenants have a client that may read and write the outbox."""
    for tenant in (ACME, TenantId("rival")):
        await door.change("svc", tenant=tenant, scopes=(READ, WRITE, "limen:audit:read"))
    return door


async def ask(door: Door, method: str, path: str, head: dict[str, str], base: str = BASE) -> Answer:
    """Call the API."""
    return await door.calls.send(method, f"{base}/api/v1/outbox/dead{path}", b"", head)


async def test_a_tenants_dead_letters_page_by_page(office: Door) -> None:
    """Oldest first, by kind, with tries, error and what to do; no payload; another tenant's are not there."""
    jobs = [await died(office) for _ in range(3)]
    theirs = await died(office, TenantId("rival"))
    async with office.world.work() as work:
        await outbox.enqueue(work, QUIET, Word(CANARY))
    head = await bearer(office, READ)
    first = await ask(office, "GET", "?limit=2", head)
    page = first.json()
    rest = (await ask(office, "GET", f"?limit=2&after={page['after']}", head)).json()
    assert [one["id"] for one in page["items"] + rest["items"]] == sorted(jobs)
    assert rest["after"] is None
    one = page["items"][0]
    assert (one["kind"], one["attempts"], one["error"]) == ("test.fatal", 1, "no_such_thing")
    assert one["ordered"] <= one["first_tried"] <= one["last_tried"] < one["until"]
    assert "mend" in one["next_step"]
    assert CANARY not in first.text
    assert "payload" not in first.text
    assert (await ask(office, "GET", "?kind=notices.", head)).json() == {"items": [], "after": None}
    assert len((await ask(office, "GET", "?kind=test.f", head)).json()["items"]) == 3
    other = await bearer(office, READ, RIVAL)
    assert [one["id"] for one in (await ask(office, "GET", "", other, RIVAL)).json()["items"]] == [theirs]


async def test_one_is_sent_again_and_one_dropped(office: Door) -> None:
    """Each with its fact in the client's name; a second time, and for a job that only waits, there is no such dead letter."""
    again, gone = await died(office), await died(office)
    head = await bearer(office, f"{READ} {WRITE}")
    assert (await ask(office, "POST", f"/{again}/retry", head)).status == 204
    assert (await ask(office, "DELETE", f"/{gone}", head)).status == 204
    found = await outbox.find(office.world.db, again)
    assert found is not None
    assert (found.state, found.attempts) == (JobState.WAITING, 0)
    assert await outbox.find(office.world.db, gone) is None
    for method, path in (("POST", f"/{again}/retry"), ("DELETE", f"/{again}"), ("DELETE", f"/{gone}"), ("POST", "/job_nothing/retry")):
        answer = await ask(office, method, path, head)
        assert (answer.status, answer.json()["code"]) == (404, "no_such_dead_letter"), (method, path)
    facts = await office.facts("outbox.job_")
    assert {(fact.name, fact.tenant, fact.data["job"]) for fact in facts if fact.name != "outbox.job_died"} == {
        ("outbox.job_replayed", "acme", again),
        ("outbox.job_dropped", "acme", gone),
    }


async def test_who_may(office: Door) -> None:
    """Reading is no writing, the log's scope is neither, nobody comes without a token, and another tenant's job is none of this one's."""
    job = await died(office)
    reader, auditor = await bearer(office, READ), await bearer(office, "limen:audit:read")
    assert (await ask(office, "GET", "", {})).status == 401
    assert (await ask(office, "GET", "", auditor)).status == 403
    for head in (reader, auditor):
        assert (await ask(office, "POST", f"/{job}/retry", head)).status == 403
        assert (await ask(office, "DELETE", f"/{job}", head)).status == 403
    stranger = await bearer(office, f"{READ} {WRITE}", RIVAL)
    assert (await ask(office, "DELETE", f"/{job}", stranger, RIVAL)).status == 404
    assert (await ask(office, "DELETE", f"/{job}", stranger)).status == 401
    assert await outbox.count_dead(office.world.db) == 1
