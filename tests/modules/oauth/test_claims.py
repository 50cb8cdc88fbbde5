"""What apps are told over HTTP: a tenant's own claims, and a name of their sector's own."""

from __future__ import annotations

import re

import pytest

from limen.modules import profiles
from limen.modules.clients import SubjectType
from limen.modules.profiles import Changes
from tests.modules.oauth.conftest import Door

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


async def test_userinfo_knows_a_person_by_her_sectors_name(door: Door) -> None:
    """Pairwise: the same each time, another in another sector, and never the account's id."""
    for client in ("shop", "spa"):
        await door.change(client, subject_type=SubjectType.PAIRWISE)
    person = await door.person()
    known = [(await door.userinfo((await door.tokens(person, client, scope="openid"))["access_token"])).json()["sub"] for client in ("shop", "shop", "spa")]
    assert known[0] == known[1] != known[2]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", one) for one in known)
