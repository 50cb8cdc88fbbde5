"""Access tokens as JWTs (RFC 9068): what a person's says, and what the house itself takes when it is the resource (section 4; RFC 8725, 3)."""

from __future__ import annotations

from typing import Any

import pytest

from limen.modules import keys
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, KeySet, SigningKey
from tests.modules.oauth.conftest import API, BASE, RIVAL, Door

pytestmark = pytest.mark.anyio

PATH = "/api/v1/sessions?account=acc_x"


async def test_a_persons_token_says_whose_for_whom_and_how_she_signed_in(door: Door) -> None:
    """Section 2.2: every required claim, of its type; those of the sign-in as section 2.2.1 has them, and no word about the person beside."""
    person = await door.person(ago=5)
    body = await door.tokens(person, scope="openid profile email read")
    keys_shown = KeySet.parse((await door.calls.get("/oauth/jwks")).body, [Alg.ES256])
    token = jose.verify_jwt(body["access_token"], keys_shown, typ=("at+jwt",))
    assert set(token.header.members) == {"alg", "kid", "typ"}
    assert token.header.members["typ"] == "at+jwt"
    claims = dict(token.claims)
    assert set(claims) == {"iss", "sub", "aud", "client_id", "scope", "iat", "exp", "jti", "grant_id", "auth_time", "acr", "amr"}
    assert (claims["iss"], claims["sub"], claims["client_id"], claims["scope"]) == (BASE, person.account, "shop", "openid profile email read")
    assert claims["aud"] == [API, BASE]
    iat, exp, auth_time = (claims[name] for name in ("iat", "exp", "auth_time"))
    assert isinstance(iat, int)
    assert isinstance(exp, int)
    assert isinstance(auth_time, int)
    assert exp - iat == body["expires_in"]
    assert auth_time + 5 <= iat
    identity = jose.peek(body["id_token"]).claims
    assert all(identity[name] == claims[name] for name in ("auth_time", "acr", "amr"))


async def test_no_two_tokens_are_alike(door: Door) -> None:
    """Section 2.2: `jti` is of one token alone, made in the same second too."""
    person = await door.person()
    body = await door.tokens(person)
    tokens = [body["access_token"], *[(await door.refresh(body["refresh_token"])).json()["access_token"] for _ in range(3)]]
    assert len({jose.peek(token).claims["jti"] for token in tokens}) == 4
    assert len({jose.peek(token).claims["grant_id"] for token in tokens}) == 1


async def test_the_api_checks_a_token_as_the_specification_says(door: Door) -> None:
    """Section 4; RFC 8725, 3: type, issuer, audience, time, signature and each claim's type; whatever is off is invalid_token."""
    issued = (await door.token(auth="svc", grant_type="client_credentials", scope="limen:sessions:read")).json()["access_token"]
    claims = dict(jose.peek(issued).claims)
    async with door.world.read() as reader:
        ours = await keys.signer(reader)
    now = int(str(claims["iat"]))

    async def status(changes: dict[str, Any], typ: str = "at+jwt", key: SigningKey = ours) -> int:
        changed = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        answer = await door.calls.get(PATH, headers={"authorization": f"Bearer {jose.encode_jwt(key, changed, typ)}"})
        assert answer.status == 200 or 'error="invalid_token"' in answer.headers["www-authenticate"], changes
        return answer.status

    good: list[tuple[dict[str, Any], str]] = [
        ({}, "at+jwt"),
        ({}, "AT+JWT"),
        ({}, "application/at+jwt"),
        ({"aud": [API, f"{BASE}/api/v1"]}, "at+jwt"),
        ({"iat": now + 9}, "at+jwt"),
        ({"nbf": now}, "at+jwt"),
        ({"scope": "other limen:sessions:read"}, "at+jwt"),
    ]
    for changes, typ in good:
        assert await status(changes, typ) == 200, (changes, typ)
    bad: list[dict[str, Any]] = [
        *({name: None} for name in ("iss", "sub", "aud", "client_id", "iat", "exp", "jti")),
        *({"iss": one} for one in (RIVAL, BASE + "/", BASE.upper(), [BASE], "")),
        *({"aud": one} for one in (BASE, API, f"{BASE}/api", f"{BASE}/api/v1/", [], [1], "")),
        *({"exp": one} for one in (now, now - 1, "soon", None, -1)),
        *({"iat": one} for one in (now + 60, "now")),
        {"nbf": now + 60},
        {"client_id": "nobody"},
        {"client_id": "shop", "sub": ["svc"]},
        {"scope": ["limen:sessions:read"]},
        {"jti": 7},
    ]
    for changes in bad:
        assert await status(changes) == 401, changes
    for typ in ("JWT", "", "at", "application/jwt", "logout+jwt"):
        assert await status({}, typ) == 401, typ
    assert await status({}, key=SigningKey.generate(Alg.ES256)) == 401
    assert await status({}, key=SigningKey.load(SigningKey.generate(Alg.ES256).dump(), Alg.ES256, ours.kid)) == 401


async def test_a_token_without_the_scope_is_refused_with_its_name(door: Door) -> None:
    """RFC 6750, 3.1: insufficient_scope and 403, the scope that is needed in the challenge; scopes are whole words."""
    token = (await door.token(auth="svc", grant_type="client_credentials", scope="limen:sessions:read")).json()["access_token"]
    refused = await door.calls.send("DELETE", PATH, b"", {"authorization": f"Bearer {token}"})
    assert refused.status == 403
    assert refused.headers["www-authenticate"].count('scope="limen:sessions:write"') == 1
    other = await door.calls.get("/api/v1/accounts", headers={"authorization": f"Bearer {token}"})
    assert (other.status, 'error="insufficient_scope"' in other.headers["www-authenticate"]) == (403, True)
