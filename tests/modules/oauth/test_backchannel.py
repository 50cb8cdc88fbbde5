"""Back-Channel Logout 1.0: the apps of a session hear of its end, at least once, and nobody else does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from limen.kernel.ids import ClientId
from limen.modules import accounts, consents, keys, sessions
from limen.modules.clients import SubjectType
from limen.modules.oauth import backchannel
from limen.modules.oauth.id_token import read_hint
from limen.modules.sessions import EndReason
from limen.platform.outbox import JobState, enqueue, list_jobs
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg
from tests.modules.oauth.conftest import BASE, Door, Person
from tests.rig.ear import Ear, listening

pytestmark = pytest.mark.anyio

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
async def ear(door: Door) -> AsyncIterator[Ear]:
    """An app's server at which the shop and the page listen, each at its own path."""
    async with listening() as opened:
        for client in ("shop", "spa"):
            await door.change(client, backchannel_logout_uri=opened.uri(f"/{client}"))
        yield opened


async def told(door: Door, ear: Ear) -> list[dict[str, Any]]:
    """Run what is due; return the claims of every logout token that came by then, each checked with the published keys."""
    await door.runner.run_due()
    async with door.world.db.read(door.world.tenant) as reader:
        known = await keys.public_keys(reader)
    return [dict(jose.verify_jwt(form["logout_token"], known, typ=("logout+jwt",)).claims) for form in ear.forms]


async def end(door: Door, person: Person, reason: EndReason = EndReason.SIGNED_OUT) -> None:
    """End somebody's session."""
    assert person.session is not None
    async with door.world.work() as work:
        await sessions.end(work, person.session, reason)


async def test_every_app_of_the_session_is_told(door: Door, ear: Ear) -> None:
    """Sections 2.4 and 2.5: a POST of one logout token, for this app, of this session, short-lived, with the event and without a nonce."""
    person = await door.person()
    for client in ("shop", "spa"):
        await door.tokens(person, client)
    await end(door, person)
    heard = sorted(await told(door, ear), key=lambda claims: claims["aud"])
    assert [claims["aud"] for claims in heard] == ["shop", "spa"]
    assert sorted(ear.lines) == ["POST /shop HTTP/1.1", "POST /spa HTTP/1.1"]
    for claims in heard:
        assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "jti", "events", "sid"}
        assert (claims["iss"], claims["sub"], claims["sid"]) == (BASE, person.account, person.session)
        assert claims["exp"] - claims["iat"] == 120
        assert claims["events"] == {EVENT: {}}
    assert len({claims["jti"] for claims in heard}) == 2
    facts = await door.facts("oauth.app_told")
    assert {(fact.subject, fact.data["client"], fact.data["session"], fact.data["accepted"]) for fact in facts} == {
        (person.account, client, person.session, True) for client in ("shop", "spa")
    }


async def test_nobody_else_is_told(door: Door, ear: Ear) -> None:
    """Not the app of another session of hers, not an app she never opened, not one that registered no address; and no job waits for nothing."""
    here, there = await door.person(), await door.person()
    await door.tokens(here, "shop")
    await door.tokens(here, "old", scope="openid")
    await door.tokens(there, "spa")
    await end(door, here)
    assert [claims["aud"] for claims in await told(door, ear)] == ["shop"]
    silent = await door.person()
    await door.tokens(silent, "old", scope="openid")
    await end(door, silent)
    assert not [job for job in await list_jobs(door.world.db) if job.kind.startswith(("oauth.find", "oauth.tell"))]


async def test_an_app_that_is_away_is_told_again_by_the_same_name(door: Door, ear: Ear) -> None:
    """At least once: 500, then 200. `jti` stays, so that who heard it after all knows the repeat; the token itself is fresh."""
    person = await door.person()
    await door.tokens(person)
    await end(door, person)
    ear.says(500)
    (first,) = await told(door, ear)
    assert await door.facts("oauth.app_told") == []
    door.world.advance(180)
    again, repeat = await told(door, ear)
    assert again == first
    assert repeat["jti"] == first["jti"]
    assert repeat["iat"] >= first["exp"]
    door.world.advance(3_600)
    assert len(await told(door, ear)) == 2
    assert len(await door.facts("oauth.app_told")) == 1


