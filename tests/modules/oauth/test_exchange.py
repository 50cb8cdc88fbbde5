"""Token exchange (RFC 8693) and assertions of other issuers (RFC 7523, section 2.1): nobody gets a token for somebody else but by a rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from limen.kernel import secrets
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import ClientId
from limen.kernel.secrets import Secret
from limen.modules import accounts, clients, sessions
from limen.modules.clients import Client, ClientKind, GrantType
from limen.modules.sessions import EndReason
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, SigningKey
from tests.modules.oauth.conftest import ACME, API, BASE, SECRET, Door
from tests.modules.oauth.test_pushed import jwks

pytestmark = pytest.mark.anyio

EXCHANGE = GrantType.TOKEN_EXCHANGE.value
ACCESS = "urn:ietf:params:oauth:token-type:access_token"
BEARER = GrantType.JWT_BEARER.value
PARTNER = "https://partner.example"
KEY = SigningKey.generate(Alg.ES256)


@pytest.fixture
async def served(door: Door) -> Door:
    """An API in front of another: `orders` may bring tokens of the shop, `billing` those of `orders`."""
    async with door.world.work() as work:
        for name in ("orders", "billing"):
            made = Client(id=ClientId(name), kind=ClientKind.SERVICE, grants=(GrantType.TOKEN_EXCHANGE, GrantType.CLIENT_CREDENTIALS), scopes=("read", "write"))
            await clients.save(work, clients.with_secret(made, secrets_of(), work.now))
    await door.set("oauth", exchange=[rule("orders", "shop"), rule("billing", "orders", mode="impersonation")])
    return door


def secrets_of() -> Secret[str]:
    """Return the one secret of the tests."""
    return Secret(SECRET)


def rule(client: str, subject: str, **more: Any) -> dict[str, Any]:
    """Return a rule as the tenant's file has it."""
    return {"client": client, "subjects": [subject], **more}


async def exchange(door: Door, token: str, auth: str = "orders", **more: str) -> Any:
    """Bring a token."""
    return await door.token(auth=auth, grant_type=EXCHANGE, subject_token=token, subject_token_type=ACCESS, **more)


async def test_a_service_gets_a_token_that_says_who_acts(served: Door) -> None:
    """RFC 8693, 2.2.1 and 4.1: the person stays, the client changes, `act` names the service; one inside the other."""
    body = await served.tokens(await served.person(), scope="openid read")
    given = await exchange(served, body["access_token"])
    assert given.status == 200, given.text
    answer = given.json()
    assert answer["issued_token_type"] == ACCESS
    said = jose.peek(answer["access_token"]).claims
    assert (said["sub"], said["client_id"], said["aud"], said["act"]) == (jose.peek(body["access_token"]).claims["sub"], "orders", API, {"sub": "orders"})
    assert "refresh_token" not in answer
    looked = (await served.call("/oauth/introspect", auth="orders", token=answer["access_token"])).json()
    assert (looked["active"], looked["act"]) == (True, {"sub": "orders"})
    again = (await exchange(served, answer["access_token"], auth="billing")).json()
    assert jose.peek(again["access_token"]).claims["act"] == {"sub": "orders"}
    told = {(fact.data["client"], fact.data["mode"]) for fact in await served.facts("oauth.token_exchanged")}
    assert told == {("orders", "delegation"), ("billing", "impersonation")}


async def test_it_ends_with_what_it_came_from(served: Door) -> None:
    """Neither revocation nor the session's end nor time leaves it alive."""
    person = await served.person()
    body = await served.tokens(person, scope="openid read")
    served.world.advance(300)
    given = (await exchange(served, body["access_token"])).json()
    assert given["expires_in"] == 300
    assert await served.active(given["access_token"], "orders")
    assert person.session is not None
    async with served.world.db.work(ACME, SYSTEM) as work:
        await sessions.end(work, person.session, EndReason.SIGNED_OUT)
    assert not await served.active(given["access_token"], "orders")
    assert (await exchange(served, body["access_token"])).status == 400


