"""Userinfo, introspection, revocation and Limen's own API: what a token stands for, asked each time (RFC 6750, 7662, 7009, 9068)."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
import structlog

from limen.kernel import secrets
from limen.kernel.ids import ClientId
from limen.modules import clients, keys, profiles
from limen.modules.oauth import tally
from limen.modules.profiles import AddressChanges, Changes
from limen.platform.sql import DatabaseUnavailable
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, SigningKey
from tests.modules.oauth.conftest import API, BASE, RIVAL, VAULT, Door
from tests.rig.asgi import Client

pytestmark = pytest.mark.anyio


async def test_a_service_names_the_api_it_wants_a_token_for(door: Door) -> None:
    """RFC 8707, 2: `resource` is heeded with client credentials too: known, owner of the scopes asked for, and which of the client's own are given."""
    for resource, form, expected in (
        (API, {"scope": "read"}, (API, "read")),
        (API, {}, (API, "read write")),
        (VAULT, {}, (VAULT, "open")),
        ("https://unknown.example", {"scope": "read"}, "invalid_target"),
        (f"{API}/", {}, "invalid_target"),
        (VAULT, {"scope": "read"}, "invalid_target"),
    ):
        answer = await door.token(auth="svc", grant_type="client_credentials", resource=resource, **form)
        if isinstance(expected, str):
            assert (answer.status, answer.json()["error"]) == (400, expected), (resource, form)
            continue
        assert answer.json()["scope"] == expected[1]
        looked = await door.call("/oauth/introspect", auth="orders-api", token=answer.json()["access_token"])
        assert (looked.json()["aud"], looked.json()["scope"]) == expected


async def test_userinfo_tells_what_the_scopes_say(door: Door) -> None:
    """Sub always; e-mail, profile, address and phone each by its scope; what is not known is left out."""
    person = await door.person()
    async with door.world.work() as work:
        changes = Changes(given_name="Ada", name="Ada L.", phone_number="+49301234567", address=AddressChanges(locality="Berlin"))
        await profiles.change(work, person.account, changes)
    bare = await door.userinfo((await door.tokens(person, scope="openid"))["access_token"])
    assert bare.json() == {"sub": person.account}
    assert bare.headers["cache-control"] == "no-store"
    mail = await door.userinfo((await door.tokens(person, scope="openid email"))["access_token"])
    assert mail.json() == {"sub": person.account, "email": "ada1@example.com", "email_verified": True}
    whole = (await door.userinfo((await door.tokens(person, scope="openid profile email phone address"))["access_token"])).json()
    assert isinstance(whole.pop("updated_at"), int)
    assert whole == {
        "sub": person.account,
        "name": "Ada L.",
        "given_name": "Ada",
        "email": "ada1@example.com",
        "email_verified": True,
        "phone_number": "+49301234567",
        "phone_number_verified": False,
        "address": {"locality": "Berlin"},
    }


async def test_userinfo_takes_the_token_by_header_or_form_and_never_twice(door: Door) -> None:
    """RFC 6750, section 2; a token in the query is none."""
    token = (await door.tokens(await door.person()))["access_token"]
    assert (await door.calls.post("/oauth/userinfo", form={"access_token": token})).status == 200
    assert (await door.calls.post("/oauth/userinfo", form={}, headers={"authorization": f"bearer {token}"})).status == 200
    both = await door.calls.post("/oauth/userinfo", form={"access_token": token}, headers={"authorization": f"Bearer {token}"})
    assert (both.status, both.json()["error"]) == (400, "invalid_request")
    query = await door.calls.get(f"/oauth/userinfo?access_token={token}")
    assert query.status == 401
    assert query.headers["www-authenticate"] == f'Bearer realm="{BASE}", scope="openid", DPoP algs="ES256 RS256 PS256 Ed25519 EdDSA"'
    assert "error" not in query.json()


async def test_userinfo_refuses_what_is_not_for_it(door: Door) -> None:
    """RFC 6750, 3.1: invalid_token or insufficient_scope, in the header too; ID tokens and services' tokens are no key to a person."""
    person = await door.person()
    body = await door.tokens(person)
    service = (await door.token(auth="svc", grant_type="client_credentials", scope="read")).json()["access_token"]
    for token in ("nonsense", body["id_token"], body["refresh_token"], body["access_token"] + "x", body["access_token"][:-4] + "AAAA"):
        answer = await door.userinfo(token)
        assert (answer.status, answer.json()["error"]) == (401, "invalid_token"), token[:20]
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    for token in ((await door.tokens(person, scope="read"))["access_token"], service):
        narrow = await door.userinfo(token)
        assert (narrow.status, narrow.json()["error"]) == (403, "insufficient_scope")
    assert (await door.userinfo(body["access_token"], base=RIVAL)).status == 401
    door.world.advance(601)
    assert (await door.userinfo(body["access_token"])).status == 401


