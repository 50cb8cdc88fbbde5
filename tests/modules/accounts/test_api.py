"""Accounts over HTTP."""

from __future__ import annotations

import asyncio

import pytest

from limen.modules import tenants
from limen.modules.accounts.api import ENDPOINTS
from limen.modules.accounts.holder import HOLDER
from limen.platform.pages import Brand
from tests.conftest import World
from tests.rig.api import Api, open_api

pytestmark = pytest.mark.anyio

ADA = {"identifiers": [{"kind": "email", "value": "Ada@Example.com"}, {"value": "ada@work.example"}]}


async def opened(world: World) -> Api:
    return (await open_api(world, ENDPOINTS)).having("accounts:read", "accounts:write")


async def test_an_account_is_made_found_and_listed(world: World) -> None:
    """POST answers 201 with its address; it is found by id and by each identifier, and stands in the list."""
    api = await opened(world)
    made = await api.call("POST", "/accounts", ADA)
    assert made.status == 201
    shown = made.json()
    assert made.location == f"http://localhost:8400/api/v1/accounts/{shown['id']}"
    assert (shown["state"], [one["value"] for one in shown["identifiers"]]) == ("registered", ["Ada@example.com", "ada@work.example"])
    assert await api.done("GET", f"/accounts/{shown['id']}") == shown
    for written in ("ada%40example.com", "ADA%40WORK.example"):
        assert (await api.done("GET", f"/accounts?identifier={written}"))["items"] == [shown]
    assert (await api.done("GET", "/accounts?identifier=bob%40example.com"))["items"] == []
    assert await api.done("GET", "/accounts") == {"items": [shown], "after": None}


async def test_pages_of_the_list_follow_one_another(world: World) -> None:
    """`after` of one page begins the next."""
    api = await opened(world)
    made = []
    for number in range(5):
        world.advance(1)
        made.append((await api.done("POST", "/accounts", {"identifiers": [{"value": f"a{number}@example.com"}]}))["id"])
    listed: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await api.done("GET", f"/accounts?limit=2&after={after}")
        listed += [one["id"] for one in page["items"]]
        after = page["after"]
    assert listed == made


async def test_a_taken_identifier_makes_nothing(world: World) -> None:
    """409, also where only the second one is taken: then the first is free still."""
    api = await opened(world)
    await api.done("POST", "/accounts", ADA)
    for identifiers in ([{"value": "ada@example.com"}], [{"value": "bob@example.com"}, {"value": "ADA@work.example"}]):
        refused = await api.call("POST", "/accounts", {"identifiers": identifiers})
        assert (refused.status, refused.json()["code"]) == (409, "identifier_taken")
        assert refused.headers["content-type"] == "application/problem+json"
    await api.done("POST", "/accounts", {"identifiers": [{"value": "bob@example.com"}]})


async def test_of_many_calls_at_once_one_makes_the_account(world: World) -> None:
    """One 201, the others 409."""
    api = await opened(world)
    answers = await asyncio.gather(*(api.call("POST", "/accounts", ADA) for _ in range(8)))
    assert sorted(one.status for one in answers) == [201] + [409] * 7


async def test_states_are_moved_with_a_reason_and_a_version(world: World) -> None:
    """The ETag is the version; If-Match of another is refused, and so is what the state forbids."""
    api = await opened(world)
    account = (await api.done("POST", "/accounts", ADA))["id"]
    suspended = await api.call("POST", f"/accounts/{account}/suspend", {"reason": "chargeback"}, if_match='"1"')
    assert (suspended.status, suspended.json()["state"], suspended.headers["etag"]) == (200, "suspended", '"2"')
    stale = await api.call("POST", f"/accounts/{account}/resume", if_match='"1"')
    assert (stale.status, stale.json()["code"]) == (409, "account_changed_meanwhile")
    assert (await api.done("POST", f"/accounts/{account}/resume"))["state"] == "registered"
    assert (await api.done("POST", f"/accounts/{account}/close", {}))["state"] == "closed"
    late = await api.call("POST", f"/accounts/{account}/resume")
    assert (late.status, late.json()["code"]) == (409, "state_forbids")


async def test_identifiers_come_and_go(world: World) -> None:
    """Added, dropped, never the last."""
    api = await opened(world)
    shown = await api.done("POST", "/accounts", {"identifiers": [{"value": "ada@example.com"}]})
    path = f"/accounts/{shown['id']}/identifiers"
    added = await api.done("POST", path, {"value": "ada@new.example"})
    assert [one["value"] for one in added["identifiers"]] == ["ada@example.com", "ada@new.example"]
    assert (await api.call("DELETE", f"{path}/{added['identifiers'][0]['id']}")).status == 204
    last = await api.call("DELETE", f"{path}/{added['identifiers'][1]['id']}")
    assert (last.status, last.json()["code"]) == (409, "last_identifier")
    assert (await api.call("DELETE", f"{path}/idn_nothing")).status == 404


