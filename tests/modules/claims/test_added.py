"""Claims of a tenant's own: by attribute and by expression, by scope and by client, each where it is told."""

from __future__ import annotations

import pytest
import structlog

from limen.kernel.ids import AccountId, ClientId
from limen.modules import claims, clients, keys, tenants
from limen.modules.claims import JsonValue, Requested, Use
from tests.modules.claims.conftest import Shop

pytestmark = pytest.mark.anyio

GROUPS = {"value": 'email.endsWith("@example.com") ? ["staff", profile.locale] : []', "scopes": ["profile"], "tokens": ["userinfo", "id_token"]}
COUNTRY = {"attribute": "address.country", "scopes": ["address"], "tokens": ["access_token", "introspection"]}


async def test_a_claim_is_told_where_it_is_to_be(shop: Shop) -> None:
    """By expression or by attribute, in the places named and no others."""
    await shop.set(add={"groups": GROUPS, "https://acme.example/country": COUNTRY})
    scopes = ("openid", "profile", "address")
    for use in Use:
        told = await shop.told(*scopes, use=use)
        assert (told.get("groups") == ["staff", "en-GB"]) == (use in (Use.USERINFO, Use.ID_TOKEN)), use
        assert (told.get("https://acme.example/country") == "GB") == (use in (Use.ACCESS_TOKEN, Use.INTROSPECTION)), use


async def test_a_claim_needs_one_of_its_scopes_and_its_client(shop: Shop) -> None:
    """Without the scope, and to another app, it is not told; for named apps no scope is needed."""
    await shop.set(add={"groups": GROUPS | {"clients": ["shop"]}, "tier": {"value": '"gold"', "clients": ["other"]}})
    assert await shop.told("openid") == {}
    assert "groups" in await shop.told("openid", "profile")
    assert "groups" not in await shop.told("openid", "profile", client="other")
    assert await shop.told("openid", client="other") == {"tier": "gold"}
    assert await shop.told("openid", client="shop") == {}


async def test_a_standard_claim_can_be_told_elsewhere_and_otherwise(shop: Shop) -> None:
    """An address in the ID token as it was proved; a name in another form, where that is told."""
    await shop.set(
        add={
            "email": {"attribute": "email", "scopes": ["email"], "tokens": ["id_token"]},
            "email_verified": {"attribute": "email_verified", "scopes": ["email"], "tokens": ["id_token"]},
            "name": {"value": 'profile.family_name + ", " + profile.given_name', "scopes": ["profile"]},
        }
    )
    assert await shop.told("openid", "email", use=Use.ID_TOKEN) == {"email": "ada@example.com", "email_verified": True}
    assert (await shop.told("openid", "email", "profile"))["name"] == "Lovelace, Ada"
    assert (await shop.told("openid", "email"))["email"] == "ada@example.com"


async def test_a_scope_can_give_more_standard_claims(shop: Shop) -> None:
    """Beside what it gives anyhow, at userinfo."""
    await shop.set(scopes={"openid": ["locale", "email"], "phone": ["address"]})
    assert await shop.told("openid") == {"locale": "en-GB", "email": "ada@example.com"}
    assert set(await shop.told("phone")) == {"phone_number", "phone_number_verified", "address"}
    assert await shop.told("openid", use=Use.ID_TOKEN) == {}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("profile.updated_at > 0 && email_verified", True),
        ('profile.birthdate != "" && timestamp(profile.birthdate + "T00:00:00Z") < now - duration("157788h")', True),
        ("[client.id, client.name, client.kind] + scopes", ["shop", "shop", "web", "openid", "profile"]),
        ('{"city": profile.address.locality, "region": profile.address.region}', {"city": "London", "region": ""}),
        ("size(profile.name)", 12),
    ],
)
async def test_what_an_expression_may_read(shop: Shop, value: str, told: JsonValue) -> None:
    """Profile, address, e-mail, app, scopes and the time; what is not known is empty."""
    await shop.set(add={"it": {"value": value, "scopes": ["profile"]}})
    assert (await shop.told("openid", "profile"))["it"] == told


