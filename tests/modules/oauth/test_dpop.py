"""Tokens bound to a key (RFC 9449), over HTTP: given to who shows the key, and worth nothing to whom it does not belong."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from limen.modules.clients import AuthMethod, Profile
from limen.modules.oauth.store import REPLAYS
from limen.platform.sql import statement
from limen.platform.wire.jose import Alg
from tests.modules.oauth.conftest import BASE, RIVAL, SECRET, VERIFIER, Door, answered, asked, basic, uri_of
from tests.modules.oauth.test_pushed import KEY, assertion, jwks
from tests.modules.oauth.test_refresh import beside
from tests.rig.asgi import Answer
from tests.rig.prover import Prover

pytestmark = pytest.mark.anyio

TOKEN = f"{BASE}/oauth/token"
USERINFO = f"{BASE}/oauth/userinfo"
PAR = f"{BASE}/oauth/par"
SESSIONS = f"{BASE}/api/v1/sessions"
_COUNT = statement(sa.select(sa.func.count()).select_from(REPLAYS).where(REPLAYS.c.tenant == sa.bindparam("tenant")), into=int)


@pytest.fixture
def key(door: Door) -> Prover:
    """An app's key."""
    return Prover(clock=door.world.clock)


async def ask(door: Door, proof: str | None, client: str = "svc", *, base: str = BASE, **form: str) -> Answer:
    """Send a token request with a proof."""
    headers = {"dpop": proof} if proof is not None else {}
    if client in ("spa", "app"):
        form = {"client_id": client, **form}
    else:
        headers["authorization"] = basic(client, SECRET)
    return await door.calls.post(f"{base}/oauth/token", form={"grant_type": "client_credentials", **form}, headers=headers)


async def service(door: Door, key: Prover, scope: str = "read") -> str:
    """Return a service's token, bound to a key."""
    answer = await ask(door, key.proof("POST", TOKEN), scope=scope)
    assert answer.status == 200, answer.text
    return str(answer.json()["access_token"])


async def redeem(door: Door, proof: str | None, code: str, client: str = "spa") -> Answer:
    """Redeem a code with a proof."""
    return await ask(door, proof, client, grant_type="authorization_code", code=code, redirect_uri=uri_of(client), code_verifier=VERIFIER)


async def personal(door: Door, key: Prover, client: str = "spa", **changes: Any) -> dict[str, Any]:
    """Return what an app gets for a person, bound to its key."""
    answer = await redeem(door, key.proof("POST", TOKEN), await door.code(await door.person(), client, **changes), client)
    assert answer.status == 200, answer.text
    return dict(answer.json())


async def refresh(door: Door, proof: str | None, token: str, client: str = "spa") -> Answer:
    """Refresh with a proof."""
    return await ask(door, proof, client, grant_type="refresh_token", refresh_token=token)


