"""Rich authorization requests (RFC 9396): what the person was shown is what the token says, and nothing on the way makes another of it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from limen.modules.clients import GrantType
from limen.platform.wire import jose
from tests.modules.oauth.conftest import API, VAULT, Door, Person, answered, asked, to_app
from tests.modules.oauth.test_exchange import exchange, rule, served

pytestmark = pytest.mark.anyio

__all__ = ["served"]

PAYMENT = {"type": "payment", "actions": ["initiate"], "amount": {"value": "123.50", "currency": "EUR"}, "payee": "Merchant A"}
LARGER = {**PAYMENT, "amount": {"value": "9123.50", "currency": "EUR"}}


@pytest.fixture
async def paying(door: Door) -> Door:
    """The tenant knows payments, which the shop may ask for."""
    kind = {"type": "payment", "words": "Pay {amount.value} {amount.currency} to {payee}", "required": ["amount", "payee"], "resource": API}
    await door.set("oauth", details=[kind, {"type": "note", "words": "Read {actions}"}])
    await door.change("shop", authorization_details_types=("payment", "note"))
    return door


async def allowed(person: Person, *details: Any, **changes: Any) -> str:
    """Let the person say yes, and return the code."""
    wanted = {"authorization_details": json.dumps(details), "scope": "openid read", **changes}
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked(**wanted))}")
    answer = await person.browser.submit(page, action="allow", follow=False)
    return answered(await to_app(person.browser, answer))["code"]


async def test_what_she_reads_is_what_the_token_says(paying: Door) -> None:
    """2, 3, 7, 9.1 and 9.2: told in the tenant's words each time; in the answer, the token, introspection and after a refresh letter by letter."""
    person = await paying.person()
    for _ in range(2):
        page = await person.browser.get(f"/oauth/authorize?{urlencode(asked(scope='openid read', authorization_details=json.dumps([PAYMENT])))}")
        assert "Pay 123.50 EUR to Merchant A" in page.words
        assert "Read your orders" in page.words
        assert "what the app has done by then stays done" in page.words
        assert "at any time" not in page.words
        assert answered(await paying.ask(person.browser, prompt="none", authorization_details=json.dumps([PAYMENT])))["error"] == "consent_required"
    body = (await paying.redeem(await allowed(person, PAYMENT))).json()
    again = (await paying.refresh(body["refresh_token"])).json()
    for one in (body, again):
        assert one["authorization_details"] == [PAYMENT]
        assert jose.peek(one["access_token"]).claims["authorization_details"] == [PAYMENT]
        assert (await paying.call("/oauth/introspect", auth="shop", token=one["access_token"])).json()["authorization_details"] == [PAYMENT]


async def test_the_portal_lists_them_in_the_words_they_were_allowed_in(paying: Door) -> None:
    """A person finds again what she read on the consent page, each thing once, until the app's access is taken back."""
    person = await paying.person()
    for one in (PAYMENT, PAYMENT, LARGER):
        await paying.redeem(await allowed(person, one))
    page = await person.browser.get("/account/apps")
    assert [page.words.count(f"Pay {amount} EUR to Merchant A") for amount in ("123.50", "9123.50")] == [1, 1]
    assert "Merchant A" not in (await person.browser.submit(page, action="remove")).words


async def test_details_are_of_a_declared_type_and_shape(paying: Door) -> None:
    """5: a type that is unknown or not registered, a member missing, too many or of another type, too much of all: `invalid_authorization_details`."""
    person = await paying.person()
    bad: list[Any] = [
        [{**PAYMENT, "type": "transfer"}],
        [{"amount": {}, "payee": "x"}],
        [{"type": "payment", "payee": "x"}],
        [{**PAYMENT, "extra": 1}],
        [{**PAYMENT, "actions": "initiate"}],
        [PAYMENT, {**PAYMENT, "locations": [7]}],
        [{**PAYMENT, "identifier": 7}],
        [PAYMENT] * 21,
        [{**PAYMENT, "payee": "x" * 9_000}],
        {"type": "payment"},
        [],
        "x",
    ]
    for wrong in bad:
        found = answered(await paying.ask(person.browser, authorization_details=json.dumps(wrong)))
        assert found["error"] == "invalid_authorization_details", wrong
    twice = json.dumps([PAYMENT])[:-2] + ', "payee": "Thief"}]'
    assert answered(await paying.ask(person.browser, authorization_details=twice))["error"] == "invalid_authorization_details"
    assert answered(await paying.ask(person.browser, "spa", authorization_details=json.dumps([PAYMENT])))["error"] == "invalid_authorization_details"


