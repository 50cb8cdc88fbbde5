"""Software statements (RFC 7591, section 2.3)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from limen.platform.wire.jose import Alg, SigningKey, encode_jwt
from tests.modules.oauth.conftest import BASE, Door
from tests.modules.oauth.registering import SHOP, desk, error

pytestmark = pytest.mark.anyio

ISSUER = "https://directory.example"
KEY = SigningKey.generate(Alg.ES256)
OTHER = SigningKey.generate(Alg.ES256)


def statement(key: SigningKey = KEY, typ: str = "JWT", **claims: object) -> str:
    """Return a statement of the directory's."""
    return encode_jwt(key, {"iss": ISSUER, "software_id": "4NRB1", "client_name": "Vouched for", **claims}, typ)


async def trust(door: Door, **more: object) -> None:
    """Let the tenant believe the directory."""
    jwks = msgspec.json.encode({"keys": [KEY.public.jwk]}).decode()
    await door.set("registration", statement_issuers=[{"issuer": ISSUER, "jwks": jwks}], **more)


async def test_what_was_vouched_for_counts_before_the_apps_own_word(door: Door) -> None:
    """Its claims stand in place of the request's, and it comes back as it was sent, with the fact naming who signed it."""
    await trust(door)
    sent = statement(redirect_uris=["https://vouched.example/"])
    told = await desk(door).made(software_statement=sent, client_name="Somebody else")
    assert (told["client_name"], told["software_id"], told["redirect_uris"]) == ("Vouched for", "4NRB1", ["https://vouched.example/"])
    assert told["software_statement"] == sent
    assert [fact.data["issuer"] for fact in await door.facts("clients.client_registered")] == [ISSUER]
    plain = await desk(door).made()
    assert (plain["client_name"], "software_statement" in plain) == ("The New One", False)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("no token", "invalid_software_statement"),
        (7, "invalid_software_statement"),
        ({"iss": ISSUER}, "invalid_software_statement"),
        (statement(OTHER), "invalid_software_statement"),
        (statement(typ="at+jwt"), "invalid_software_statement"),
        (statement(exp=1_000), "invalid_software_statement"),
        (statement(nbf=9_999_999_999), "invalid_software_statement"),
        (statement(aud="https://other.example"), "invalid_software_statement"),
        (statement()[:-8] + "AAAAAAAA", "invalid_software_statement"),
        ("eyJhbGciOiJub25lIn0." + statement().split(".")[1] + ".", "invalid_software_statement"),
        (statement(iss="https://somebody.example"), "unapproved_software_statement"),
        (statement(iss=None), "invalid_software_statement"),
        (statement(scope="openid limen:accounts:read"), "invalid_client_metadata"),
        (statement(redirect_uris=["javascript:alert(1)"]), "invalid_redirect_uri"),
    ],
)
async def test_a_statement_nobody_signed_for_is_refused(door: Door, sent: Any, code: str) -> None:
    """Forged, of another type or time, for another server, of a stranger: each with its code; and what is vouched for is held to the policy too."""
    await trust(door)
    assert error(await desk(door).register({**SHOP, "software_statement": sent})) == (400, code)


async def test_a_statement_for_this_server_is_believed(door: Door) -> None:
    """`aud` is our issuer, alone or among others."""
    await trust(door)
    for aud in (BASE, ["https://other.example", BASE]):
        assert (await desk(door).made(software_statement=statement(aud=aud)))["client_name"] == "Vouched for"


async def test_a_tenant_may_want_a_statement(door: Door) -> None:
    """Without one nobody registers there."""
    await trust(door, statement_required=True)
    refused = await desk(door).register(SHOP)
    assert error(refused) == (400, "invalid_software_statement")
    assert ISSUER in refused.json()["error_description"]
    await desk(door).made(software_statement=statement())


async def test_what_was_vouched_for_is_not_shaken_off(door: Door) -> None:
    """A change needs the statement again, and is held to it."""
    await trust(door)
    at = desk(door)
    told = await at.made(software_statement=statement())
    own = {"client_id": told["client_id"], **SHOP, "client_name": "Somebody else"}
    assert error(await at.at(told, "PUT", own)) == (400, "invalid_software_statement")
    changed = await at.at(told, "PUT", {**own, "software_statement": statement(client_name="Renamed by the directory")})
    assert changed.json()["client_name"] == "Renamed by the directory"