async def who(door: Door, token: str, proof: str | None, *, scheme: str = "DPoP", base: str = BASE) -> Answer:
    """Ask userinfo."""
    headers = {"authorization": f"{scheme} {token}"} | ({"dpop": proof} if proof is not None else {})
    return await door.calls.get(f"{base}/oauth/userinfo", headers=headers)


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a JWT."""
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))


def error(answer: Answer) -> tuple[int, str]:
    """Return status and error of a refusal."""
    return answer.status, str(answer.json()["error"])


async def remembered(door: Door) -> int:
    """Return how much is remembered as shown."""
    async with door.world.read() as reader:
        return await reader.one(_COUNT) or 0


async def test_a_token_is_bound_to_the_key_of_the_proof(door: Door, key: Prover) -> None:
    """`token_type` is DPoP, `cnf` in the JWT and in introspection is the thumbprint; without a proof all is as ever (5, 6.1, 6.2)."""
    answer = await ask(door, key.proof("POST", TOKEN), scope="read")
    body = answer.json()
    assert (answer.status, body["token_type"]) == (200, "DPoP")
    assert claims_of(body["access_token"])["cnf"] == {"jkt": key.jkt}
    told = (await door.call("/oauth/introspect", auth="orders-api", token=body["access_token"])).json()
    assert (told["active"], told["token_type"], told["cnf"]) == (True, "DPoP", {"jkt": key.jkt})
    plain = (await ask(door, None, scope="read")).json()
    assert plain["token_type"] == "Bearer"
    assert "cnf" not in claims_of(plain["access_token"])
    assert "cnf" not in (await door.call("/oauth/introspect", auth="orders-api", token=plain["access_token"])).json()


async def test_an_opaque_token_is_bound_too(door: Door, key: Prover) -> None:
    """What a resource learns of an opaque token by asking has the key in it."""
    token = await service(door, key, "open")
    assert token.startswith("lmn_at_")
    told = (await door.call("/oauth/introspect", auth="orders-api", token=token)).json()
    assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": key.jkt})


async def test_a_client_that_said_so_must_send_a_proof(door: Door, key: Prover) -> None:
    """`dpop_bound_access_tokens`: a request without proof gets nothing (5.2), and a code is not used up by it."""
    await door.change("svc", dpop_bound_access_tokens=True)
    assert error(await ask(door, None, scope="read")) == (400, "invalid_dpop_proof")
    assert (await ask(door, key.proof("POST", TOKEN), scope="read")).json()["token_type"] == "DPoP"
    await door.change("spa", dpop_bound_access_tokens=True)
    code = await door.code(await door.person(), "spa")
    assert error(await redeem(door, None, code)) == (400, "invalid_dpop_proof")
    assert (await redeem(door, key.proof("POST", TOKEN), code)).json()["token_type"] == "DPoP"


@pytest.mark.parametrize(
    "bend",
    [
        lambda _: "nonsense",
        lambda key: f"{key.proof('POST', TOKEN)}, {key.proof('POST', TOKEN)}",
        lambda key: key.proof("GET", TOKEN),
        lambda key: key.proof("POST", USERINFO),
        lambda key: key.proof("POST", f"{RIVAL}/oauth/token"),
        lambda key: key.proof("POST", "http://127.0.0.1:8400/oauth/token"),
        lambda key: key.proof("POST", TOKEN, header={"typ": "JWT"}),
        lambda key: key.proof("POST", TOKEN, iat=int(key.clock.now().timestamp()) - 62),
        lambda key: key.proof("POST", TOKEN, iat=int(key.clock.now().timestamp()) + 12),
    ],
)
async def test_a_wrong_proof_gets_nothing(door: Door, key: Prover, bend: Any) -> None:
    """Also where none is needed: a proof that is there is right, or the request is refused (5); nothing is remembered of it."""
    assert error(await ask(door, bend(key), scope="read")) == (400, "invalid_dpop_proof")
    assert await remembered(door) == 0


async def test_two_headers_are_no_proof(door: Door, key: Prover) -> None:
    """There is one DPoP header (4.3, 1)."""
    headers = {"authorization": basic("svc", SECRET), "dpop": key.proof("POST", TOKEN), "DPoP": key.proof("POST", TOKEN)}
    answer = await door.calls.post(TOKEN, form={"grant_type": "client_credentials", "scope": "read"}, headers=headers)
    assert error(answer) == (400, "invalid_dpop_proof")


async def test_the_same_proof_twice(door: Door, key: Prover) -> None:
    """A proof works once, here and in every other process; a refused one is in the log with its reason (11.1)."""
    proof = key.proof("POST", TOKEN)
    assert (await ask(door, proof, scope="read")).status == 200
    assert error(await ask(door, proof, scope="read")) == (400, "invalid_dpop_proof")
    assert [fact.data["reason"] for fact in await door.facts("oauth.token_refused")] == ["dpop_replayed"]
    async with beside(door) as other:
        assert error(await ask(other, proof, scope="read")) == (400, "invalid_dpop_proof")
        fresh = key.proof("POST", TOKEN)
        answers = await asyncio.gather(*(ask(one, fresh, scope="read") for one in (door, other) for _ in range(4)))
        assert sorted(answer.status for answer in answers) == [200] + [400] * 7


async def test_the_same_jti_elsewhere(door: Door, key: Prover) -> None:
    """The memory is of a key at an address: another app's `jti`, or the same app's at another endpoint, is its own."""
    proof = key.proof("POST", TOKEN, jti="1")
    assert (await ask(door, proof, scope="read")).status == 200
    assert (await ask(door, Prover(clock=door.world.clock).proof("POST", TOKEN, jti="1"), scope="read")).status == 200
    token = (await personal(door, key))["access_token"]
    assert (await who(door, token, key.proof("GET", USERINFO, token, jti="1"))).status == 200
    assert error(await ask(door, key.proof("POST", TOKEN, jti="1"), scope="read")) == (400, "invalid_dpop_proof")


async def test_strangers_fill_no_memory(door: Door, key: Prover) -> None:
    """What an unproved client sends, or what comes beside a made-up token, is not remembered."""
    answer = await door.calls.post(
        TOKEN, form={"grant_type": "client_credentials"}, headers={"authorization": basic("svc", "x" * 40), "dpop": key.proof("POST", TOKEN)}
    )
    assert error(answer) == (401, "invalid_client")
    assert (await who(door, "made-up", key.proof("GET", USERINFO, "made-up"))).status == 401
    assert await remembered(door) == 0


async def test_userinfo_with_a_proof(door: Door, key: Prover) -> None:
    """The scheme DPoP with a fresh proof for this token is let in, once (7.1)."""
    token = (await personal(door, key))["access_token"]
    proof = key.proof("GET", USERINFO, token)
    answer = await who(door, token, proof)
    assert answer.status == 200
    assert answer.json()["sub"].startswith("acc_")
    again = await who(door, token, proof)
    assert error(again) == (401, "invalid_dpop_proof")
    assert again.headers["www-authenticate"].startswith(f'DPoP realm="{BASE}", error="invalid_dpop_proof", ')
    assert 'algs="ES256 RS256 PS256 Ed25519 EdDSA"' in again.headers["www-authenticate"]
    posted = await door.calls.post(USERINFO, form={}, headers={"authorization": f"dpop {token}", "dpop": key.proof("POST", USERINFO, token)})
    assert posted.status == 200
    async with beside(door) as other:
        assert error(await who(other, token, proof)) == (401, "invalid_dpop_proof")


async def test_a_stolen_token_is_worth_nothing(door: Door, key: Prover) -> None:
    """Without the key, with another key, as a bearer token, in a form, or with a proof that was for something else, it is refused (7.1, 7.2)."""
    token = (await personal(door, key))["access_token"]
    thief = Prover(clock=door.world.clock)
    other = (await personal(door, key))["access_token"]
    for answer, what in (
        (await who(door, token, None), "invalid_dpop_proof"),
        (await who(door, token, thief.proof("GET", USERINFO, token)), "invalid_token"),
        (await who(door, token, None, scheme="Bearer"), "invalid_token"),
        (await who(door, token, key.proof("GET", USERINFO, token), scheme="Bearer"), "invalid_token"),
        (await door.calls.post(USERINFO, form={"access_token": token}), "invalid_token"),
        (await who(door, token, key.proof("GET", USERINFO)), "invalid_dpop_proof"),
        (await who(door, token, key.proof("GET", USERINFO, other)), "invalid_dpop_proof"),
        (await who(door, token, key.proof("POST", TOKEN, token)), "invalid_dpop_proof"),
        (await who(door, token, key.proof("GET", f"{RIVAL}/oauth/userinfo", token)), "invalid_dpop_proof"),
        (await who(door, token, thief.proof("GET", USERINFO, token, header={"jwk": key.jwk})), "invalid_dpop_proof"),
    ):
        assert error(answer) == (401, what)
        assert answer.headers["www-authenticate"].startswith("DPoP ")
    assert (await who(door, token, key.proof("GET", USERINFO, token))).status == 200


async def test_a_token_without_a_key_is_shown_as_a_bearers(door: Door, key: Prover) -> None:
    """A proof beside it makes no bound token of it (7.1)."""
    token = (await door.tokens(await door.person()))["access_token"]
    assert error(await who(door, token, key.proof("GET", USERINFO, token))) == (401, "invalid_token")
    assert (await who(door, token, None, scheme="Bearer")).status == 200


async def test_limens_own_api_wants_the_proof_too(door: Door, key: Prover) -> None:
    """Bound tokens of services come with a proof for the very address; stolen ones do not."""
    token = await service(door, key, "limen:sessions:read")
    path = f"{SESSIONS}?account=acc_0000000000000000000000000a"

    async def call(scheme: str, proof: str | None) -> Answer:
        return await door.calls.get(path, headers={"authorization": f"{scheme} {token}"} | ({"dpop": proof} if proof else {}))

    proof = key.proof("GET", SESSIONS, token)
    assert (await call("DPoP", proof)).status == 200
    for scheme, text, what in (
        ("DPoP", proof, "invalid_dpop_proof"),
        ("DPoP", None, "invalid_dpop_proof"),
        ("Bearer", None, "invalid_token"),
        ("DPoP", Prover(clock=door.world.clock).proof("GET", SESSIONS, token), "invalid_token"),
        ("DPoP", key.proof("GET", f"{SESSIONS}/x", token), "invalid_dpop_proof"),
    ):
        answer = await call(scheme, text)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith(f'DPoP realm="{BASE}", error="{what}"')
        assert 'algs="ES256 RS256 PS256 Ed25519 EdDSA"' in answer.headers["www-authenticate"]
    free = (await ask(door, None, scope="limen:sessions:read")).json()["access_token"]
    refused = await door.calls.get(path, headers={"authorization": f"DPoP {free}", "dpop": key.proof("GET", SESSIONS, free)})
    assert (refused.status, 'error="invalid_token"' in refused.headers["www-authenticate"]) == (401, True)


async def test_no_nonces_unless_the_tenant_wants_them(door: Door, key: Prover) -> None:
    """None is given, since proofs without are taken (11.3), and one in a proof is nobody's business."""
    for proof in (key.proof("POST", TOKEN), key.proof("POST", TOKEN, nonce="of another server")):
        answer = await ask(door, proof, scope="read")
        assert (answer.status, "dpop-nonce" in answer.headers) == (200, False)