async def test_an_end_that_is_found_twice_is_told_once(door: Door, ear: Ear) -> None:
    """The job that finds the apps may run again after a crash: it orders nothing twice."""
    person = await door.person()
    await door.tokens(person)
    await end(door, person)
    await told(door, ear)
    assert person.session is not None
    async with door.world.work() as work:
        await enqueue(work, backchannel.FIND, backchannel.OfSession(account=person.account, session=person.session))
    assert len(await told(door, ear)) == 1


@pytest.mark.parametrize(("status", "accepted"), [(200, True), (204, True), (400, False)])
async def test_what_an_app_answers(door: Door, ear: Ear, status: int, accepted: bool) -> None:  # noqa: FBT001
    """Section 2.8: 200 is done, and so is 204; 400 says that it heard and could not, which saying it again does not change."""
    person = await door.person()
    await door.tokens(person)
    await end(door, person)
    ear.says(status, body=b"" if accepted else b'{"error":"invalid_request"}')
    await told(door, ear)
    door.world.advance(3_600)
    assert len(await told(door, ear)) == 1
    (fact,) = await door.facts("oauth.app_told")
    assert fact.data["accepted"] is accepted


async def test_a_redirect_is_not_followed(door: Door, ear: Ear) -> None:
    """The token goes to the registered address and nowhere else."""
    person = await door.person()
    await door.tokens(person)
    await end(door, person)
    ear.says(307, extra=f"Location: {ear.uri('/elsewhere')}\r\n")
    await told(door, ear)
    assert ear.lines == ["POST /shop HTTP/1.1"]
    assert await door.facts("oauth.app_told") == []


async def test_grants_that_outlive_the_session_do_and_their_app_is_told(door: Door, ear: Ear) -> None:
    """Section 2.7: `offline_access` goes on after a sign-out; when that ends too, the app is told again."""
    person = await door.person()
    body = await door.tokens(person, scope="openid offline_access")
    await end(door, person)
    (first,) = await told(door, ear)
    refreshed = await door.refresh(body["refresh_token"])
    assert refreshed.status == 200
    async with door.world.work() as work:
        await accounts.suspend(work, person.account, "test")
    assert (await door.refresh(refreshed.json()["refresh_token"])).status == 400
    _, second = await told(door, ear)
    assert (second["sid"], second["aud"]) == (first["sid"], "shop")
    assert second["jti"] != first["jti"]


async def test_suspension_tells_all_apps_of_all_sessions_once(door: Door, ear: Ear) -> None:
    """Whatever was granted, to outlive its session or not, and however many sessions there are."""
    person = await door.person()
    sids = {person.session}
    await door.tokens(person, "shop", scope="openid offline_access")
    await door.tokens(person, "spa", scope="openid")
    await door.sign_in(person)
    sids.add(person.session)
    await door.tokens(person, "shop", scope="openid")
    async with door.world.work() as work:
        await accounts.suspend(work, person.account, "test")
    heard = await told(door, ear)
    assert len(heard) == 3
    assert {claims["sid"] for claims in heard} == sids


async def test_a_person_with_very_many_sessions(door: Door, ear: Ear) -> None:
    """150 sessions end a hundred at a time, each transaction watched, and every app of every one is told."""
    person = await door.person()
    sids = set()
    for _ in range(150):
        await door.sign_in(person)
        sids.add(person.session)
        await door.tokens(person, "spa", scope="openid")
    async with door.world.work() as work:
        await sessions.end_all(work, person.account, EndReason.NOT_ME)
    heard = await told(door, ear)
    for _ in range(10):  # on a machine under load an answer may come too late, and then it is told again
        if len(await door.facts("oauth.app_told")) == 150:
            break
        door.world.advance(3_600)
        heard = await told(door, ear)
    assert len({claims["jti"] for claims in heard}) == 150
    assert {claims["sid"] for claims in heard} == sids


