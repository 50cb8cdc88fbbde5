"""Questions over the API: an app of the operator's own shows them, and brings the answer of the person signed in."""

from __future__ import annotations

import pytest

from limen.modules.approvals.holder import HOLDER
from limen.modules.approvals.jobs import SWEEP, Sweep
from limen.platform.duties import Done
from limen.platform.outbox import enqueue
from tests.modules.oauth.conftest import BASE, Door
from tests.modules.oauth.test_ciba import address, ask, decide, error, name_of, poll
from tests.rig.asgi import Answer

pytestmark = pytest.mark.anyio

SCOPES = ("limen:approvals:read", "limen:approvals:write")


async def bearer(door: Door, scope: str = " ".join(SCOPES)) -> dict[str, str]:
    """Return what a service shows that may read and answer."""
    await door.change("svc", scopes=(*SCOPES, "limen:sessions:read"))
    answer = await door.token(auth="svc", grant_type="client_credentials", scope=scope)
    assert answer.status == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


async def send(door: Door, approval: str, session: str | None, decision: str = "approve", scope: str = " ".join(SCOPES)) -> Answer:
    """Bring an answer."""
    body = {"session": session, "decision": decision}
    return await door.calls.post(f"{BASE}/api/v1/approvals/{approval}", json=body, headers=await bearer(door, scope))


async def listed(door: Door, account: str) -> list[dict[str, object]]:
    """Return what the API tells of an account."""
    answer = await door.calls.get(f"{BASE}/api/v1/approvals?account={account}", headers=await bearer(door))
    assert answer.status == 200, answer.text
    return list(answer.json()["items"])


async def test_a_question_is_shown_and_answered(called: Door) -> None:
    """It is listed with all that its person has to see; her yes, from her session, gives the app its tokens."""
    person = await called.person()
    name = await name_of(called, acr_values="aal1 urn:of:nobody")
    (one,) = await listed(called, person.account)
    assert (one["client"], one["state"], one["message"], one["scopes"], one["acr_values"]) == ("shop", "pending", "W4SCT", ["openid"], ["aal1"])
    answer = await send(called, str(one["id"]), person.session)
    assert answer.status == 204, answer.text
    assert [one["state"] for one in await listed(called, person.account)] == ["approved"]
    assert (await poll(called, name)).status == 200
    again = await send(called, str(one["id"]), person.session)
    assert (again.status, again.json()["code"]) == (409, "approval_settled")


async def test_a_no_over_the_api(called: Door) -> None:
    """Likewise."""
    person = await called.person()
    name = await name_of(called)
    (one,) = await listed(called, person.account)
    assert (await send(called, str(one["id"]), person.session, "deny")).status == 204
    assert error(await poll(called, name)) == (400, "access_denied")


async def test_an_answer_comes_from_a_living_session_of_hers(called: Door) -> None:
    """Another person's session, one that is over, one too weak, and none: refused, and the question waits on."""
    person = await called.person(acr="lmn:email")
    name = await name_of(called, acr_values="aal1")
    (one,) = await listed(called, person.account)
    approval = str(one["id"])
    weak = await send(called, approval, person.session)
    assert (weak.status, weak.json()["code"]) == (403, "sign_in_too_weak")
    other = await called.person()
    strange = await send(called, approval, other.session)
    assert (strange.status, strange.json()["code"]) == (404, "no_such_approval")
    gone = await send(called, approval, "ses_0123456789abcdefghjkmnpqrs")
    assert (gone.status, gone.json()["code"]) == (404, "no_such_session")
    assert (await send(called, approval, person.session, "perhaps")).status == 400
    assert error(await poll(called, name)) == (400, "authorization_pending")


async def test_the_scopes_of_the_api(called: Door) -> None:
    """Reading is not answering; neither is given to apps in a person's name."""
    person = await called.person()
    await name_of(called)
    (one,) = await listed(called, person.account)
    assert (await send(called, str(one["id"]), person.session, scope="limen:approvals:read")).status == 403
    only = await bearer(called, "limen:approvals:write")
    assert (await called.calls.get(f"{BASE}/api/v1/approvals?account={person.account}", headers=only)).status == 403
    await called.change("shop", scopes=("openid", "limen:approvals:write"))
    assert error(await ask(called, scope="openid limen:approvals:write")) == (400, "invalid_scope")


async def test_what_is_held_about_a_person(called: Door) -> None:
    """The export has each question with its answer; forgotten, nothing is left of it, and what waits ends with it."""
    person = await called.person()
    name = await name_of(called)
    await decide(called, await name_of(called, "old"), "deny")
    async with called.world.read() as reader:
        page = await HOLDER.export(reader, person.account, None)
    assert [(one["app"], one["message"], one["answer"]) for one in page.records] == [("old", "W4SCT", "denied"), ("shop", "W4SCT", "pending")]
    assert page.after is None
    async with called.world.work() as work:
        assert await HOLDER.forget(work, person.account) == Done()
        assert await HOLDER.forget(work, person.account) == Done()
    assert await listed(called, person.account) == []
    assert (await decide(called, name, account=address(called))).status == 404
    assert error(await poll(called, name)) == (400, "authorization_pending")


async def test_old_questions_leave(called: Door) -> None:
    """A month after its time a question is gone."""
    person = await called.person()
    await name_of(called)
    for days, left in ((29, 1), (2, 0)):
        called.world.advance(days * 86_400)
        async with called.world.work() as work:
            await enqueue(work, SWEEP, Sweep())
        await called.runner.run_due()
        assert len(await listed(called, person.account)) == left