async def test_a_token_for_an_api_with_openid_is_for_userinfo_too(door: Door) -> None:
    """Both audiences stand in it, since both take it."""
    person = await door.person()
    body = await door.tokens(person, scope="openid read")
    assert jose.peek(body["access_token"]).claims["aud"] == [API, BASE]
    assert (await door.userinfo(body["access_token"])).status == 200


async def test_introspection_tells_a_client_about_its_own_tokens(door: Door) -> None:
    """RFC 7662, 2.2: what stands is described, access token or refresh token; looking at one changes nothing."""
    person = await door.person()
    body = await door.tokens(person, scope="openid offline_access read")
    said = (await door.call("/oauth/introspect", auth="shop", token=body["access_token"], token_type_hint="refresh_token")).json()
    claims = jose.peek(body["access_token"]).claims
    assert said == {
        "active": True,
        "client_id": "shop",
        "scope": "openid offline_access read",
        "sub": person.account,
        "iss": BASE,
        "aud": [API, BASE],
        "jti": claims["jti"],
        "iat": claims["iat"],
        "exp": claims["exp"],
        "token_type": "Bearer",
        "acr": "aal1",
        "amr": ["pwd"],
        "auth_time": claims["auth_time"],
    }
    fresh = (await door.call("/oauth/introspect", auth="shop", token=body["refresh_token"])).json()
    assert (fresh["active"], fresh["sub"], fresh["client_id"]) == (True, person.account, "shop")
    assert "token_type" not in fresh
    assert (await door.refresh(body["refresh_token"])).status == 200


async def test_introspection_tells_nobody_else(door: Door) -> None:
    """Only the resource's own client is told of others' tokens, and only of those for the resource; others see active=false."""
    person = await door.person()
    for_api = (await door.tokens(person, scope="openid read"))["access_token"]
    for_us = (await door.tokens(person, scope="openid"))["access_token"]
    opaque = (await door.tokens(person, scope="openid open"))["access_token"]
    assert opaque.startswith("lmn_at_")
    assert (await door.userinfo(opaque)).status == 200
    for token, who, active in (
        (for_api, "orders-api", True),
        (opaque, "orders-api", True),
        (for_us, "orders-api", False),
        (for_api, "svc", False),
        (opaque, "svc", False),
        (opaque, "shop", True),
        ("nonsense", "shop", False),
        ("lmn_at_nonsense", "shop", False),
        ("lmn_rt_nonsense", "shop", False),
    ):
        answer = await door.call("/oauth/introspect", auth=who, token=token)
        assert answer.json()["active"] is active, (token[:12], who)
        assert active or answer.json() == {"active": False}


async def test_introspection_is_for_clients_that_prove_themselves(door: Door) -> None:
    """RFC 7662, 2.1: no public client, no wrong secret, and a token has to be named."""
    token = (await door.tokens(await door.person(), "spa"))["access_token"]
    assert (await door.call("/oauth/introspect", auth="spa", token=token)).status == 401
    assert (await door.call("/oauth/introspect", auth="shop", secret="wrong", token=token)).status == 401
    assert (await door.call("/oauth/introspect", auth="shop")).status == 400


async def test_looking_is_written_down_once_a_minute_and_grant(door: Door) -> None:
    """The counts are kept, the writes are not."""
    person = await door.person()
    token = (await door.tokens(person))["access_token"]
    for _ in range(5):
        await door.active(token)
        await door.userinfo(token)
    await door.active("nonsense")
    await tally.flush(door.world.db)
    looked = await door.facts("oauth.introspected")
    assert sorted((fact.data["count"], fact.data["active"]) for fact in looked) == [(1, 0), (5, 5)]
    (read,) = await door.facts("oauth.userinfo_read")
    assert (read.subject, read.data["count"]) == (person.account, 5)


