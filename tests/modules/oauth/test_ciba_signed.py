"""Signed back-channel requests (CIBA Core 1.0, section 7.1.1; FAPI-CIBA)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from limen.kernel import secrets
from limen.modules.clients import AuthMethod, Profile
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, SigningKey
from tests.modules.oauth.conftest import BASE, SECRET, Door, basic
from tests.modules.oauth.test_ciba import PATH, address, allow, decide, error, poll
from tests.modules.oauth.test_pushed import assertion, jwks
from tests.modules.oauth.test_refresh import beside
from tests.rig.asgi import Answer

pytestmark = pytest.mark.anyio

KEY = SigningKey.generate(Alg.ES256)
NONE = b'{"alg":"none"}'
OTHER = SigningKey.generate(Alg.ES256)


@pytest.fixture
async def signing(door: Door) -> Door:
    """The shop signs its back-channel requests."""
    await allow(door, "shop", jwks=jwks(KEY), backchannel_authentication_request_signing_alg=Alg.ES256)
    await door.person()
    return door


def request(door: Door, key: SigningKey = KEY, typ: str = "JWT", **changes: Any) -> str:
    """Return a signed request; a change to None leaves a claim out."""
    now = int(door.world.clock.now().timestamp())
    dates = {"iat": now, "nbf": now, "exp": now + 300}
    said = {"iss": "shop", "aud": BASE, **dates, "jti": secrets.token(), "scope": "openid", "login_hint": address(door), "binding_message": "W4SCT", **changes}
    return jose.encode_jwt(key, {name: value for name, value in said.items() if value is not None}, typ)


async def send(door: Door, token: str, **beside_it: str) -> Answer:
    """Send it, and perhaps something beside it."""
    return await door.call(PATH, auth="shop", request=token, **beside_it)


@pytest.mark.parametrize("typ", ["JWT", "", "ciba-request+jwt"])
async def test_a_signed_request_says_it_all(signing: Door, typ: str) -> None:
    """Its members count as parameters, numbers and texts alike; no type is asked for."""
    assert (await send(signing, request(signing, typ=typ, requested_expiry="45"))).json()["expires_in"] == 45
    answer = await send(signing, request(signing, typ=typ, requested_expiry=45))
    assert answer.json()["expires_in"] == 45
    await decide(signing, answer.json()["auth_req_id"])
    assert (await poll(signing, answer.json()["auth_req_id"])).status == 200


async def test_nothing_stands_beside_it(signing: Door) -> None:
    """7.1.1: no parameter of the request is outside the JWT, not even the same."""
    for name, value in (("scope", "openid"), ("login_hint", address(signing)), ("binding_message", "W4SCT"), ("resource", "https://api.acme.example")):
        assert error(await send(signing, request(signing), **{name: value})) == (400, "invalid_request")


async def test_a_client_that_signs_signs_always(signing: Door) -> None:
    """Who registered an algorithm sends no plain request; who did not sends no signed one."""
    assert error(await signing.call(PATH, auth="shop", scope="openid", login_hint=address(signing))) == (400, "invalid_request")
    await allow(signing, "shop", jwks=jwks(KEY), backchannel_authentication_request_signing_alg=None)
    assert error(await send(signing, request(signing))) == (400, "invalid_request")


@pytest.mark.parametrize(
    "changes",
    [
        *({name: None} for name in ("iss", "aud", "exp", "iat", "nbf", "jti")),
        {"iss": "old"},
        {"aud": "https://elsewhere.example"},
        {"aud": f"{BASE}/oauth/token"},
        {"jti": ""},
        {"jti": 7},
        {"login_hint": 7.5},
        {"exp": 1},
        {"exp": "soon"},
        {"scope": ["openid"]},
    ],
)
async def test_what_a_signed_request_must_have(signing: Door, changes: dict[str, Any]) -> None:
    """7.1.1: iss, aud, exp, iat, nbf and jti are there and fit; members are of their type."""
    assert error(await send(signing, request(signing, **changes))) == (400, "invalid_request" if "scope" not in changes else "invalid_scope")


async def test_dates_of_a_signed_request(signing: Door) -> None:
    """It lives an hour at most, counted from `nbf`, which lies neither ahead nor more than an hour back."""
    now = int(signing.world.clock.now().timestamp())
    wrong: tuple[dict[str, Any], ...] = (
        {"nbf": now + 300, "exp": now + 400},
        {"nbf": now - 3_700, "exp": now + 60},
        {"exp": now + 3_700},
        {"nbf": now - 900, "exp": now - 1},
    )
    for dates in wrong:
        assert error(await send(signing, request(signing, **dates))) == (400, "invalid_request"), dates
    assert (await send(signing, request(signing, nbf=now - 60, exp=now + 3_500))).status == 200


async def test_who_signed_it(signing: Door) -> None:
    """Another key, another algorithm than registered, none, or a broken signature: refused."""
    token = request(signing)
    unsigned = f"{jose.b64url(NONE).decode()}.{token.split('.')[1]}."
    for wrong in (request(signing, OTHER), unsigned, token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"), "x"):
        assert error(await send(signing, wrong)) == (400, "invalid_request")
    other = SigningKey.generate(Alg.PS256)
    await allow(signing, "shop", jwks=jwks(KEY, other), backchannel_authentication_request_signing_alg=Alg.PS256)
    assert error(await send(signing, request(signing))) == (400, "invalid_request")
    assert (await send(signing, request(signing, other))).status == 200


async def test_a_signed_request_is_sent_once(signing: Door) -> None:
    """Its `jti` is remembered by all processes; of two at once one is first. One that was refused for its contents is not used up."""
    token = request(signing)
    async with beside(signing) as other:
        answers = await asyncio.gather(*(send(one, token) for one in (signing, other, signing, other)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
    assert len(await signing.facts("approvals.approval_asked")) == 1


async def test_fapi_wants_them_signed_and_short(signing: Door) -> None:
    """FAPI-CIBA 5.2.2: requests are signed with PS256 or ES256, by a client that proves itself by a key, and have what tells them from others."""
    fapi = {"auth_method": AuthMethod.PRIVATE_KEY_JWT, "jwks": jwks(KEY), "profile": Profile.FAPI2, "dpop_bound_access_tokens": True}
    await allow(signing, "shop", backchannel_authentication_request_signing_alg=None, **fapi)
    proof = assertion(signing, KEY)
    plain = {"scope": "openid", "login_hint": address(signing), "binding_message": "W4SCT"}
    assert error(await signing.calls.post(f"{BASE}{PATH}", form={**plain, **proof})) == (400, "invalid_request")
    await allow(signing, "shop", backchannel_authentication_request_signing_alg=Alg.ES256, **fapi)
    good = await signing.calls.post(f"{BASE}{PATH}", form={"request": request(signing), **assertion(signing, KEY)})
    assert good.status == 200, good.text
    bare = await signing.calls.post(f"{BASE}{PATH}", form={"request": request(signing, binding_message=None), **assertion(signing, KEY)})
    assert error(bare) == (400, "invalid_request")
    by_secret = await signing.calls.post(f"{BASE}{PATH}", form={"request": request(signing)}, headers={"authorization": basic("shop", SECRET)})
    assert error(by_secret) == (401, "invalid_client")
