"""ID tokens: what they say, and what they are worth when they come back as hints (OpenID Connect Core 1.0, 2, 3.1.2.1, 12.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from limen.kernel import secrets
from limen.kernel.ids import TenantId
from limen.modules import keys
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, KeySet, SigningKey
from tests.modules.oauth.conftest import BASE, CALLBACK, RIVAL, SCOPES, VERIFIER, Door, Person, answered

pytestmark = pytest.mark.anyio

RIVALS = TenantId("rival")


async def verified(door: Door, token: str, alg: Alg = Alg.ES256) -> jose.Jwt:
    """Check an ID token as an app does: by the keys shown."""
    return jose.verify_jwt(token, KeySet.parse((await door.calls.get("/oauth/jwks")).body, [alg]), typ=("jwt",))


async def test_an_id_token_says_who_when_how_and_to_whom(door: Door) -> None:
    """Section 2: each claim of its type; nothing about the person that userinfo tells; no key in the header."""
    person = await door.person(ago=30)
    token = await verified(door, (await door.tokens(person, scope="openid profile email", max_age="1000"))["id_token"])
    assert set(token.header.members) == {"alg", "kid", "typ"}
    assert (token.header.alg, token.header.typ) == ("ES256", "jwt")
    claims = dict(token.claims)
    assert set(claims) == {"iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid", "nonce"}
    assert (claims["iss"], claims["aud"], claims["sub"], claims["sid"]) == (BASE, "shop", person.account, person.session)
    assert all(isinstance(claims[name], int) for name in ("exp", "iat", "auth_time"))
    iat, exp, auth_time = (int(str(claims[name])) for name in ("iat", "exp", "auth_time"))
    assert auth_time + 30 <= iat < exp == iat + 600
    assert (claims["acr"], claims["amr"]) == ("aal1", ["pwd"])
    assert len(str(claims["sub"])) <= 255
    assert str(claims["sub"]).isascii()


async def test_a_nonce_is_there_if_it_was_sent_and_as_it_was_sent(door: Door) -> None:
    """Section 3.1.2.1: unmodified; without one there is none."""
    person = await door.person()
    for nonce in ("a b+c%20", "\u00e9\U0001f600", "'\"\\", "x" * 1000):
        assert (await verified(door, (await door.tokens(person, nonce=nonce))["id_token"])).claims["nonce"] == nonce
    assert "nonce" not in (await verified(door, (await door.tokens(person, nonce=None))["id_token"])).claims


async def test_the_subject_is_the_same_at_every_app_and_at_userinfo(door: Door) -> None:
    """Section 8: public subjects; two people never share one."""
    ada, bob = await door.person(), await door.person()
    seen = set()
    for client in ("shop", "spa"):
        body = await door.tokens(ada, client)
        seen |= {jose.peek(body["id_token"]).claims["sub"], (await door.userinfo(body["access_token"])).json()["sub"]}
    assert seen == {ada.account}
    assert jose.peek((await door.tokens(bob))["id_token"]).claims["sub"] == bob.account


# ------------------------------------------------------------------ what they are worth as hints


def made_up(claims: Mapping[str, Any], header: Mapping[str, Any], key: bytes = b"") -> str:
    """Return a token as an attacker makes it: any header, an HMAC under `key` or no signature."""
    head = b".".join(jose.b64url(msgspec.json.encode(part)) for part in (header, claims))
    return (head + b"." + (jose.b64url(secrets.mac(key, head)) if key else b"")).decode()


async def false_hints(door: Door, body: Mapping[str, Any]) -> dict[str, str]:
    """Return what is no ID token of this issuer, each by what is wrong with it."""
    good = jose.peek(body["id_token"])
    claims, kid = dict(good.claims), str(good.header.kid)
    async with door.world.read() as reader:
        ours, (public, *_) = await keys.signer(reader), tuple(await keys.public_keys(reader))
    return {
        "text": "nonsense",
        "unsigned": made_up(claims, {"alg": "none", "typ": "JWT"}),
        "unsigned, with our kid": made_up(claims, {"alg": "none", "kid": kid}),
        "hmac under the public key": made_up(claims, {"alg": "HS256", "kid": kid, "typ": "JWT"}, msgspec.json.encode(public.jwk)),
        "another alg, our kid": made_up(claims, {"alg": "RS256", "kid": kid, "typ": "JWT"}, b"x"),
        "a strange key": jose.encode_jwt(SigningKey.generate(Alg.ES256), claims, "JWT"),
        "a strange key, our kid": jose.encode_jwt(SigningKey.load(SigningKey.generate(Alg.ES256).dump(), Alg.ES256, kid), claims, "JWT"),
        "an access token": body["access_token"],
        "a refresh token": body["refresh_token"],
        "a broken signature": body["id_token"][:-4] + "AAAA",
        "another issuer": jose.encode_jwt(ours, {**claims, "iss": RIVAL}, "JWT"),
        "no subject": jose.encode_jwt(ours, {name: value for name, value in claims.items() if name != "sub"}, "JWT"),
        "several audiences": jose.encode_jwt(ours, {**claims, "aud": ["shop", "spa"]}, "JWT"),
        "a critical extension": made_up(claims, {"alg": "ES256", "kid": kid, "crit": ["exp"]}, b"x"),
    }


async def hinted(door: Door, person: Person, hint: str, **changes: Any) -> dict[str, str]:
    """Ask for a code with a hint."""
    return answered(await door.ask(person.browser, id_token_hint=hint, **changes))


async def test_a_false_hint_is_an_error_and_never_a_guess(door: Door) -> None:
    """Section 3.1.2.1: whom it means cannot be said, so nobody is answered for, asked or not."""
    person = await door.person()
    body = await door.tokens(person)
    for what, hint in (await false_hints(door, body)).items():
        for changes in ({"prompt": "none"}, {}):
            assert (await hinted(door, person, hint, **changes))["error"] == "invalid_request", what
    theirs = await door.person(tenant=RIVALS, consent=SCOPES)
    foreign = answered(await door.ask(theirs.browser, base=RIVAL))["code"]
    form = {"grant_type": "authorization_code", "code": foreign, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    hint = (await door.token(auth="shop", base=RIVAL, **form)).json()["id_token"]
    assert (await hinted(door, person, hint, prompt="none"))["error"] == "invalid_request"


async def test_a_hint_may_be_old_and_another_apps(door: Door) -> None:
    """Its time may be over, its key retired, and it may have been given to another app: it says who is meant all the same."""
    ada, bob = await door.person(), await door.person()
    hint = (await door.tokens(ada, "spa"))["id_token"]
    door.world.advance(7_200)
    assert "code" in await hinted(door, ada, hint, prompt="none")
    async with door.world.read() as reader:
        due = await keys.due(reader)
    assert not due.rotate
    await keys.rotate(door.world.db, door.world.tenant, Alg.ES256)
    door.world.advance(3_700)
    async with door.world.work() as work:
        assert await keys.advance(work) == 1
    door.world.advance(80_000)
    assert "code" in await hinted(door, await signed_in_again(door, ada), hint, prompt="none")
    assert (await hinted(door, await signed_in_again(door, bob), hint, prompt="none"))["error"] == "login_required"


async def signed_in_again(door: Door, person: Person) -> Person:
    """Give a person whose session is too old another."""
    await door.sign_in(person)
    return person


async def test_a_hint_by_a_withdrawn_key_is_none(door: Door) -> None:
    """A key in wrong hands names nobody any more."""
    person = await door.person()
    hint = (await door.tokens(person))["id_token"]
    await keys.rotate(door.world.db, door.world.tenant, Alg.ES256, withdraw=True)
    assert (await hinted(door, person, hint, prompt="none"))["error"] == "invalid_request"