async def test_no_value_is_no_claim(shop: Shop) -> None:
    """Empty, failed or too large: it is left out, the rest is told, and the log has the reason without any of the values."""
    await shop.set(
        add={
            "empty": {"value": "profile.address.region", "clients": ["shop"]},
            "unknown": {"attribute": "address.region", "clients": ["shop"]},
            "failed": {"value": "int(profile.name)", "clients": ["shop"]},
            "missed": {"value": '{"a": 1}[profile.name]', "clients": ["shop"]},
            "large": {
                "value": "[1, 2, 3].map(a, [profile.name, profile.website].map(b, [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]))",
                "clients": ["shop"],
            },
            "good": {"value": "1 + 1", "clients": ["shop"]},
        }
    )
    with structlog.testing.capture_logs() as log:
        assert await shop.told("openid") == {"good": 2}
    assert {(entry["event"], entry["claim"]) for entry in log} == {("claims.failed", "failed"), ("claims.failed", "missed"), ("claims.failed", "large")}
    assert "Lovelace" not in str(log)


async def test_an_added_claim_is_asked_for_like_any_other(shop: Shop) -> None:
    """OpenID Connect Core 1.0, section 5.5: by a registered scope, in the place asked for, and with the value asked for."""
    await shop.set(add={"groups": GROUPS | {"tokens": ["access_token"]}, "tier": {"value": '"gold"', "scopes": ["openid"], "clients": ["other"]}})
    asked = {"groups": Requested(), "tier": Requested(values=("gold",))}
    assert await shop.told("openid", requested=asked) == {"groups": ["staff", "en-GB"]}
    assert await shop.told("openid", requested=asked, client="small") == {}
    assert await shop.told("openid", use=Use.ID_TOKEN, requested=asked, client="other") == {"groups": ["staff", "en-GB"], "tier": "gold"}
    silver = {"tier": Requested(values=("silver",))}
    assert await shop.told("openid", use=Use.ID_TOKEN, requested=silver, client="other") == {}
    assert await shop.told("openid", requested=silver, client="other") == {"tier": "gold"}


async def test_consent_covers_what_is_asked_for(shop: Shop) -> None:
    """The scopes that the consent page has to show beside those asked for: one for each claim, and none where a scope at hand gives it."""
    await shop.set(add={"groups": GROUPS, "tier": {"value": "1", "scopes": ["phone"], "clients": ["other"]}}, scopes={"phone": ["locale"]})
    async with shop.world.read() as reader:
        tenant, client = await tenants.find(reader), await clients.find(reader, ClientId("shop"))
    assert client is not None
    for wanted, more in (
        (("email_verified", "email"), ("email",)),
        (("locale",), ("profile",)),
        (("groups", "address"), ("profile", "address")),
        (("shoe_size", "sub", "tier"), ()),
    ):
        assert claims.covering(tenant, wanted, client, ("openid",)) == more
    assert claims.covering(tenant, ("locale", "groups", "email"), client, ("openid", "phone", "email", "profile")) == ()


async def test_new_settings_hold_at_once(shop: Shop) -> None:
    """What was worked out for the old ones is not used."""
    await shop.set(add={"tier": {"value": '"gold"', "scopes": ["openid"]}})
    assert await shop.told("openid") == {"tier": "gold"}
    await shop.set(add={"tier": {"value": '"silver"', "scopes": ["openid"]}})
    assert await shop.told("openid") == {"tier": "silver"}
    await shop.set()
    assert await shop.told("openid") == {}


async def test_of_a_forgotten_person_nothing_is_computed(shop: Shop) -> None:
    """Her key is gone; whoever she was."""
    await shop.set(add={"groups": GROUPS, "both": {"value": "profile.name + email", "clients": ["shop"]}})
    async with shop.world.work() as work:
        await keys.forget_subject(work, shop.ada)
    assert await shop.told("openid", "profile") == {}
    assert await shop.told("openid", "profile", account=AccountId("acc_nobody")) == {}


async def test_metadata_name_what_all_apps_may_find(shop: Shop) -> None:
    """Not what is for some apps alone, nor what only APIs see."""
    add = {
        "groups": GROUPS,
        "country": COUNTRY,
        "tier": {"value": "1", "clients": ["shop"]},
        "name": {"attribute": "nickname", "scopes": ["profile"]},
    }
    await shop.set(add=add)
    async with shop.world.read() as reader:
        found = claims.supported(await tenants.find(reader))
    assert set(found) == {*(name for names in claims.BY_SCOPE.values() for name in names), "groups"}
    assert len(found) == len(set(found))
