"""Global Token Revocation (draft 06): who may ends all that a person has here; nobody else, and nowhere it is not switched on."""

from __future__ import annotations

from typing import Any

import pytest

from limen.kernel.ids import ClientId
from limen.modules import clients
from limen.modules.clients import SubjectType
from limen.platform.wire import jose
from tests.modules.oauth.conftest import BASE, RIVAL, Door
from tests.modules.oauth.test_backchannel import told
from tests.modules.oauth.test_logout import signed_in
from tests.rig.asgi import Answer
from tests.rig.ear import listening

pytestmark = pytest.mark.anyio

PATH = "/oauth/global-token-revocation"
WRITE = "limen:sessions:write"


async def machine(door: Door, scope: str = WRITE) -> str:
    """Return an access token of the service."""
    return str((await door.token(auth="svc", grant_type="client_credentials", scope=scope)).json()["access_token"])


async def revoke(door: Door, subject: object, *, scope: str = WRITE, token: str = "", base: str = BASE) -> Answer:
    """Ask for the end of a person's tokens."""
    headers = {"authorization": f"Bearer {token or await machine(door, scope)}"}
    return await door.calls.post(f"{base}{PATH}", json={"sub_id": subject}, headers=headers)


async def test_all_of_a_person_ends(door: Door) -> None:
    """Section 3.3: sessions, refresh tokens (offline ones too) and access tokens; a new one takes a new sign-in; the apps are told, the log says who did it."""
    await door.set("oauth", global_token_revocation=True)
    person, other = await door.person(), await door.person()
    body, kept = await door.tokens(person, scope="openid offline_access read"), await door.tokens(other)
    async with listening() as ear:
        await door.change("shop", backchannel_logout_uri=ear.uri())
        answer = await revoke(door, {"format": "opaque", "id": person.account})
        assert (answer.status, answer.body) == (204, b"")
        heard = await told(door, ear)
    assert [claims["sub"] for claims in heard] == [person.account]
    assert not await door.active(body["access_token"])
    assert (await door.refresh(body["refresh_token"])).status == 400
    assert not await signed_in(door, person)
    assert await signed_in(door, other)
    assert (await door.refresh(kept["refresh_token"])).status == 200
    (fact,) = await door.facts("sessions.all_ended")
    assert (fact.subject, fact.data["reason"]) == (person.account, "revoked")


async def test_each_way_to_name_somebody(door: Door) -> None:
    """RFC 9493: by issuer and subject, by address, by `acct:`, by the account's id."""
    await door.set("oauth", global_token_revocation=True)
    person = await door.person()
    names: list[dict[str, str]] = [
        {"format": "iss_sub", "iss": BASE, "sub": person.account},
        {"format": "email", "email": "ADA1@example.com"},
        {"format": "account", "uri": "acct:ada1@example.com"},
        {"format": "opaque", "id": person.account},
    ]
    for name in names:
        await door.sign_in(person)
        assert await signed_in(door, person)
        assert (await revoke(door, name)).status == 204, name
        assert not await signed_in(door, person), name


async def test_a_sector_names_people_its_own_way(door: Door) -> None:
    """A pairwise caller means whom its own ID tokens call so, and nobody by another's name."""
    await door.set("oauth", global_token_revocation=True)
    await door.change("shop", subject_type=SubjectType.PAIRWISE)
    person = await door.person()
    sub = str(jose.peek((await door.tokens(person))["id_token"]).claims["sub"])
    assert (await revoke(door, {"format": "iss_sub", "iss": BASE, "sub": sub})).status == 404
    async with door.world.work() as work:
        svc = await clients.take(work, ClientId("svc"))
    assert svc.subject_type is SubjectType.PUBLIC
    await door.change("svc", subject_type=SubjectType.PAIRWISE, sector_identifier_uri="https://shop.example/sector")
    assert (await revoke(door, {"format": "iss_sub", "iss": BASE, "sub": person.account})).status == 404
    assert (await revoke(door, {"format": "iss_sub", "iss": BASE, "sub": sub})).status == 204
    assert not await signed_in(door, person)


@pytest.mark.parametrize(
    "subject",
    [
        {"format": "opaque", "id": "acc_nobody"},
        {"format": "email", "email": "nobody@example.com"},
        {"format": "email", "email": "no address"},
        {"format": "account", "uri": "https://example.com/ada"},
        {"format": "iss_sub", "iss": "https://elsewhere.example", "sub": "x"},
        {"format": "iss_sub", "iss": RIVAL, "sub": "x"},
    ],
)
async def test_nobody_is_404(door: Door, subject: dict[str, str]) -> None:
    """Section 3.4.2; the caller may know, for it may end whomever it can name."""
    await door.set("oauth", global_token_revocation=True)
    assert (await revoke(door, subject)).status == 404


@pytest.mark.parametrize(
    "subject",
    [None, "ada", {}, {"format": "phone_number", "phone_number": "+1"}, {"format": "email"}, {"format": "email", "email": "a@b.example", "id": "x"}, [], 7],
)
async def test_what_cannot_be_read_is_400(door: Door, subject: Any) -> None:
    """Section 3.4.2: a format that is not known, a member that is missing or too much."""
    await door.set("oauth", global_token_revocation=True)
    person = await door.person()
    assert (await revoke(door, subject)).status == 400
    assert await signed_in(door, person)


async def test_only_who_may(door: Door) -> None:
    """No token: 401; one without the scope: 403; another tenant's, or a person's: 401."""
    await door.set("oauth", global_token_revocation=True)
    person = await door.person()
    name = {"format": "opaque", "id": person.account}
    assert (await door.calls.post(PATH, json={"sub_id": name})).status == 401
    assert (await revoke(door, name, scope="limen:sessions:read")).status == 403
    foreign = (await door.token(auth="svc", base=RIVAL, grant_type="client_credentials", scope=WRITE)).json()["access_token"]
    assert (await revoke(door, name, token=foreign)).status == 401
    assert (await revoke(door, name, token=(await door.tokens(person))["access_token"])).status == 401
    assert (await person.browser.post(PATH, json={"sub_id": name})).status == 401
    assert await signed_in(door, person)


async def test_it_is_off_unless_the_tenant_says(door: Door) -> None:
    """A draft: neither served nor named in the metadata."""
    person = await door.person()
    assert (await revoke(door, {"format": "opaque", "id": person.account})).status == 404
    assert await signed_in(door, person)
    metadata = "/.well-known/oauth-authorization-server"
    assert not [name for name in (await door.calls.get(metadata)).json() if name.startswith("global_token")]
    await door.set("oauth", global_token_revocation=True)
    document = (await door.calls.get(metadata)).json()
    assert document["global_token_revocation_endpoint"] == f"{BASE}{PATH}"
    assert document["global_token_revocation_endpoint_auth_methods_supported"] == ["Bearer"]