async def test_each_answer_brings_a_nonce(door: Door, key: Prover) -> None:
    """Each answer to a proof brings one; one that comes back is accepted until it is old, and then the next one is told (8, 9)."""
    await door.set("oauth", dpop_nonces="required")
    assert "dpop-nonce" not in (await ask(door, None, scope="read")).headers
    first = await ask(door, key.proof("POST", TOKEN), scope="read")
    nonce = first.headers["dpop-nonce"]
    assert (await ask(door, key.proof("POST", TOKEN, nonce=nonce), scope="read")).status == 200
    wrong = await ask(door, key.proof("POST", TOKEN, nonce="made up"), scope="read")
    assert error(wrong) == (400, "use_dpop_nonce")
    assert wrong.headers["dpop-nonce"] == nonce
    door.world.advance(601)
    old = await ask(door, key.proof("POST", TOKEN, nonce=nonce), scope="read")
    assert error(old) == (400, "use_dpop_nonce")
    assert old.headers["dpop-nonce"] != nonce
    assert (await ask(door, key.proof("POST", TOKEN, nonce=old.headers["dpop-nonce"]), scope="read")).status == 200
    assert await door.facts("oauth.token_refused") == []


async def test_a_tenant_may_require_nonces(door: Door, key: Prover) -> None:
    """Then a proof made ahead of time is worth nothing, at the token endpoint (400) and at userinfo and the API (401); the code is not used up."""
    await door.set("oauth", dpop_nonces="required", dpop_nonce="PT1M")
    code = await door.code(await door.person(), "spa")
    refused = await redeem(door, key.proof("POST", TOKEN), code)
    assert error(refused) == (400, "use_dpop_nonce")
    nonce = refused.headers["dpop-nonce"]
    token = (await redeem(door, key.proof("POST", TOKEN, nonce=nonce), code)).json()["access_token"]
    unasked = await who(door, token, key.proof("GET", USERINFO, token))
    assert error(unasked) == (401, "use_dpop_nonce")
    assert unasked.headers["www-authenticate"].startswith(f'DPoP realm="{BASE}", error="use_dpop_nonce"')
    answer = await who(door, token, key.proof("GET", USERINFO, token, nonce=unasked.headers["dpop-nonce"]))
    assert answer.status == 200
    assert answer.headers["dpop-nonce"]
    own = (await ask(door, key.proof("POST", TOKEN, nonce=nonce), scope="limen:sessions:read")).json()["access_token"]
    api = await door.calls.get(SESSIONS, headers={"authorization": f"DPoP {own}", "dpop": key.proof("GET", SESSIONS, own)})
    assert (await push(door, key.proof("POST", PAR))).headers["dpop-nonce"]
    assert (api.status, 'error="use_dpop_nonce"' in api.headers["www-authenticate"]) == (401, True)
    assert api.headers["dpop-nonce"]
    async with beside(door) as other:
        assert (await ask(other, key.proof("POST", TOKEN, nonce=nonce), scope="read")).status == 200
    assert (await ask(door, None, scope="read")).json()["token_type"] == "Bearer"


