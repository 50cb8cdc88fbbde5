"""Protected resource metadata (RFC 9728) of Limen's own API, and what the other metadata say of registration."""

from __future__ import annotations

import re

import pytest

from tests.modules.oauth.conftest import BASE, RIVAL, Door
from tests.modules.oauth.registering import OUTSIDE, desk_outside

pytestmark = pytest.mark.anyio

WELL_KNOWN = "/.well-known/oauth-protected-resource"


async def test_the_api_says_who_gives_tokens_for_it(door: Door) -> None:
    """Its 401 leads to its metadata, which name it and its issuer letter by letter, each tenant's its own (RFC 9728, sections 3.3 and 5.1)."""
    for issuer, place in ((BASE, f"{BASE}{WELL_KNOWN}/api/v1"), (RIVAL, f"{BASE}{WELL_KNOWN}/t/rival/api/v1")):
        refused = await door.calls.get(f"{issuer}/api/v1/accounts")
        assert refused.status == 401
        assert re.search(r'resource_metadata="([^"]+)"', refused.headers["www-authenticate"])[1] == place  # type: ignore[index] # else the test fails
        answer = await door.calls.get(place)
        assert (answer.status, answer.headers["content-type"], answer.headers["access-control-allow-origin"]) == (200, "application/json", "*")
        told = answer.json()
        assert (told["resource"], told["authorization_servers"]) == (f"{issuer}/api/v1", [issuer])
        assert ("limen:accounts:read" in told["scopes_supported"], told["bearer_methods_supported"]) == (True, ["header"])


async def test_no_other_resource_is_told_of(door: Door) -> None:
    """Neither the origin as such, nor a path below, nor a tenant that is not there."""
    for path in (WELL_KNOWN, f"{WELL_KNOWN}/api/v2", f"{WELL_KNOWN}/api/v1/accounts", f"{WELL_KNOWN}/t/rival", f"/t/rival{WELL_KNOWN}/api/v1"):
        assert (await door.calls.get(f"{BASE}{path}")).status == 404, path
    assert (await door.calls.get(f"{BASE}{WELL_KNOWN}/t/nobody/api/v1")).status == 421


async def test_the_metadata_tell_where_to_register(door: Door) -> None:
    """In dev mode, and in production where the tenant lets somebody register; else the member is not there (RFC 8414, section 2)."""
    told = (await door.calls.get(f"{RIVAL}/.well-known/openid-configuration")).json()
    assert told["registration_endpoint"] == f"{RIVAL}/oauth/register"
    assert told["client_id_metadata_document_supported"] is False
    outside = desk_outside(door)
    told = (await outside.calls.get(f"{OUTSIDE}/.well-known/openid-configuration")).json()
    assert "registration_endpoint" not in told
    for openness in ("token", "anyone"):
        await door.set("registration", open=openness)
        told = (await outside.calls.get(f"{OUTSIDE}/.well-known/openid-configuration")).json()
        assert told["registration_endpoint"] == f"{OUTSIDE}/oauth/register"
