"""What ends what: nobody inherits, and nothing that ended comes back (RFC 6749, 4.1.2 and 10; RFC 7009; RFC 9700, 4.14 and 4.15)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from limen.kernel.ids import ClientId
from limen.kernel.secrets import Secret
from limen.modules import accounts, clients, consents, keys, sessions
from limen.modules.clients import InvalidClient
from limen.modules.grants.holder import HOLDER
from limen.platform.duties import Done
from limen.platform.wire import jose
from tests.modules.oauth.conftest import API, BASE, BYE, SECRET, Door, answered, to_app
from tests.modules.oauth.test_refresh import beside

pytestmark = pytest.mark.anyio


async def dead(door: Door, body: dict[str, Any], client: str = "shop") -> bool:
    """Whether nothing of a token response opens anything any more."""
    signs = {
        (await door.userinfo(body["access_token"])).status == 401,
        not await door.active(body["access_token"]),
        not await door.active(body["refresh_token"]),
        (await door.refresh(body["refresh_token"], client)).status == 400,
    }
    assert len(signs) == 1
    return signs.pop()


@pytest.mark.parametrize("scope", ["openid offline_access", "openid offline_access open"], ids=["jwt", "opaque"])
async def test_a_refresh_token_given_back_takes_its_access_tokens_along(door: Door, scope: str) -> None:
    """RFC 7009, 2.1: those of every generation, and of this grant alone; another grant of the same person and app lives."""
    person = await door.person()
    first, other = await door.tokens(person, scope=scope), await door.tokens(person, scope=scope)
    second = (await door.refresh(first["refresh_token"])).json()
    assert (await door.call("/oauth/revoke", auth="shop", token=second["refresh_token"])).status == 200
    assert (await door.userinfo(first["access_token"])).status == 401
    assert await dead(door, second)
    assert not await dead(door, other)
    assert (await door.call("/oauth/revoke", auth="shop", token=second["refresh_token"])).status == 200


async def test_a_hint_at_the_kind_of_token_is_only_a_hint(door: Door) -> None:
    """RFC 7009, 2.1; RFC 7662, 2.1: right, wrong or unknown, the token is found."""
    for hint in ("access_token", "refresh_token", "saml2_assertion", ""):
        body = await door.tokens(await door.person())
        for token in (body["access_token"], body["refresh_token"]):
            assert (await door.call("/oauth/introspect", auth="shop", token=token, token_type_hint=hint)).json()["active"] is True
        for token in (body["access_token"], body["refresh_token"]):
            assert (await door.call("/oauth/revoke", auth="shop", token=token, token_type_hint=hint)).status == 200
        assert await dead(door, body)


async def test_codes_and_id_tokens_are_not_given_back(door: Door) -> None:
    """RFC 7009, 2.2: what is no token here answers 200 and stays what it was."""
    person = await door.person()
    code, body = await door.code(person), await door.tokens(person)
    for token in (code, body["id_token"]):
        assert (await door.call("/oauth/revoke", auth="shop", token=token)).status == 200
        assert (await door.call("/oauth/introspect", auth="shop", token=token)).json() == {"active": False}
    assert (await door.redeem(code)).status == 200


async def test_a_code_tried_by_another_client_ends_what_it_gave(door: Door) -> None:
    """RFC 9700, 4.5 and 2.1.1: whoever shows a used code is not its owner, or is not alone; unused, it is used up."""
    person = await door.person()
    code = await door.code(person)
    body = (await door.redeem(code)).json()
    assert (await door.redeem(code, "spa")).json()["error"] == "invalid_grant"
    assert await dead(door, body)
    fresh = await door.code(person)
    assert (await door.redeem(fresh, "spa")).json()["error"] == "invalid_grant"
    assert (await door.redeem(fresh)).json()["error"] == "invalid_grant"


async def test_two_processes_race_for_one_code(door: Door) -> None:
    """One of them gives tokens at most, and since the others were second uses those are dead."""
    person = await door.person()
    code = await door.code(person)
    async with beside(door) as other:
        answers = await asyncio.gather(*((door if number % 2 else other).redeem(code) for number in range(10)))
    good = [answer.json() for answer in answers if answer.status == 200]
    assert len(good) == 1
    assert await dead(door, good[0])


async def test_two_processes_race_to_use_and_to_give_back(door: Door) -> None:
    """Refreshing and revoking at once: however it ends, nothing of the grant lives afterwards."""
    person = await door.person()
    body = await door.tokens(person)
    async with beside(door) as other:
        used, gone = await asyncio.gather(door.refresh(body["refresh_token"]), other.call("/oauth/revoke", auth="shop", token=body["refresh_token"]))
    assert gone.status == 200
    assert await dead(door, body)
    if used.status == 200:
        assert await dead(door, used.json())


async def test_a_client_of_the_same_name_inherits_no_token(door: Door) -> None:
    """Deleted and made anew, at once: tokens of the first are no tokens of the second, a service's neither; the second's own are."""
    person = await door.person()
    form = {"grant_type": "client_credentials", "scope": "read"}
    theirs, service = await door.tokens(person), (await door.token(auth="svc", **form)).json()["access_token"]
    door.world.advance(30)
    for name in ("shop", "svc"):
        async with door.world.work() as work:
            before = await clients.take(work, ClientId(name))
            await clients.drop(work, before.id)
        async with door.world.work() as work:
            await clients.save(work, clients.with_secret(before, Secret(SECRET), work.now), dev=True)
    assert not await door.active(service, "svc")
    assert not await door.active(theirs["access_token"])
    assert (await door.userinfo(theirs["access_token"])).status == 401
    mine = (await door.token(auth="svc", **form)).json()["access_token"]
    assert await door.active(mine, "svc")
    await door.runner.run_due()
    assert await dead(door, theirs)


async def test_no_client_has_the_name_of_a_person(door: Door) -> None:
    """RFC 9700, 4.15; RFC 9068, 5: `sub` of a service's token is its client_id, and must not read as somebody's account."""
    person = await door.person()
    await door.change("svc", scopes=("read", "limen:clients:write"))
    token = (await door.token(auth="svc", grant_type="client_credentials", scope="limen:clients:write")).json()["access_token"]
    for name in (person.account, str(person.session)):
        body = {"client_id": name, "kind": "service", "scope": "read"}
        refused = await door.calls.post("/api/v1/clients", json=body, headers={"authorization": f"Bearer {token}"})
        assert (refused.status, refused.json()["code"]) == (400, "invalid_client_metadata")
        with pytest.raises(InvalidClient, match="looks like the id of a person"):
            async with door.world.work() as work:
                held = await clients.take(work, ClientId("svc"))
                await clients.save(work, clients.Client(id=ClientId(name), kind=held.kind, secrets=held.secrets))
    made = await door.calls.post("/api/v1/clients", json={"kind": "service", "scope": "read"}, headers={"authorization": f"Bearer {token}"})
    assert (made.status, made.json()["client_id"][:4]) == (201, "cli_")


async def test_who_is_forgotten_is_unknown_at_the_door(door: Door) -> None:
    """Her grants went, with their keys: refresh tokens give nothing, introspection and revocation find nothing, and no answer breaks."""
    person = await door.person()
    body = await door.tokens(person)
    async with door.world.work() as work:
        assert await HOLDER.forget(work, person.account) == Done()
        await keys.forget_subject(work, person.account)
    refused = await door.refresh(body["refresh_token"])
    assert (refused.status, refused.json()["error"]) == (400, "invalid_grant")
    assert not await door.active(body["refresh_token"])
    assert (await door.call("/oauth/revoke", auth="shop", token=body["refresh_token"])).status == 200


@pytest.mark.parametrize("how", ["suspended", "closed"])
async def test_an_account_that_may_not_be_used_has_nothing_that_works(door: Door, how: str) -> None:
    """Cookie, code, tokens of both kinds: all of it in the same moment; resumed, the person signs in anew and old tokens stay dead."""
    person = await door.person()
    body, code = await door.tokens(person), await door.code(person)
    opaque = await door.tokens(person, scope="openid offline_access open")
    async with door.world.work() as work:
        await (accounts.suspend if how == "suspended" else accounts.close)(work, person.account, "abuse")
    assert await dead(door, body)
    assert await dead(door, opaque)
    assert (await door.redeem(code)).json()["error"] == "invalid_grant"
    assert answered(await door.ask(person.browser, prompt="none"))["error"] == "login_required"
    if how == "suspended":
        async with door.world.work() as work:
            await accounts.resume(work, person.account, "checked")
        assert await dead(door, body)
        assert answered(await door.ask(person.browser, prompt="none"))["error"] == "login_required"


async def test_a_part_of_a_consent_taken_back_narrows_the_grant(door: Door) -> None:
    """One scope of several: the tokens that had it have it no more, and the person is asked again; another app's stay."""
    person = await door.person()
    shop, spa = await door.tokens(person, scope="openid email offline_access"), await door.tokens(person, "spa")
    async with door.world.work() as work:
        await consents.withdraw(work, person.account, ClientId("shop"), ("email",))
    assert "email" not in (await door.userinfo(shop["access_token"])).json()
    assert (await door.refresh(shop["refresh_token"])).json()["scope"] == "openid offline_access"
    assert (await door.userinfo(spa["access_token"])).status == 200
    assert answered(await door.ask(person.browser, prompt="none", scope="openid email"))["error"] == "consent_required"
    assert "code" in answered(await door.ask(person.browser, prompt="none", scope="openid"))


