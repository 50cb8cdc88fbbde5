"""How a client proves itself, in the odd spellings that are allowed and those that are not (RFC 6749, 2.3.1 and 3.2; RFC 7617)."""

from __future__ import annotations

import base64
from urllib.parse import quote, quote_plus

import pytest

from tests.modules.oauth.conftest import BASE, SECRET, Door, basic

pytestmark = pytest.mark.anyio

SERVICE = {"grant_type": "client_credentials", "scope": "read"}


def header(client: str, secret: str, *, scheme: str = "Basic") -> dict[str, str]:
    """Return an Authorization header of two parts as they are given."""
    return {"authorization": f"{scheme} {base64.b64encode(f'{client}:{secret}'.encode()).decode()}"}


async def test_both_parts_of_basic_are_form_urlencoded(door: Door) -> None:
    """RFC 6749, 2.3.1 and appendix B: any letter may be escaped, a space is `+` or `%20`, the scheme's case does not count."""
    everything = "".join(f"%{octet:02x}" for octet in SECRET.encode())
    good = [
        header("svc", quote_plus(SECRET)),
        header("svc", quote(SECRET, safe="")),
        header("svc", everything),
        header("%73v%63", quote_plus(SECRET)),
        header("svc", quote_plus(SECRET), scheme="BASIC"),
        header("svc", quote_plus(SECRET), scheme="basic"),
    ]
    for one in good:
        assert (await door.calls.post("/oauth/token", form=SERVICE, headers=one)).status == 200, one
    bare = header("svc", SECRET)  # `%&` in it is a broken escape, and a part that was not encoded is another secret
    assert (await door.calls.post("/oauth/token", form=SERVICE, headers=bare)).status == 401


async def test_an_empty_parameter_was_not_sent(door: Door) -> None:
    """RFC 6749, 3.1 and 3.2: without a value it counts as left out, wherever it stands."""
    person = await door.person()
    assert (await door.token(auth="svc", client_secret="", client_id="", **SERVICE)).status == 200
    code = await door.code(person, "spa")
    assert (await door.redeem(code, "spa", client_secret="", scope="")).status == 200
    code = await door.code(person, "spa", redirect_uri=None, scope="read")
    assert (await door.redeem(code, "spa", redirect_uri="")).status == 200
    assert (await door.token(auth="orders-api", grant_type="client_credentials", scope="")).json()["scope"] == "read"
    tokens = await door.tokens(person)
    whole = await door.refresh(tokens["refresh_token"], scope="")
    assert whole.json()["scope"] == tokens["scope"]
    shown = {"authorization": f"Bearer {tokens['access_token']}"}
    assert (await door.calls.post("/oauth/userinfo", form={"access_token": ""}, headers=shown)).status == 200
    assert (await door.token(auth="", client_id="", **SERVICE)).status == 401
    empty = dict.fromkeys(("state", "prompt", "max_age", "request", "request_uri", "registration", "response_mode", "id_token_hint", "nonce"), "")
    back = await door.ask(person.browser, **empty)
    assert "code=" in back.location
    assert "state=" not in back.location


async def test_a_scope_of_blanks_is_no_scope(door: Door) -> None:
    """RFC 6749, 3.3: it names nothing, which is another thing than leaving it out."""
    assert (await door.token(auth="svc", grant_type="client_credentials", scope="  ")).json()["error"] == "invalid_scope"
    token = (await door.tokens(await door.person()))["refresh_token"]
    assert (await door.refresh(token, scope=" ")).json()["error"] == "invalid_scope"
    assert (await door.refresh(token)).status == 200


async def test_a_public_client_has_nothing_to_prove_itself_by(door: Door) -> None:
    """By its name in the body alone: a header, even with an empty password, is a method it is not registered for."""
    person = await door.person()
    for one in (header("spa", ""), header("spa", "x"), basic_of("spa")):
        answer = await door.calls.post("/oauth/token", form={"grant_type": "authorization_code", "code": await door.code(person, "spa")}, headers=one)
        assert (answer.status, answer.json()["error"]) == (401, "invalid_client")


def basic_of(client: str) -> dict[str, str]:
    """Return the header a confidential client would send."""
    return {"authorization": basic(client, SECRET)}


async def test_what_stands_in_the_address_proves_nothing(door: Door) -> None:
    """RFC 6749, 2.3.1: credentials never travel in the address; neither does the rest of a token request."""
    query = f"client_id=svc&client_secret={quote_plus(SECRET)}&grant_type=client_credentials"
    answer = await door.calls.post(f"/oauth/token?{query}", form=SERVICE)
    assert (answer.status, answer.json()["error"]) == (401, "invalid_client")
    moved = await door.calls.post("/oauth/token?grant_type=client_credentials", form={}, headers=basic_of("svc"))
    assert (moved.status, moved.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
async def test_every_endpoint_of_clients_says_alike_who_is_not_believed(door: Door, path: str) -> None:
    """RFC 6749, 5.2; RFC 7662, 2.3; RFC 7009, 2.2.1: 401, invalid_client and a challenge for the scheme there is."""
    for one in ({}, header("svc", "wrong"), header("nobody", "x"), {"authorization": "Bearer x"}, {"authorization": "Basic"}):
        answer = await door.calls.post(path, form={"token": "x", **SERVICE}, headers=one)
        assert (answer.status, answer.json()["error"]) == (401, "invalid_client"), one
        assert answer.headers["www-authenticate"] == f'Basic realm="{BASE}"'
    both = await door.calls.post(path, form={"token": "x", "client_secret": SECRET, **SERVICE}, headers=basic_of("svc"))
    assert (both.status, both.json()["error"]) == (400, "invalid_request")
    twice = await door.calls.post(path, form=[("client_id", "svc"), ("client_id", "svc"), ("client_secret", SECRET)])
    assert (twice.status, twice.json()["error"]) == (400, "invalid_request")


async def test_a_service_without_scopes_gets_a_token_that_says_so(door: Door) -> None:
    """RFC 6749, 3.3: `scope` has at least one word where it stands, so it does not stand there."""
    await door.change("svc", scopes=())
    answer = await door.token(auth="svc", grant_type="client_credentials")
    assert answer.status == 200, answer.text
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
    assert (await door.token(auth="svc", **SERVICE)).json()["error"] == "invalid_scope"
