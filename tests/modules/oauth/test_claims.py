"""What apps are told over HTTP: a tenant's own claims, and a name of their sector's own."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from limen.modules import profiles
from limen.modules.clients import SubjectType
from limen.modules.profiles import Changes
from tests.modules.oauth.conftest import Door, answered

pytestmark = pytest.mark.anyio


async def test_userinfo_tells_a_tenants_own_claims(door: Door) -> None:
    """By attribute and by expression, to the app they are for, with what its scopes give anyhow."""
    await door.set(
        "claims",
        add={
            "groups": {"value": 'email.endsWith("@example.com") ? ["staff"] : []', "scopes": ["email"], "clients": ["shop"]},
            "language": {"attribute": "locale", "scopes": ["email"]},
        },
    )
    person = await door.person()
    async with door.world.work() as work:
        await profiles.change(work, person.account, Changes(locale="de"))
    told = (await door.userinfo((await door.tokens(person, scope="openid email"))["access_token"])).json()
    assert (told["email"], told["groups"], told["language"]) == ("ada1@example.com", ["staff"], "de")
    told = (await door.userinfo((await door.tokens(person, "spa", scope="openid email"))["access_token"])).json()
    assert (told["email"], "groups" in told, told["language"]) == ("ada1@example.com", False, "de")


async def test_access_tokens_and_introspection_tell_what_they_are_set_to(door: Door) -> None:
    """A claim goes where its `tokens` say, beside what the protocol says and never in its place."""
    await door.set(
        "claims",
        add={
            "tier": {"value": '"gold"', "scopes": ["read"], "tokens": ["access_token", "introspection"]},
            "region": {"value": '"eu"', "scopes": ["read"], "tokens": ["introspection"]},
        },
    )
    person = await door.person()
    body = await door.tokens(person, scope="openid read")
    said = payload(body["access_token"])
    assert (said["tier"], said["sub"], said["scope"], "region" in said) == ("gold", person.account, "openid read", False)
    looked = (await door.call("/oauth/introspect", auth="shop", token=body["access_token"])).json()
    assert (looked["active"], looked["tier"], looked["region"], looked["client_id"]) == (True, "gold", "eu", "shop")


async def test_userinfo_knows_a_person_by_her_sectors_name(door: Door) -> None:
    """Pairwise: the same each time, another in another sector, and never the account's id."""
    for client in ("shop", "spa"):
        await door.change(client, subject_type=SubjectType.PAIRWISE)
    person = await door.person()
    known = [(await door.userinfo((await door.tokens(person, client, scope="openid"))["access_token"])).json()["sub"] for client in ("shop", "shop", "spa")]
    assert known[0] == known[1] != known[2]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", one) for one in known)


WANTED = json.dumps({"userinfo": {"name": {"essential": True}, "shoe_size": None}, "id_token": {"email": None}})


async def test_claims_asked_for_one_by_one_are_consented_to(door: Door) -> None:
    """OpenID Connect Core 1.0, section 5.5: what a claim stands for is asked like its scope, and told where it was wanted."""
    some = await door.person(consent=("openid", "profile"))
    refused = answered(await door.ask(some.browser, scope="openid", claims=WANTED, prompt="none"))
    assert refused["error"] == "consent_required"
    person = await door.person(consent=("openid", "profile", "email"))
    async with door.world.work() as work:
        await profiles.change(work, person.account, Changes(name="Ada L."))
    tokens = await door.tokens(person, scope="openid", claims=WANTED)
    assert (tokens["scope"], payload(tokens["id_token"])["email"]) == ("openid", "ada2@example.com")
    assert (await door.userinfo(tokens["access_token"])).json() == {"sub": person.account, "name": "Ada L."}


async def test_nothing_an_app_gets_has_the_account_of_a_pairwise_subject(door: Door) -> None:
    """Two apps that compare all they have find nothing in common: no id of account or session, in no token and no answer."""
    seen: list[str] = []
    for client in ("shop", "spa"):
        await door.change(client, subject_type=SubjectType.PAIRWISE)
    person = await door.person()
    for client in ("shop", "spa"):
        tokens = await door.tokens(person, client, scope="openid read offline_access")
        info = (await door.userinfo(tokens["access_token"])).json() if client == "shop" else {}
        looked = (await door.call("/oauth/introspect", auth="shop", token=tokens["access_token"])).json() if client == "shop" else {}
        assert payload(tokens["id_token"])["sub"] == payload(tokens["access_token"])["sub"]
        assert not info or info["sub"] == looked["sub"] == payload(tokens["id_token"])["sub"]
        seen.append(json.dumps([payload(tokens["id_token"]), payload(tokens["access_token"]), info, looked]))
    assert all(person.account not in one for one in seen)
    assert payload_subs(seen[0]).isdisjoint(payload_subs(seen[1]))


def payload(token: str) -> dict[str, Any]:
    """Return what a JWT says, unchecked."""
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def payload_subs(seen: str) -> set[str]:
    """Return every `sub` in it."""
    return set(re.findall(r'"sub": "([^"]+)"', seen))
