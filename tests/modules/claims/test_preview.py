"""Previews: as it will be, and nothing else happens."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import structlog

from limen.kernel.ids import AccountId
from limen.modules import accounts, clients
from limen.modules.claims import Use, commands
from limen.modules.claims.api import ENDPOINTS
from limen.modules.claims.errors import InvalidClaims
from limen.modules.clients import SubjectType
from limen.platform.commands import BadOption, Console, Ground
from limen.platform.duties import Settings
from tests.modules.claims.conftest import OWN, Shop
from tests.rig.api import Api, open_api
from tests.rig.log import happened

pytestmark = pytest.mark.anyio

ADD = {
    "groups": {"value": 'email.endsWith("@example.com") ? ["staff"] : []', "scopes": ["profile"], "tokens": ["userinfo", "id_token"]},
    "country": {"attribute": "address.country", "clients": ["shop"], "tokens": ["access_token", "introspection"]},
    "broken": {"value": "int(profile.name)", "clients": ["shop"]},
}


async def machine(shop: Shop) -> Api:
    return (await open_api(shop.world, ENDPOINTS)).having("profiles:read")


def values(told: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["name"]: one["value"] for one in told if "failed" not in one}


async def test_a_preview_is_what_comes(shop: Shop) -> None:
    """In each place the very claims and values that are told in earnest, with a word on where each comes from."""
    api = await machine(shop)
    await shop.set(add=ADD, scopes={"openid": ["locale"]})
    shown: dict[str, Any] = {}
    for scopes in (("openid",), ("openid", "profile"), OWN):
        shown = await api.done("POST", "/claims/preview", {"client": "shop", "account": shop.ada, "scopes": scopes})
        for use in Use:
            assert values(shown[use.value]) == {"sub": shop.ada, **await shop.told(*scopes, use=use)}, (scopes, use)
    sources = {one["name"]: one["source"] for use in Use for one in shown[use.value]}
    assert sources["groups"] == "added: expression, by scope profile"
    assert sources["country"] == "added: attribute address.country, by the client's name"
    assert sources["locale"] == "standard, by scope openid or profile"
    assert sources["email"] == "standard, by scope email"
    failed = [one for one in shown["userinfo"] if "failed" in one]
    assert [(one["name"], "cannot convert" in one["failed"]) for one in failed] == [("broken", True)]


async def test_a_draft_is_tried_and_not_kept(shop: Shop) -> None:
    """Without scopes the app has all that it may ask for; what is applied stays what it is."""
    api = await machine(shop)
    shown = await api.done(
        "POST", "/claims/preview", {"client": "small", "account": shop.ada, "claims": {"add": {"tier": {"value": '"gold"', "scopes": ["email"]}}}}
    )
    assert values(shown["userinfo"]) == {"sub": shop.ada, "email": "ada@example.com", "email_verified": True, "tier": "gold"}
    assert "tier" not in await shop.told("openid", "email", client="small")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"client": "nobody"}, 404, "no_such_client"),
        ({"account": "acc_nobody"}, 404, "no_such_account"),
        ({"claims": {"add": {"tier": {"value": "nam", "scopes": ["email"]}}}}, 400, "invalid_claims"),
        ({"claims": {"add": {"iss": {"value": "1", "scopes": ["email"]}}}}, 400, "invalid_claims"),
        ({"claims": {"add": {"tier": {"val": "1"}}}}, 400, None),
        ({"claims": {"adds": {}}}, 400, None),
    ],
)
async def test_a_preview_that_cannot_be(shop: Shop, body: dict[str, object], status: int, code: str | None) -> None:
    """Who and what is not there, and drafts that could not be applied."""
    api = await machine(shop)
    refused = await api.call("POST", "/claims/preview", {"client": "shop", "account": shop.ada, **body})
    assert refused.status == status
    assert code is None or refused.json()["code"] == code
    if code == "invalid_claims":
        assert "nam" in refused.text or "iss" in refused.text


async def test_the_scope_is_asked_for(shop: Shop) -> None:
    """Who may read profiles may look, nobody else."""
    api = (await open_api(shop.world, ENDPOINTS)).having("clients:read")
    assert (await api.call("POST", "/claims/preview", {"client": "shop", "account": shop.ada})).status == 403


async def test_a_preview_writes_nothing(shop: Shop) -> None:
    """No pairwise `sub` is made, no fact recorded, and neither personal data nor a draft gets into the log."""
    await shop.change("shop", subject_type=SubjectType.PAIRWISE)
    api = await machine(shop)
    before, shown = await _facts(shop), {"userinfo": list[dict[str, Any]]()}
    with structlog.testing.capture_logs() as log:
        for claim in ADD.values():
            shown = await api.done("POST", "/claims/preview", {"client": "shop", "account": shop.ada, "claims": {"add": {"canary7351": claim}}})
    assert [one for one in shown["userinfo"] if one["name"] == "sub"] == [
        {"name": "sub", "value": "(made when it is first asked for)", "source": "pairwise, sector shop.example"}
    ]
    assert await _facts(shop) == before
    for word in ("canary7351", "Lovelace", "ada@example.com", "address.country"):
        assert word not in str(log)


async def _facts(shop: Shop) -> int:
    return len(await happened(shop.world.db))


def ground(shop: Shop) -> Ground:
    return Ground(Settings([]), shop.world.db, shop.world.tenant, Console(io.StringIO()))


def printed(ground: Ground) -> list[list[str]]:
    assert isinstance(ground.console.file, io.StringIO)
    return [line.split("\t") for line in ground.console.file.getvalue().splitlines()]


async def test_the_command_shows_the_same(shop: Shop, tmp_path: Path) -> None:
    """By address or id, with a draft of the tenant's file."""
    draft = tmp_path / "claims.toml"
    draft.write_text('[add.tier]\nvalue = \'"gold"\'\nscopes = ["email"]\n')
    for who in (shop.ada, "ada@example.com"):
        here = ground(shop)
        await commands.preview(here, client="shop", account=who, scopes=("openid", "email"), draft=draft)
        rows = printed(here)
        assert ["userinfo", "tier", '"gold"', "added: expression, by scope email"] in rows
        told = {row[1]: json.loads(row[2]) for row in rows if row[0] == "userinfo"}
        assert told == {"sub": shop.ada, "tier": "gold", **await shop.told("openid", "email")}


async def test_the_command_says_what_is_wrong(shop: Shop, tmp_path: Path) -> None:
    """No app, nobody, no file, no TOML, a draft that could not be applied."""
    bad = tmp_path / "bad.toml"
    with pytest.raises(clients.NoSuchClient):
        await commands.preview(ground(shop), client="nobody", account=shop.ada)
    with pytest.raises(accounts.NoSuchAccount):
        await commands.preview(ground(shop), client="shop", account=AccountId("acc_nobody"))
    for text in (None, "[add", '[add.tier]\nvalue = "nam"\nscopes = ["email"]', "[addd]", '[add.tier]\nval = "1"'):
        if text is not None:
            bad.write_text(text)
        with pytest.raises((BadOption, InvalidClaims)):
            await commands.preview(ground(shop), client="shop", account=shop.ada, draft=bad)