BAD = [
    ("POST", "/accounts", {}, 400),
    ("POST", "/accounts", {"identifiers": []}, 400),
    ("POST", "/accounts", {"identifiers": [{"value": "nobody"}]}, 400),
    ("POST", "/accounts", {"identifiers": [{"value": "x" * 321}]}, 400),
    ("POST", "/accounts", {"identifiers": [{"kind": "phone", "value": "+4930"}]}, 400),
    ("POST", "/accounts", {"identifiers": [{"value": "a@b.example"}] * 21}, 400),
    ("POST", "/accounts", {"identifiers": [{"value": "a@b.example", "verified": False}]}, 400),
    ("POST", "/accounts", {"identifiers": "a@b.example"}, 400),
    ("POST", "/accounts", [1], 400),
    ("GET", "/accounts?limit=0", None, 400),
    ("GET", "/accounts?limit=201", None, 400),
    ("GET", "/accounts?limit=x", None, 400),
    ("GET", "/accounts?identifier=nobody", None, 400),
    ("GET", "/accounts?after=a&after=b", None, 400),
    ("GET", "/accounts/acc_nobody", None, 404),
    ("GET", "/accounts/%00", None, 404),
    ("POST", "/accounts/acc_nobody/suspend", {}, 404),
    ("POST", "/accounts/acc_nobody/suspend", {"reason": "Ada, who lives next door"}, 400),
    ("POST", "/accounts/acc_nobody/suspend", {"why": "x"}, 400),
    ("POST", "/accounts/acc_nobody/identifiers", {"value": "a@b.example"}, 404),
    ("PUT", "/accounts/acc_nobody", {}, 405),
]


async def test_bad_requests_are_told_as_problems(world: World) -> None:
    """Never a 5xx, and never the value that was wrong."""
    api = await opened(world)
    for method, path, body, status in BAD:
        refused = await api.call(method, path, body)
        assert refused.status == status, (method, path, body, refused.text)
        assert refused.headers["content-type"] == "application/problem+json"
        assert "next door" not in refused.text


async def test_reading_does_not_allow_writing(world: World) -> None:
    """Each endpoint wants its own scope."""
    api = await open_api(world, ENDPOINTS)
    reader, writer = api.having("accounts:read"), api.having("accounts:write")
    assert (await reader.call("POST", "/accounts", ADA)).status == 403
    assert (await writer.call("POST", "/accounts", ADA)).status == 201
    assert (await writer.call("GET", "/accounts")).status == 403
    assert (await reader.call("GET", "/accounts")).status == 200
    assert (await api.client.send("GET", "/api/v1/accounts", b"", {})).status == 401


async def having(world: World, **own: object) -> None:
    async with world.work() as work:
        await tenants.save(work, tenants.Tenant(name=world.tenant, brand=Brand(name="Acme"), settings={"accounts": own}))


async def test_kinds_beside_email_are_for_tenants_that_say_so(world: World) -> None:
    """400 with a code of its own for a number or a name as long as the tenant's file does not name the kind."""
    api = await opened(world)
    for identifier in ({"kind": "phone", "value": "+4915112345678"}, {"kind": "username", "value": "ada.l"}):
        refused = await api.call("POST", "/accounts", {"identifiers": [identifier]})
        assert (refused.status, refused.json()["code"]) == (400, "identifier_kind_not_allowed")
    assert await api.done("GET", "/accounts") == {"items": [], "after": None}


async def test_numbers_and_names_are_identifiers_like_addresses(world: World) -> None:
    """An account is made with all three, found by each however it is written, and keeps them from others; they are exported and forgotten with it."""
    api = await opened(world)
    await having(world, identifiers=["email", "phone", "username"], region="DE")
    three = [{"kind": "phone", "value": "0151 / 1234 5678"}, {"kind": "username", "value": "Ada.L"}, {"value": "ada@example.com"}]
    shown = await api.done("POST", "/accounts", {"identifiers": three})
    assert [(one["kind"], one["value"]) for one in shown["identifiers"]] == [("phone", "+4915112345678"), ("username", "Ada.L"), ("email", "ada@example.com")]
    for query in ("kind=phone&identifier=%2B49%20151%2012345678", "kind=phone&identifier=015112345678", "kind=username&identifier=ADA.L"):
        assert (await api.done("GET", f"/accounts?{query}"))["items"] == [shown]
    assert (await api.done("GET", "/accounts?kind=email&identifier=bob%40example.com"))["items"] == []
    for taken in ({"kind": "phone", "value": "+4915112345678"}, {"kind": "username", "value": "ada.l"}):
        refused = await api.call("POST", "/accounts", {"identifiers": [taken]})
        assert (refused.status, refused.json()["code"]) == (409, "identifier_taken")
    again = await api.done("POST", f"/accounts/{shown['id']}/identifiers", {"kind": "username", "value": "ADA.l"})
    assert again["identifiers"] == shown["identifiers"]
    async with world.read() as read:
        exported = (await HOLDER.export(read, shown["id"], None)).records
        assert [one["value"] for one in exported[1:]] == ["+4915112345678", "Ada.L", "ada@example.com"]
    async with world.work() as work:
        await HOLDER.forget(work, shown["id"])
    await api.done("POST", "/accounts", {"identifiers": [{"kind": "phone", "value": "+4915112345678"}]})


WRONG = {"phone": ("+4900", "+4911012345678"), "username": ("ad.min", "acme-shop", "17")}


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in WRONG.items() for value in values])
async def test_what_nobody_may_have_is_refused(world: World, kind: str, value: str) -> None:
    """Numbers that are nobody's, and names that are reserved, by the house or by the tenant, whatever stands between their letters."""
    api = await opened(world)
    await having(world, identifiers=["email", "phone", "username"], reserved=["Acme.Shop"])
    refused = await api.call("POST", "/accounts", {"identifiers": [{"kind": kind, "value": value}]})
    assert (refused.status, refused.json()["code"]) == (400, "invalid_identifier")
    assert value not in refused.text