async def test_a_page_of_another_origin_can_do_it(door: Door, key: Prover) -> None:
    """The pre-flight lets the header DPoP through, and scripts may read the nonce and the challenge (8.2, 9)."""
    for path, method in (("/oauth/token", "POST"), ("/oauth/userinfo", "GET"), ("/oauth/userinfo", "POST")):
        asked = {"origin": "https://spa.example", "access-control-request-method": method, "access-control-request-headers": "authorization,dpop"}
        before = await door.calls.send("OPTIONS", path, b"", asked)
        assert "DPoP" in before.headers["access-control-allow-headers"]
    await door.set("oauth", dpop_nonces="required")
    refused = await ask(door, key.proof("POST", TOKEN), scope="read")
    assert refused.headers["dpop-nonce"]
    exposed = refused.headers["access-control-expose-headers"]
    assert "DPoP-Nonce" in exposed
    assert "WWW-Authenticate" in exposed


async def test_it_is_told_to_clients(door: Door) -> None:
    """The metadata name the algorithms (5.1); a protected resource names the schemes it takes (7.1, 7.2)."""
    document = (await door.calls.get(f"{BASE}/.well-known/oauth-authorization-server")).json()
    assert document["dpop_signing_alg_values_supported"] == ["ES256", "RS256", "PS256", "Ed25519", "EdDSA"]
    challenge = (await door.calls.get(USERINFO)).headers["www-authenticate"]
    assert challenge == f'Bearer realm="{BASE}", scope="openid", DPoP algs="ES256 RS256 PS256 Ed25519 EdDSA"'