async def test_much_to_write_down_does_not_wait_for_its_minute(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever shows many tokens at once does not fill the memory: at so many different things counted they are written."""
    monkeypatch.setattr(tally, "_MOST", 3)
    await door.active("nonsense")
    for _ in range(2):
        assert await door.facts("oauth.introspected") == []
        token = (await door.tokens(await door.person()))["access_token"]
        await door.active(token)
    for _ in range(100):
        if await door.facts("oauth.introspected"):
            break
        await asyncio.sleep(0.01)
    assert len(await door.facts("oauth.introspected")) == 3


async def test_what_cannot_be_written_down_now_is_later(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is away the counts go on: none is lost, and the log says so once."""
    token = (await door.tokens(await door.person()))["access_token"]
    with structlog.testing.capture_logs() as logs, monkeypatch.context() as patch:

        def away(*_: object) -> None:
            raise DatabaseUnavailable(operator="nothing listens there")

        patch.setattr(door.world.db, "work", away)
        for _ in range(3):
            await door.active(token)
            await tally.flush(door.world.db)
    assert [(line["event"], line["reason"]) for line in logs] == [("tally.not_written", "nothing listens there")]
    await door.active(token)
    await tally.flush(door.world.db)
    assert [fact.data["count"] for fact in await door.facts("oauth.introspected")] == [4]


async def test_a_revoked_access_token_is_dead_and_its_grant_lives(door: Door) -> None:
    """RFC 7009: JWT and opaque alike; the answer is 200 the second time too."""
    person = await door.person()
    for scope in ("openid offline_access", "openid offline_access open"):
        body = await door.tokens(person, scope=scope)
        for _ in range(2):
            assert (await door.call("/oauth/revoke", auth="shop", token=body["access_token"])).status == 200
        assert not await door.active(body["access_token"])
        assert (await door.userinfo(body["access_token"])).status == 401
        assert (await door.refresh(body["refresh_token"])).status == 200
    service = (await door.token(auth="svc", grant_type="client_credentials", scope="read")).json()["access_token"]
    assert await door.active(service, "svc")
    assert (await door.call("/oauth/revoke", auth="svc", token=service)).status == 200
    assert not await door.active(service, "svc")
    assert len(await door.facts("oauth.token_revoked")) == 3


async def test_a_revoked_refresh_token_takes_its_grant(door: Door) -> None:
    """RFC 7009, 2.1; an old token of the family does it as well, a public client may do it, and another client may not."""
    person = await door.person()
    body = await door.tokens(person, "spa")
    newer = (await door.refresh(body["refresh_token"], "spa")).json()
    other = await door.call("/oauth/revoke", auth="shop", token=newer["refresh_token"])
    assert (other.status, other.json()["error"]) == (400, "invalid_grant")
    assert (await door.call("/oauth/revoke", auth="spa", token=body["refresh_token"])).status == 200
    assert (await door.refresh(newer["refresh_token"], "spa")).json()["error"] == "invalid_grant"
    assert (await door.userinfo(newer["access_token"])).status == 401
    (fact,) = await door.facts("oauth.token_revoked")
    assert (fact.subject, fact.data["client"]) == (person.account, "spa")


async def test_revoking_nothing_is_done(door: Door) -> None:
    """RFC 7009, 2.2: unknown tokens answer 200; the client still has to prove itself and name one."""
    for token in ("nonsense", "lmn_rt_nonsense", "lmn_at_nonsense", "a.b.c"):
        assert (await door.call("/oauth/revoke", auth="shop", token=token, token_type_hint="whatever")).status == 200
    assert (await door.call("/oauth/revoke", auth="shop", secret="wrong", token="x")).status == 401
    assert (await door.call("/oauth/revoke", auth="shop")).status == 400


async def test_a_dropped_client_loses_its_tokens(door: Door) -> None:
    """At once; and a client of the same name that comes later finds the grants ended."""
    person = await door.person()
    body = await door.tokens(person, "spa")
    async with door.world.work() as work:
        spa = await clients.find(work, ClientId("spa"))
        await clients.drop(work, ClientId("spa"))
    assert (await door.userinfo(body["access_token"])).status == 401
    await door.runner.run_due()
    async with door.world.work() as work:
        assert spa
        await clients.save(work, spa, dev=True)
    assert (await door.userinfo(body["access_token"])).status == 401
    assert (await door.refresh(body["refresh_token"], "spa")).json()["error"] == "invalid_grant"
    assert [fact.data["reason"] for fact in await door.facts("grants.grant_ended")] == ["client_dropped"]


def _forged(claims: dict[str, Any], header: dict[str, str], key: bytes = b"") -> str:
    """Return a token as an attacker would make it: any header, an HMAC under `key` or no signature."""
    head = b".".join(jose.b64url(msgspec.json.encode(part)) for part in (header, claims))
    return (head + b"." + (jose.b64url(secrets.mac(key, head)) if key else b"")).decode()


async def test_no_algorithm_but_the_keys_own_is_believed(door: Door) -> None:
    """Alg none, HMAC under the public key, another key with our kid, an embedded key, another type: all are strangers' tokens (RFC 8725)."""
    person = await door.person()
    good = jose.peek((await door.tokens(person))["access_token"])
    claims = dict(good.claims)
    async with door.world.read() as reader:
        (public,) = tuple(await keys.public_keys(reader))
    kid = str(good.header.kid)
    jwk = msgspec.json.encode(public.jwk)
    other = SigningKey.generate(Alg.ES256)
    same_name = SigningKey.load(other.dump(), Alg.ES256, kid)
    forged = [
        _forged(claims, {"alg": "none", "typ": "at+jwt", "kid": kid}),
        _forged(claims, {"alg": "None", "typ": "at+jwt"}),
        _forged(claims, {"alg": "HS256", "typ": "at+jwt", "kid": kid}, jwk),
        _forged(claims, {"alg": "ES256", "typ": "at+jwt", "kid": kid}, b"x" * 32),
        jose.encode_jwt(same_name, claims, "at+jwt"),
        jose.encode_jwt(other, claims, "at+jwt"),
    ]
    async with door.world.read() as reader:
        ours = await keys.signer(reader)
    forged += [
        jose.encode_jwt(ours, claims, "JWT"),
        jose.encode_jwt(ours, {**claims, "iss": RIVAL}, "at+jwt"),
        jose.encode_jwt(ours, {**claims, "exp": 1}, "at+jwt"),
    ]
    for token in forged:
        assert (await door.userinfo(token)).status == 401
        assert not await door.active(token)
    assert (await door.userinfo(jose.encode_jwt(ours, claims, "at+jwt"))).status == 200


async def test_the_api_takes_tokens_for_itself_with_the_scope(door: Door) -> None:
    """Audience `<issuer>/api/v1`; the list of sessions and their end reach tokens at once."""
    person = await door.person()
    bound = await door.tokens(person, scope="openid read")
    reads = (await door.token(auth="svc", grant_type="client_credentials", scope="limen:sessions:read")).json()["access_token"]
    both = (await door.token(auth="svc", grant_type="client_credentials", scope="limen:sessions:read limen:sessions:write")).json()["access_token"]
    assert jose.peek(reads).claims["aud"] == f"{BASE}/api/v1"
    path = f"/api/v1/sessions?account={person.account}"
    listed = await door.calls.get(path, headers={"authorization": f"Bearer {reads}"})
    assert listed.status == 200, listed.text
    (one,) = listed.json()["items"]
    assert (one["id"], one["account"], one["address"], one["user_agent"]) == (person.session, person.account, "192.0.2.7", "a browser")
    refused = await door.calls.send("DELETE", path, b"", {"authorization": f"Bearer {reads}"})
    assert refused.status == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    for wrong in (bound["access_token"], "nonsense"):
        assert (await door.calls.get(path, headers={"authorization": f"Bearer {wrong}"})).status == 401
    gone = await door.calls.send("DELETE", f"/api/v1/sessions/{person.session}", b"", {"authorization": f"Bearer {both}"})
    assert gone.status == 204
    again = await door.calls.send("DELETE", f"/api/v1/sessions/{person.session}", b"", {"authorization": f"Bearer {both}"})
    assert again.status == 404
    assert not await door.active(bound["access_token"])
    assert "/signin?" in (await door.ask(person.browser)).location


async def test_a_flood_of_rubbish_slows_down_its_source_alone(door: Door) -> None:
    """429 with Retry-After for the address that was refused again and again; others go on."""
    noisy = Client(door.app, BASE, address="192.0.2.99")
    answers = [await noisy.post("/oauth/token", form={"grant_type": "client_credentials", "client_id": "nobody"}) for _ in range(400)]
    slowed = [answer for answer in answers if answer.status == 429]
    assert slowed
    assert int(slowed[0].headers["retry-after"]) > 0
    assert (await door.token(auth="svc", grant_type="client_credentials", scope="read")).status == 200
    assert await door.facts("oauth.token_refused") == []


async def test_many_at_once_each_get_their_own(door: Door) -> None:
    """A hundred tokens at once are a hundred different ones, each recorded."""
    answers = await asyncio.gather(*(door.token(auth="svc", grant_type="client_credentials", scope="read") for _ in range(100)))
    ids = {str(jose.peek(answer.json()["access_token"]).claims["jti"]) for answer in answers}
    assert len(ids) == 100
    assert {fact.data["token"] for fact in await door.facts("oauth.token_issued")} == ids
