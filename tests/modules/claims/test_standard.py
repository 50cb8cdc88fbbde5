"""The standard claims: each scope's own, and those asked for one by one."""

from __future__ import annotations

import pytest

from limen.kernel.ids import AccountId
from limen.modules import keys, profiles
from limen.modules.claims import BY_SCOPE, JsonValue, Requested, Use
from tests.modules.claims.conftest import OWN, Shop

pytestmark = pytest.mark.anyio

ADDRESS: JsonValue = {"street_address": "12 St James's Square\nLondon", "locality": "London", "country": "GB"}


async def test_each_scope_gives_its_claims(shop: Shop) -> None:
    """OpenID Connect Core 1.0, section 5.4: all of a scope's and no others, in the types of section 5.1."""
    assert await shop.told("openid") == {}
    assert await shop.told("openid", "email") == {"email": "ada@example.com", "email_verified": True}
    assert await shop.told("openid", "address") == {"address": ADDRESS}
    assert await shop.told("openid", "phone") == {"phone_number": "+442071234567", "phone_number_verified": False}
    profile = await shop.told("openid", "profile")
    assert set(profile) == set(BY_SCOPE["profile"])
    async with shop.world.read() as reader:
        kept = await profiles.read(reader, shop.ada)
    assert kept.updated_at is not None
    assert profile["updated_at"] == int(kept.updated_at.timestamp())
    assert (profile["name"], profile["birthdate"], profile["locale"]) == ("Ada Lovelace", "1815-12-10", "en-GB")
    assert await shop.told(*OWN) == profile | await shop.told("email", "address", "phone")


async def test_a_phone_number_is_what_she_wrote(shop: Shop) -> None:
    """Nothing proves a number, and apps are told so with it, typed as a truth; without a number there is nothing to say. Asked for as true it is not told."""
    asked = {"phone_number_verified": Requested(essential=True)}
    assert await shop.told("openid", requested=asked) == {"phone_number_verified": False}
    assert await shop.told("openid", requested={"phone_number_verified": Requested(values=(True,))}) == {}
    async with shop.world.work() as work:
        await profiles.change(work, shop.ada, profiles.Changes(phone_number=None))
    assert await shop.told("openid", "phone") == {}


async def test_what_is_not_known_is_left_out(shop: Shop) -> None:
    """Of somebody nobody knows, and of somebody who was forgotten, nothing is told."""
    assert await shop.told(*OWN, account=AccountId("acc_nobody")) == {}
    async with shop.world.work() as work:
        await keys.forget_subject(work, shop.ada)
    assert await shop.told(*OWN) == {}


@pytest.mark.parametrize("use", [Use.ID_TOKEN, Use.ACCESS_TOKEN, Use.INTROSPECTION])
async def test_scopes_give_their_claims_at_userinfo(shop: Shop, use: Use) -> None:
    """Section 5.4: an ID token has them only where no access token could be used to ask for them; other tokens never."""
    assert await shop.told(*OWN, use=use) == {}
    assert (await shop.told(*OWN, use=use, alone=True) != {}) == (use is Use.ID_TOKEN)


async def test_claims_are_asked_for_one_by_one(shop: Shop) -> None:
    """Section 5.5: what a registered scope of the app covers, in any place; unknown names are left out, essential or not."""
    asked = {"name": Requested(), "email": Requested(essential=True), "shoe_size": Requested(essential=True), "sub": Requested()}
    for use in (Use.USERINFO, Use.ID_TOKEN):
        assert await shop.told("openid", use=use, requested=asked) == {"name": "Ada Lovelace", "email": "ada@example.com"}
        assert await shop.told("openid", use=use, requested=asked, client="small") == {"email": "ada@example.com"}
    assert await shop.told("openid", "phone", requested=asked) == {
        "phone_number": "+442071234567",
        "phone_number_verified": False,
        "name": "Ada Lovelace",
        "email": "ada@example.com",
    }


async def test_another_value_is_not_what_was_asked_for(shop: Shop) -> None:
    """Section 5.5.1: a claim asked for with values is told if it has one of them; what a scope gives is told all the same."""
    wrong = {"locale": Requested(values=("de", "fr")), "email_verified": Requested(values=(1,))}
    assert await shop.told("openid", requested=wrong) == {}
    right = {"locale": Requested(values=("de", "en-GB")), "email_verified": Requested(values=(True,)), "address": Requested(values=(ADDRESS,))}
    assert await shop.told("openid", requested=right) == {"locale": "en-GB", "email_verified": True, "address": ADDRESS}
    assert "locale" in await shop.told("openid", "profile", requested=wrong)