async def test_a_tenant_under_a_path_has_its_own_addresses(door: Door, key: Prover) -> None:
    """A proof for one tenant's endpoint says nothing at another's."""
    rival = f"{RIVAL}/oauth/token"
    assert (await ask(door, key.proof("POST", rival), base=RIVAL, scope="read")).status == 200
    assert error(await ask(door, key.proof("POST", TOKEN), base=RIVAL, scope="read")) == (400, "invalid_dpop_proof")


async def test_a_public_apps_refresh_token_is_bound_to_its_key(door: Door, key: Prover) -> None:
    """Without the key it gives nothing and stays as it was; with it, it rotates, and so do bound access tokens (5)."""
    first = (await personal(door, key))["refresh_token"]
    thief = Prover(clock=door.world.clock)
    assert error(await refresh(door, None, first)) == (400, "invalid_dpop_proof")
    assert error(await refresh(door, thief.proof("POST", TOKEN), first)) == (400, "invalid_grant")
    answer = await refresh(door, key.proof("POST", TOKEN), first)
    assert answer.json()["token_type"] == "DPoP"
    assert claims_of(answer.json()["access_token"])["cnf"] == {"jkt": key.jkt}
    second = answer.json()["refresh_token"]
    assert error(await refresh(door, thief.proof("POST", TOKEN), second)) == (400, "invalid_grant")
    async with beside(door) as other:
        assert (await refresh(other, key.proof("POST", TOKEN), second)).status == 200
    assert [fact.data["reason"] for fact in await door.facts("grants.grant_ended")] == []


async def test_a_refresh_token_given_without_a_key_takes_a_key_for_the_access_token_alone(door: Door, key: Prover) -> None:
    """A public app that began without proofs may send one with a refresh: that access token is bound, the family is not."""
    body = await door.tokens(await door.person(), "spa")
    answer = await refresh(door, key.proof("POST", TOKEN), body["refresh_token"])
    assert answer.json()["token_type"] == "DPoP"
    assert (await refresh(door, None, answer.json()["refresh_token"])).json()["token_type"] == "Bearer"


