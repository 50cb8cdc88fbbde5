"""Profiles over HTTP."""

from __future__ import annotations

import pytest

from limen.modules.accounts.api import ENDPOINTS as ACCOUNTS
from limen.modules.profiles.api import ENDPOINTS
from tests.conftest import World
from tests.rig.api import Api, open_api

pytestmark = pytest.mark.anyio


async def opened(world: World) -> tuple[Api, str]:
    api = (await open_api(world, (*ACCOUNTS, *ENDPOINTS))).having("accounts:write", "profiles:read", "profiles:write")
    made = await api.done("POST", "/accounts", {"identifiers": [{"value": "ada@example.com"}]})
    return api, f"/profiles/{made['id']}"


async def test_a_profile_is_patched(world: World) -> None:
    """RFC 7396 under either media type; only what is known is shown."""
    api, path = await opened(world)
    empty = await api.call("GET", path)
    assert (empty.json(), empty.headers["etag"]) == ({}, '"0"')
    await api.done("PATCH", path, {"given_name": " Ada ", "locale": "en_gb", "address": {"locality": "London", "country": "GB"}})
    shown = await api.done("PATCH", path, {"locale": None, "address": {"country": None}}, content_type="application/merge-patch+json")
    assert shown.pop("updated_at")
    assert shown == {"given_name": "Ada", "address": {"locality": "London"}}
    assert (await api.call("GET", path)).headers["etag"] == '"2"'


async def test_a_patch_on_an_old_reading_is_refused(world: World) -> None:
    """If-Match is the version that was read; a tag of somebody else's matches nothing."""
    api, path = await opened(world)
    assert (await api.call("PATCH", path, {"name": "Ada"}, if_match='"0"')).status == 200
    for tag in ('"0"', '"x"', 'W/"1"', "1, 2"):
        stale = await api.call("PATCH", path, {"name": "Bob"}, if_match=tag)
        assert (stale.status, stale.json()["code"]) == (409, "profile_changed_meanwhile")
    assert (await api.call("PATCH", path, {"name": "Bob"}, if_match="*")).status == 200


async def test_what_cannot_be_is_told_by_field(world: World) -> None:
    """400 with the fields' names; nothing is changed, and unknown members are refused."""
    api, path = await opened(world)
    for body in ({"birthdate": "yesterday"}, {"email": "x@y.example"}, {"updated_at": None}, {"address": {"planet": "x"}}, {"name": 7}, {"address": "x"}):
        refused = await api.call("PATCH", path, body)
        assert refused.status == 400, body
    assert "birthdate" in (await api.call("PATCH", path, {"birthdate": "yesterday", "name": "Ada"})).json()["detail"]
    assert await api.done("GET", path) == {}


async def test_nobody_has_no_profile(world: World) -> None:
    """404 for an account that is not there."""
    api, _ = await opened(world)
    assert (await api.call("GET", "/profiles/acc_nobody")).status == 404
    assert (await api.call("PATCH", "/profiles/acc_nobody", {"name": "x"})).status == 404