async def test_a_consent_withdrawn_is_told_without_a_session(door: Door, ear: Ear) -> None:
    """Section 2.4: `sub` alone, all of the person's sessions at that app; the others go on and hear nothing."""
    person = await door.person()
    await door.tokens(person, "shop")
    await door.tokens(person, "shop")
    await door.tokens(person, "spa")
    async with door.world.work() as work:
        await consents.withdraw(work, person.account, ClientId("shop"))
    (heard,) = await told(door, ear)
    assert (heard["aud"], heard["sub"]) == ("shop", person.account)
    assert "sid" not in heard


async def test_an_app_that_insists_on_sessions_gets_each(door: Door, ear: Ear) -> None:
    """`backchannel_logout_session_required`: a token for each session it had of the person."""
    await door.change("shop", backchannel_logout_session_required=True)
    person = await door.person()
    sids = {person.session}
    await door.tokens(person)
    await door.sign_in(person)
    sids.add(person.session)
    await door.tokens(person)
    await door.tokens(person)
    async with door.world.work() as work:
        await consents.withdraw(work, person.account, ClientId("shop"))
    heard = await told(door, ear)
    assert len(heard) == 2
    assert {claims["sid"] for claims in heard} == sids


async def test_an_app_that_gave_its_token_back_hears_of_the_end_all_the_same(door: Door, ear: Ear) -> None:
    """Revoking is its own doing, of which nobody tells it; its own session of the person may go on, so that the end concerns it."""
    person = await door.person()
    body = await door.tokens(person)
    await door.call("/oauth/revoke", auth="shop", token=body["refresh_token"])
    assert await told(door, ear) == []
    await end(door, person)
    assert len(await told(door, ear)) == 1


async def test_the_subject_and_the_algorithm_are_those_of_the_id_token(door: Door, ear: Ear) -> None:
    """Section 2.4: a pairwise client knows nobody by another name, and its keys check the token."""
    await door.set("keys", algorithms=["ES256", "RS256"])
    await door.change("shop", subject_type=SubjectType.PAIRWISE, id_token_signed_response_alg=Alg.RS256)
    person = await door.person()
    hint = (await door.tokens(person))["id_token"]
    await end(door, person)
    (heard,) = await told(door, ear)
    assert heard["sub"] == jose.peek(hint).claims["sub"] != person.account
    token = ear.forms[0]["logout_token"]
    assert jose.peek(token).header.alg == "RS256"
    async with door.world.db.read(door.world.tenant) as reader:
        assert await read_hint(reader, BASE, token) is None


@pytest.mark.parametrize("address", ["https://10.0.0.1/logout", "https://169.254.169.254/latest", "https://[fd00::1]/logout"])
async def test_an_address_inside_is_not_gone_to(door: Door, address: str) -> None:
    """SSRF: private networks are refused even in dev mode; nothing is tried again, the operator sees a dead letter."""
    await door.change("shop", backchannel_logout_uri=address)
    person = await door.person()
    await door.tokens(person)
    await end(door, person)
    await door.runner.run_due()
    (dead,) = [job for job in await list_jobs(door.world.db) if job.kind == "oauth.tell_app"]
    assert (dead.state, dead.last_error) == (JobState.DEAD, "address_refused")


async def test_an_app_that_left_meanwhile_is_not_looked_for(door: Door, ear: Ear) -> None:
    """Its address was taken away after the job was ordered."""
    person = await door.person()
    await door.tokens(person)
    ear.says(503)
    await end(door, person)
    await told(door, ear)
    await door.change("shop", backchannel_logout_uri=None)
    door.world.advance(60)
    assert len(await told(door, ear)) == 1
    assert [job for job in await list_jobs(door.world.db) if job.kind == "oauth.tell_app"] == []


async def test_metadata_says_so(door: Door) -> None:
    """Section 2.1."""
    document = (await door.calls.get("/.well-known/openid-configuration")).json()
    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True


async def test_a_scope_taken_back_is_told(door: Door, ear: Ear) -> None:
    """The app's own session ends, so that it asks anew and learns what it still has; its grant stands."""
    person = await door.person()
    body = await door.tokens(person, scope="openid email read")
    async with door.world.work() as work:
        await consents.withdraw(work, person.account, ClientId("shop"), ("read",))
    (said,) = await told(door, ear)
    assert (said["aud"], said["sid"], said["sub"]) == ("shop", person.session, person.account)
    assert await door.active(body["access_token"])