async def test_a_confidential_apps_refresh_token_is_its_own(door: Door, key: Prover) -> None:
    """It is bound to the client, which proves itself, so the key may change (5)."""
    body = await personal(door, key, "shop")
    other = Prover(clock=door.world.clock)
    answer = await refresh(door, other.proof("POST", TOKEN), body["refresh_token"], "shop")
    assert claims_of(answer.json()["access_token"])["cnf"] == {"jkt": other.jkt}


@pytest.mark.parametrize("client", ["spa", "shop"])
async def test_a_code_is_bound_to_the_key_announced(door: Door, key: Prover, client: str) -> None:
    """With `dpop_jkt` in the authorization request the code gives nothing without that key, and is used up by the try (10)."""
    person = await door.person()
    code = await door.code(person, client, dpop_jkt=key.jkt)
    assert (await redeem(door, key.proof("POST", TOKEN), code, client)).json()["token_type"] == "DPoP"
    for proof, what in ((Prover(clock=door.world.clock).proof("POST", TOKEN), "invalid_grant"), (None, "invalid_grant")):
        code = await door.code(person, client, dpop_jkt=key.jkt)
        assert error(await redeem(door, proof, code, client)) == (400, what)
        assert error(await redeem(door, key.proof("POST", TOKEN), code, client)) == (400, "invalid_grant")


async def test_a_dpop_jkt_that_is_no_thumbprint(door: Door) -> None:
    """It is told to the app before anybody is asked anything."""
    person = await door.person()
    for text in ("x", "0" * 42, "0" * 44, "0" * 42 + "+"):
        assert answered(await door.ask(person.browser, "spa", dpop_jkt=text))["error"] == "invalid_request"


async def push(door: Door, proof: str | None, client: str = "shop", **changes: Any) -> Answer:
    """Push an authorization request (RFC 9126)."""
    headers = {"authorization": basic(client, SECRET)} | ({"dpop": proof} if proof is not None else {})
    return await door.calls.post(PAR, form=asked(client, **changes), headers=headers)


async def test_a_pushed_request_binds_the_code(door: Door, key: Prover) -> None:
    """A proof beside a pushed request does what `dpop_jkt` does, and contradicts no other (10.1); there too it works once."""
    proof = key.proof("POST", PAR)
    pushed = await push(door, proof)
    assert pushed.status == 201, pushed.text
    person = await door.person()

    async def code(answer: Answer) -> str:
        sent = {"client_id": "shop", "request_uri": answer.json()["request_uri"]}
        return answered(await person.browser.get(f"{BASE}/oauth/authorize?{urlencode(sent)}", follow=False))["code"]

    assert error(await redeem(door, Prover(clock=door.world.clock).proof("POST", TOKEN), await code(pushed), "shop")) == (400, "invalid_grant")
    assert error(await push(door, proof)) == (400, "invalid_dpop_proof")
    assert error(await push(door, key.proof("POST", TOKEN))) == (400, "invalid_dpop_proof")
    assert error(await push(door, key.proof("POST", PAR), dpop_jkt=Prover().jkt)) == (400, "invalid_dpop_proof")
    both = await push(door, key.proof("POST", PAR), dpop_jkt=key.jkt)
    assert (await redeem(door, key.proof("POST", TOKEN), await code(both), "shop")).json()["token_type"] == "DPoP"
    await door.change("shop", dpop_bound_access_tokens=True)
    assert (await push(door, None)).status == 201


async def test_a_fapi_client_signs_proofs_as_fapi_says(door: Door) -> None:
    """RS256 is not for it (FAPI 2.0, 5.4.1), PS256 is."""
    key = Prover(Alg.RS256, door.world.clock)
    token = (await personal(door, key, "shop"))["refresh_token"]
    fapi: dict[str, Any] = {"auth_method": AuthMethod.PRIVATE_KEY_JWT, "jwks": jwks(KEY), "dpop_bound_access_tokens": True, "profile": Profile.FAPI2}
    await door.change("shop", **fapi)
    for alg, status in ((Alg.RS256, 400), (Alg.PS256, 200)):
        proof = Prover(alg, door.world.clock).proof("POST", TOKEN)
        form = {"grant_type": "refresh_token", "refresh_token": token, **assertion(door)}
        answer = await door.calls.post(TOKEN, form=form, headers={"dpop": proof})
        assert (answer.status, answer.json().get("error")) == (status, "invalid_dpop_proof" if status == 400 else None)
