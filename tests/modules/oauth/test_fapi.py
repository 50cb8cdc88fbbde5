"""FAPI 2.0, chosen for a client: everything the Security Profile and Message Signing require is enforced, whatever else was registered."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest

from limen.modules.clients import AuthMethod, GrantType, InvalidClient, Profile, RefreshRotation
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, DecryptionKey, KeyAlg, SigningKey
from tests.modules.oauth.conftest import BASE, Door, Person, answered, asked
from tests.modules.oauth.test_pushed import KEY, assertion, change, jwks, redeeming, request_object
from tests.rig.prover import Prover

pytestmark = pytest.mark.anyio

TOKEN = f"{BASE}/oauth/token"


@pytest.fixture
async def bank(door: Door) -> Door:
    """The shop is a client of the profile: it signs its assertions and proves possession of a key."""
    await change(
        door,
        "shop",
        auth_method=AuthMethod.PRIVATE_KEY_JWT,
        jwks=jwks(KEY),
        grants=(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN),
        dpop_bound_access_tokens=True,
        profile=Profile.FAPI2,
    )
    return door


async def push(door: Door, auth: dict[str, str] | None = None, **changes: Any) -> Any:
    """Push a request."""
    return await door.calls.post("/oauth/par", form={**asked("shop", **changes), **(assertion(door) if auth is None else auth)})


async def code_of(door: Door, person: Person, **changes: Any) -> str:
    """Return a code for a pushed request."""
    pushed = await push(door, **changes)
    assert pushed.status == 201, pushed.text
    query = {"client_id": "shop", "request_uri": pushed.json()["request_uri"]}
    return answered(await person.browser.get(f"/oauth/authorize?{urlencode(query)}", follow=False))["code"]


async def token(door: Door, prover: Prover | None, form: dict[str, str]) -> Any:
    """Call the token endpoint, with a proof."""
    headers = {"dpop": prover.proof("POST", TOKEN)} if prover else {}
    return await door.calls.post("/oauth/token", form={**form, **assertion(door)}, headers=headers)


async def test_the_whole_way_of_the_profile(bank: Door) -> None:
    """Pushed, proved by a key, bound to a key; a refresh gives the same refresh token back (section 5.3.2.1)."""
    person, prover = await bank.person(), Prover(clock=bank.world.clock)
    body = (await token(bank, prover, redeeming(await code_of(bank, person)))).json()
    assert body["token_type"] == "DPoP"
    again: Any = None
    for _ in range(3):
        again = await token(bank, prover, {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]})
        assert (again.status, again.json()["refresh_token"]) == (200, body["refresh_token"])
    headers = {"authorization": f"DPoP {again.json()['access_token']}", "dpop": prover.proof("GET", f"{BASE}/oauth/userinfo", again.json()["access_token"])}
    assert (await bank.calls.get("/oauth/userinfo", headers=headers)).status == 200


async def test_nothing_less_goes(bank: Door) -> None:
    """Not pushed, without PKCE, without redirect_uri, without a proof, by another response type, with a weak algorithm."""
    person = await bank.person()
    assert answered(await bank.ask(person.browser))["error"] == "invalid_request"
    for changes in (
        {"code_challenge": None, "code_challenge_method": None},
        {"redirect_uri": None},
        {"response_type": "code id_token"},
        {"response_mode": "web"},
    ):
        assert (await push(bank, **changes)).status == 400, changes
    refused = await token(bank, None, redeeming(await code_of(bank, person)))
    assert (refused.status, refused.json()["error"]) == (400, "invalid_dpop_proof")
    weak = SigningKey.generate(Alg.RS256)
    await change(bank, "shop", jwks=jwks(KEY, weak))
    assert (await push(bank, auth=assertion(bank, weak))).status == 401
    assert (await push(bank, auth=assertion(bank, aud=TOKEN))).status == 401
    assert (await push(bank, auth={"client_secret": "x"})).status == 401
    rsa = Prover(Alg.RS256, clock=bank.world.clock)
    assert (await token(bank, rsa, redeeming(await code_of(bank, person)))).status == 400


async def test_a_code_lives_a_minute_and_is_used_once(bank: Door) -> None:
    """Section 5.3.2.1: 60 seconds at most; a second use is refused."""
    person, prover = await bank.person(), Prover(clock=bank.world.clock)
    code = await code_of(bank, person)
    assert (await token(bank, prover, redeeming(code))).status == 200
    assert (await token(bank, prover, redeeming(code))).json()["error"] == "invalid_grant"
    late = await code_of(bank, person)
    bank.world.advance(61)
    assert (await token(bank, prover, redeeming(late))).json()["error"] == "invalid_grant"


async def test_a_tenant_that_lets_things_live_longer_does_not_for_the_profile(bank: Door) -> None:
    """Sections 5.3.2.1 (11) and 5.3.2.2 (12): a code of 60 seconds, a pushed request of less than 600, whatever holds for other clients."""
    await bank.set("grants", code="PT10M")
    await bank.set("oauth", pushed_request="PT10M")
    person, prover = await bank.person(), Prover(clock=bank.world.clock)
    assert (await push(bank)).json()["expires_in"] == 599
    early, late = await code_of(bank, person), await code_of(bank, person)
    others = await bank.code(person, "spa")
    bank.world.advance(59)
    assert (await token(bank, prover, redeeming(early))).status == 200
    bank.world.advance(2)
    assert (await token(bank, prover, redeeming(late))).json()["error"] == "invalid_grant"
    assert (await bank.redeem(others, "spa")).status == 200


async def test_keys_of_one_name_are_told_apart(bank: Door) -> None:
    """Section 5.4.3: where a client gives several keys one `kid`, the algorithm and the use decide."""
    other, unused = SigningKey.generate(Alg.PS256), DecryptionKey.generate(KeyAlg.ECDH_ES)
    first, second = SigningKey.load(KEY.dump(), Alg.ES256, "one"), SigningKey.load(other.dump(), Alg.PS256, "one")
    named = [{**msgspec.to_builtins(key), "kid": "one"} for key in (unused.jwk, first.public.jwk, second.public.jwk)]
    await change(bank, "shop", jwks=msgspec.json.encode({"keys": named}).decode())
    for key in (first, second):
        assert (await push(bank, auth=assertion(bank, key))).status == 201


async def test_messages_are_signed(bank: Door) -> None:
    """Message Signing, 5.3 and 5.4: requests with exp and nbf an hour apart at most; answers in one JWT where the client registered for that."""
    await change(bank, "shop", profile=Profile.FAPI2_MESSAGE_SIGNING)
    person = await bank.person()
    assert (await push(bank)).json()["error"] == "invalid_request"
    now = int(bank.world.clock.now().timestamp())
    wrong: tuple[dict[str, Any], ...] = (
        {"nbf": None},
        {"exp": None},
        {"exp": now + 7200},
        {"nbf": now - 7200},
        {"aud": TOKEN},
        {"aud": [TOKEN]},
        {"aud": None},
    )
    for changes in wrong:
        refused = await push(bank, request=request_object(bank, **changes))
        assert refused.json()["error"] == "invalid_request_object", changes
    assert (await push(bank, request=request_object(bank, SigningKey.generate(Alg.RS256)))).status == 400
    assert (await push(bank, request=request_object(bank, aud=[BASE, "https://another.example"]))).status == 201
    assert "code" in await _answer(bank, person, request_object(bank))
    await change(bank, "shop", authorization_signed_response_alg=Alg.ES256)
    assert (await push(bank, request=request_object(bank, response_mode="query"))).json()["error"] == "invalid_request"
    signed = await _answer(bank, person, request_object(bank))
    assert set(signed) == {"from", "response"}
    assert jose.peek(signed["response"]).claims["aud"] == "shop"


async def _answer(door: Door, person: Person, token: str) -> dict[str, str]:
    pushed = await push(door, request=token)
    assert pushed.status == 201, pushed.text
    query = {"client_id": "shop", "request_uri": pushed.json()["request_uri"]}
    answer = await person.browser.get(f"/oauth/authorize?{urlencode(query)}", follow=False)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


async def test_who_rotates_is_settled_per_client(door: Door) -> None:
    """RFC 9700, 4.14: by default every plain client rotates; the operator may say otherwise for one that proves itself."""
    person = await door.person()
    for rotation, kept in ((RefreshRotation.USUAL, False), (RefreshRotation.NEVER, True), (RefreshRotation.ALWAYS, False)):
        await change(door, "shop", refresh_rotation=rotation)
        body = await door.tokens(person)
        again = (await door.refresh(body["refresh_token"])).json()
        assert (again["refresh_token"] == body["refresh_token"]) is kept, rotation


async def test_a_tenant_that_signs_with_rs256_first_has_no_clients_of_the_profile(bank: Door) -> None:
    """Access tokens are signed with the tenant's first algorithm: one that FAPI 2.0 does not take is refused when the client is saved (section 5.4.1)."""
    await bank.set("keys", algorithms=["RS256", "ES256"])
    with pytest.raises(InvalidClient, match="RS256 first"):
        await change(bank, "shop", profile=Profile.FAPI2_MESSAGE_SIGNING)
    await change(bank, "shop", profile=None)