async def test_a_client_that_lost_a_scope_or_a_grant_gets_no_more_of_it(door: Door) -> None:
    """A refresh is judged by what the client may now; narrowed to what is left it goes on."""
    person = await door.person()
    token = (await door.tokens(person, scope="openid offline_access read"))["refresh_token"]
    shop = await _client(door)
    await door.change("shop", scopes=tuple(scope for scope in shop.scopes if scope != "read"))
    assert (await door.refresh(token)).json()["error"] == "invalid_scope"
    left = (await door.refresh(token, scope="openid")).json()
    assert left["scope"] == "openid"
    await door.change("shop", grants=(clients.GrantType.AUTHORIZATION_CODE,))
    assert (await door.refresh(left["refresh_token"])).json()["error"] == "unauthorized_client"


async def _client(door: Door) -> clients.Client:
    async with door.world.read() as reader:
        found = await clients.find(reader, ClientId("shop"))
    assert found
    return found


async def test_narrowing_by_refresh_narrows_the_audience_too(door: Door) -> None:
    """RFC 6749, 6; RFC 9068, 3: a token with fewer scopes is for fewer, and the next one may have all of the grant again."""
    person = await door.person()
    body = await door.tokens(person, scope="openid offline_access email read")
    assert jose.peek(body["access_token"]).claims["aud"] == [API, BASE]
    api = (await door.refresh(body["refresh_token"], scope="read")).json()
    assert jose.peek(api["access_token"]).claims["aud"] == API
    assert (await door.userinfo(api["access_token"])).status == 403
    us = (await door.refresh(api["refresh_token"], scope="openid")).json()
    assert jose.peek(us["access_token"]).claims["aud"] == BASE
    assert (await door.userinfo(us["access_token"])).json() == {"sub": person.account}
    assert (await door.refresh(us["refresh_token"], scope="openid profile")).json()["error"] == "invalid_scope"
    assert (await door.refresh(us["refresh_token"])).json()["scope"] == body["scope"]


async def test_signing_out_at_one_app_leaves_offline_access_of_all(door: Door) -> None:
    """Back-Channel Logout 1.0, 2.7: through the logout endpoint too; a session revoked ends both kinds."""
    person = await door.person()
    bound, free = await door.tokens(person, scope="openid read"), await door.tokens(person)
    left = await door.browser().get("/oauth/logout", follow=False)
    assert left.status == 303
    page = await to_app(
        person.browser, await person.browser.get(f"/oauth/logout?id_token_hint={bound['id_token']}&post_logout_redirect_uri={BYE}", follow=False)
    )
    assert page.location == BYE
    assert await dead(door, bound)
    assert not await dead(door, free)
    other = await door.person()
    both = await door.tokens(other)
    assert other.session
    async with door.world.work() as work:
        await sessions.end(work, other.session, sessions.EndReason.REVOKED)
    assert await dead(door, both)