async def test_nothing_is_exchanged_without_a_rule(served: Door) -> None:
    """Another client, another's token, another resource, a dead token, a scope it has not, somebody else's actor token."""
    person = await served.person()
    body = await served.tokens(person, scope="openid read")
    token = body["access_token"]
    for auth, changes, error in (
        ("billing", {}, "unauthorized_client"),
        ("svc", {}, "unauthorized_client"),
        ("orders", {"resource": "https://elsewhere.example"}, "invalid_target"),
        ("orders", {"scope": "limen:sessions:read"}, "invalid_scope"),
        ("orders", {"scope": "open"}, "invalid_scope"),
        ("orders", {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ("orders", {"actor_token": token, "actor_token_type": ACCESS}, "invalid_request"),
        ("orders", {"actor_token": "x"}, "invalid_request"),
    ):
        refused = await exchange(served, token, auth=auth, **changes)
        assert (refused.status, refused.json()["error"]) == (400, error), (auth, changes, refused.text)
    for dead in ("", "rubbish", body["id_token"], body["refresh_token"], f"{token[:-4]}AAAA"):
        refused = await exchange(served, dead)
        assert (refused.status, refused.json()["error"]) == (400, "invalid_request"), dead
    await served.set("oauth", exchange=[rule("orders", "shop", resources=["https://vault.acme.example"])])
    assert (await exchange(served, token)).json()["error"] == "invalid_target"


async def test_who_may_act_is_announced_where_a_rule_says_so(served: Door) -> None:
    """RFC 8693, 4.4: `may_act` names the one that may, and no other one does."""
    await served.set("oauth", exchange=[rule("orders", "shop", announced=True), rule("billing", "shop")])
    body = await served.tokens(await served.person(), scope="openid read")
    assert jose.peek(body["access_token"]).claims["may_act"] == {"sub": "orders"}
    assert (await exchange(served, body["access_token"])).status == 200
    assert (await exchange(served, body["access_token"], auth="billing")).json()["error"] == "invalid_request"


async def test_an_actor_token_names_the_actor(served: Door) -> None:
    """RFC 8693, 2.1: a token of the client's own says for whom it acts."""
    body = await served.tokens(await served.person(), scope="openid read")
    own = (await served.token(auth="orders", grant_type="client_credentials", scope="read")).json()["access_token"]
    given = (await exchange(served, body["access_token"], actor_token=own, actor_token_type=ACCESS)).json()
    assert jose.peek(given["access_token"]).claims["act"] == {"sub": "orders"}


def assertion(door: Door, key: SigningKey = KEY, **changes: Any) -> str:
    """Return an assertion of the partner's."""
    now = int(door.world.clock.now().timestamp())
    said = {"iss": PARTNER, "sub": "ada@partner.example", "aud": BASE, "iat": now, "exp": now + 60, "jti": secrets.token(), **changes}
    return jose.encode_jwt(key, {name: value for name, value in said.items() if value is not None}, "JWT")


@pytest.fixture
async def trusting(door: Door) -> Door:
    """The shop may bring assertions of a partner, about a person who lets it read."""
    async with door.world.work() as work:
        held = await clients.take(work, ClientId("shop"))
        await clients.save(work, replace(held, grants=(*held.grants, GrantType.JWT_BEARER)))
    await door.set("oauth", issuers=[{"issuer": PARTNER, "clients": ["shop"], "jwks": jwks(KEY), "subject": "email"}])
    return door


async def bring(door: Door, token: str, auth: str = "shop", scope: str = "read") -> Any:
    """Bring an assertion."""
    return await door.token(auth=auth, grant_type=BEARER, assertion=token, scope=scope)


async def test_an_assertion_of_a_trusted_issuer_gives_a_token(trusting: Door) -> None:
    """RFC 7523, 2.1 and 3: for a person who has an account and let the app in; once."""
    person = await trusting.person()
    async with trusting.world.read() as read:
        (own,) = await accounts.identifiers(read, person.account)
    token = assertion(trusting, sub=own.value)
    given = await bring(trusting, token)
    assert given.status == 200, given.text
    said = jose.peek(given.json()["access_token"]).claims
    assert (said["sub"], said["scope"]) == (person.account, "read")
    told = (await trusting.call("/oauth/introspect", auth="shop", token=given.json()["access_token"])).json()
    for one in (said, told):
        assert not {"auth_time", "acr", "amr"} & one.keys()  # nobody here saw her sign in, so no API takes it for fresh (RFC 9470)
    assert told["active"]
    assert (await bring(trusting, token)).json()["error"] == "invalid_grant"
    async with trusting.world.db.work(ACME, SYSTEM) as work:
        await accounts.suspend(work, person.account, "test")
    assert not await trusting.active(given.json()["access_token"])
    assert (await bring(trusting, assertion(trusting, sub=own.value))).json()["error"] == "invalid_grant"


async def test_other_assertions_give_nothing(trusting: Door) -> None:
    """RFC 7523, 3: issuer, audience, dates, signature, subject, name; and the person's own yes."""
    person = await trusting.person(consent=())
    async with trusting.world.read() as read:
        (own,) = await accounts.identifiers(read, person.account)
    now = int(trusting.world.clock.now().timestamp())
    for changes in (
        {"iss": "https://evil.example"},
        {"aud": "https://evil.example"},
        {"exp": now - 1},
        {"exp": None},
        {"exp": now + 4000},
        {"nbf": now + 60},
        {"jti": None},
        {"sub": None},
        {"sub": "nobody@partner.example"},
        {"sub": "no address"},
        {"sub": own.value},  # who has not let the shop in
    ):
        refused = await bring(trusting, assertion(trusting, **changes))
        assert (refused.status, refused.json()["error"]) == (400, "invalid_grant"), changes
    assert (await bring(trusting, assertion(trusting, SigningKey.generate(Alg.ES256)))).json()["error"] == "invalid_grant"
    assert (await bring(trusting, assertion(trusting), auth="old")).json()["error"] == "unauthorized_client"
    unproved = await trusting.token(auth="shop", secret="wrong", grant_type=BEARER, assertion=assertion(trusting), scope="read")
    assert (unproved.status, unproved.json()["error"]) == (401, "invalid_client")
