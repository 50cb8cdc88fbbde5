"""Authorization codes at the token endpoint (RFC 6749, 4.1.3; RFC 7636; RFC 9700, 2.1.1 and 4.5)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from limen.kernel.ids import ClientId
from limen.modules import consents, sessions
from limen.modules.oauth import pkce
from limen.platform.wire import jose
from tests.modules.oauth.conftest import BASE, CALLBACK, CHALLENGE, RIVAL, VERIFIER, Door, answered

pytestmark = pytest.mark.anyio


def test_pkce_answers_the_vector_of_its_specification() -> None:
    """RFC 7636, appendix B."""
    assert pkce.challenge_of(VERIFIER) == CHALLENGE
    assert pkce.proves(VERIFIER, CHALLENGE)
    assert not pkce.proves(VERIFIER[:-1] + "x", CHALLENGE)
    assert not pkce.proves(CHALLENGE, CHALLENGE)


@pytest.mark.parametrize("verifier", ["", "short", "x" * 42, "x" * 129, "x" * 42 + "\u00e9", "x" * 42 + " ", "x" * 42 + "+"])
def test_a_verifier_out_of_shape_proves_nothing(verifier: str) -> None:
    """RFC 7636, section 4.1: 43 to 128 unreserved characters."""
    assert not pkce.is_verifier(verifier)
    assert not pkce.proves(verifier, CHALLENGE)


async def test_a_code_becomes_tokens(door: Door) -> None:
    """The answer has an access token, a refresh token, an ID token and the scopes; the browser went back with state and iss."""
    person = await door.person()
    back = await door.ask(person.browser)
    assert back.location.startswith(f"{CALLBACK}&")
    found = answered(back)
    assert found["state"] == "st&te=1 %\u00e9"
    assert found["iss"] == BASE
    assert found["from"] == "limen"
    answer = await door.redeem(found["code"])
    assert answer.status == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 600
    assert body["scope"] == "openid offline_access"
    assert body["refresh_token"].startswith("lmn_rt_")
    claims = jose.peek(body["id_token"]).claims
    assert claims["iss"] == BASE
    assert claims["sub"] == person.account
    assert claims["aud"] == "shop"
    assert claims["nonce"] == "n-0S6_WzA2Mj"
    assert claims["sid"] == person.session
    assert claims["acr"] == "aal1"
    assert claims["amr"] == ["pwd"]
    assert {"exp", "iat", "auth_time"} <= claims.keys()
    access = jose.peek(body["access_token"])
    assert access.header.typ == "at+jwt"
    assert access.claims["aud"] == BASE
    assert access.claims["client_id"] == "shop"
    assert access.claims["sub"] == person.account
    assert access.claims["scope"] == "openid offline_access"
    issued = (await door.facts("oauth.token_issued"))[0]
    assert issued.subject == person.account
    assert issued.data["token"] == access.claims["jti"]


async def test_a_code_used_twice_ends_what_it_gave(door: Door) -> None:
    """RFC 6749, 4.1.2: the second use is refused, and every token of the first is dead."""
    person = await door.person()
    code = await door.code(person)
    body = (await door.redeem(code)).json()
    assert await door.active(body["access_token"])
    again = await door.redeem(code)
    assert again.status == 400
    assert again.json()["error"] == "invalid_grant"
    assert not await door.active(body["access_token"])
    assert not await door.active(body["refresh_token"])
    assert (await door.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
    assert len(await door.facts("oauth.code_replayed")) == 1
    assert [fact.data["reason"] for fact in await door.facts("grants.grant_ended")] == ["code_replayed"]


async def test_a_code_is_burned_by_a_wrong_try(door: Door) -> None:
    """It is consumed before it is compared: a thief's try leaves nothing, and the right answer afterwards is a second use."""
    person = await door.person()
    tries: list[dict[str, Any]] = [
        {"code_verifier": "x" * 43},
        {"code_verifier": None},
        {"redirect_uri": "https://shop.example/other"},
        {"redirect_uri": None},
        {"redirect_uri": ""},
    ]
    for wrong in tries:
        code = await door.code(person)
        answer = await door.redeem(code, **wrong)
        assert (answer.status, answer.json()["error"]) == (400, "invalid_grant"), wrong
        assert (await door.redeem(code)).json()["error"] == "invalid_grant"
    assert await door.facts("grants.grant_made") == []


async def test_a_code_of_one_client_is_nothing_to_another(door: Door) -> None:
    """RFC 6749, 4.1.3: the code was issued to the authenticated client."""
    person = await door.person()
    code = await door.code(person)
    answer = await door.redeem(code, "spa", redirect_uri=CALLBACK)
    assert answer.json()["error"] == "invalid_grant"
    assert await door.facts("grants.grant_made") == []


async def test_a_code_lives_a_minute(door: Door) -> None:
    """Sixty seconds, then it gives nothing."""
    person = await door.person()
    early, late = await door.code(person), await door.code(person)
    door.world.advance(59)
    assert (await door.redeem(early)).status == 200
    door.world.advance(1.5)
    assert (await door.redeem(late)).json()["error"] == "invalid_grant"


async def test_a_code_dies_with_its_session_and_its_consent(door: Door) -> None:
    """What ended between the code and its use gives nothing."""
    person = await door.person()
    code = await door.code(person)
    async with door.world.work() as work:
        await consents.withdraw(work, person.account, ClientId("shop"))
    assert (await door.redeem(code)).json()["error"] == "invalid_grant"
    other = await door.person()
    code = await door.code(other)
    assert other.session
    async with door.world.work() as work:
        await sessions.end(work, other.session, sessions.EndReason.SIGNED_OUT)
    assert (await door.redeem(code)).json()["error"] == "invalid_grant"


async def test_without_a_challenge_a_verifier_is_refused(door: Door) -> None:
    """RFC 9700, 2.1.1: a stripped challenge must not pass unseen (PKCE downgrade)."""
    person = await door.person()
    changes: dict[str, Any] = {"code_challenge": None, "code_challenge_method": None, "scope": "openid read"}
    body = await door.redeem(await door.code(person, "old", **changes), "old")
    assert body.json()["error"] == "invalid_grant"
    plain = await door.redeem(await door.code(person, "old", **changes), "old", code_verifier=None)
    assert plain.status == 200
    assert "refresh_token" not in plain.json()


async def test_a_code_of_one_tenant_is_nothing_in_another(door: Door) -> None:
    """The rival has a client of the same name and secret; the code is unknown there."""
    person = await door.person()
    code = await door.code(person)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    assert (await door.token(auth="shop", base=RIVAL, **form)).json()["error"] == "invalid_grant"
    assert (await door.token(auth="shop", **form)).status == 200


async def test_one_of_many_at_once_gets_the_tokens(door: Door) -> None:
    """Sixteen requests with one code: one answer with tokens at most, and those end, since the others were second uses."""
    person = await door.person()
    code = await door.code(person)
    answers = await asyncio.gather(*(door.redeem(code) for _ in range(16)))
    good = [answer for answer in answers if answer.status == 200]
    assert len(good) == 1
    assert not await door.active(good[0].json()["access_token"])