async def test_an_app_writes_nothing_beside_the_details(paying: Door) -> None:
    """2: what follows the array would stand in the signed token as members of its own: another person, an actor, a role. It is refused."""
    person = await paying.person()
    for beside in (', "sub": "acc_victim"', ', "may_act": {"sub": "svc"}', ', "roles": ["admin"]', ', "_": []', "}, {", " 1", "\n,"):
        text = json.dumps([{"type": "note"}]) + beside
        found = answered(await paying.ask(person.browser, scope="openid read", authorization_details=text))
        assert found["error"] == "invalid_authorization_details", text
    body = (await paying.redeem(await allowed(person, {"type": "note"}))).json()
    swapped = await paying.refresh(body["refresh_token"], authorization_details=json.dumps([{"type": "note"}]) + ', "x": 1')
    assert swapped.json()["error"] == "invalid_authorization_details"


async def test_details_are_not_swapped_on_the_way_to_the_token(paying: Door) -> None:
    """6: at the token endpoint neither larger nor other details are had, by code or by refresh, and the same ones change nothing."""
    person = await paying.person()
    for wrong in ([LARGER], [PAYMENT, LARGER], [], [{"type": "note"}]):
        code = await allowed(person, PAYMENT)
        refused = await paying.redeem(code, authorization_details=json.dumps(wrong))
        assert (refused.status, refused.json()["error"]) == (400, "invalid_authorization_details"), wrong
    body = (await paying.redeem(await allowed(person, PAYMENT), authorization_details=json.dumps([PAYMENT]))).json()
    assert body["authorization_details"] == [PAYMENT]
    for text in (json.dumps([LARGER]), "no json", "x" * 10_000):
        refused = await paying.refresh(body["refresh_token"], authorization_details=text)
        assert refused.json()["error"] == "invalid_authorization_details"
    plain = (await paying.redeem(await paying.code(person, scope="openid read"), authorization_details=json.dumps([PAYMENT]))).json()
    assert plain["error"] == "invalid_authorization_details"


async def test_a_token_carries_what_is_for_its_resource(paying: Door) -> None:
    """9: a detail that its type keeps for one API is not told to another, neither in the token nor by introspection."""
    person = await paying.person()
    code = await allowed(person, PAYMENT, {"type": "note", "actions": ["read"]}, scope="openid open")
    body = (await paying.redeem(code)).json()
    looked = (await paying.call("/oauth/introspect", auth="orders-api", token=body["access_token"])).json()
    assert VAULT in looked["aud"]
    assert [one["type"] for one in looked["authorization_details"]] == ["note"]


async def test_the_page_cannot_be_written_by_the_app(paying: Door) -> None:
    """What a request says is one line of text: no markup, no turned direction, no flood; and no place of the tenant's words is filled twice."""
    person = await paying.person()
    odd = {**PAYMENT, "payee": "\u202e<script>alert(1)</script>\u2066\n\u0007{amount.value}" + "x" * 500}
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked(scope='openid read', authorization_details=json.dumps([odd])))}")
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text
    assert "<script>alert(1)</script>{amount.value}xxx" in page.words
    assert "x" * 101 not in page.text


async def test_an_exchange_gives_neither_details_nor_more_of_the_person(served: Door) -> None:
    """RFC 8693: a service that swaps a token gets its rule's scopes; what the person told the app alone, it does not."""
    kind = {"type": "payment", "words": "Pay {payee}", "required": ["amount", "payee"]}
    await served.set("oauth", details=[kind], exchange=[rule("orders", "shop"), rule("old", "shop")])
    await served.change("shop", authorization_details_types=("payment",))
    person = await served.person()
    body = (await served.redeem(await allowed(person, PAYMENT, scope="read"))).json()
    given = (await exchange(served, body["access_token"])).json()
    assert "authorization_details" not in jose.peek(given["access_token"]).claims
    looked = (await served.call("/oauth/introspect", auth="orders", token=given["access_token"])).json()
    assert (looked["active"], "authorization_details" in looked) == (True, False)
    await served.change("old", grants=(GrantType.AUTHORIZATION_CODE, GrantType.TOKEN_EXCHANGE), scopes=("openid", "read", "email"))
    refused = await exchange(served, body["access_token"], auth="old", scope="openid email")
    assert refused.json()["error"] == "invalid_scope"
