"""What one tenant gave is worth nothing in another, with the same client ids and the same addresses in each."""

from __future__ import annotations

import re
import secrets

import pytest

from tests.proofs.house import API, PASSWORD, House, Person, Site, send

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proofs")]

PAIRS = [("acme", "rival"), ("rival", "acme"), ("acme", "elsewhere"), ("elsewhere", "rival")]


@pytest.fixture(params=PAIRS, ids=lambda pair: f"{pair[0]}-at-{pair[1]}")
def pair(request: pytest.FixtureRequest, served: House) -> tuple[Site, Site]:
    """The tenant that gives, and the one that must not take."""
    one, other = request.param
    return served.site(one), served.site(other)


def _everywhere(one: Site, other: Site) -> tuple[str, Person, Person]:
    """Make an account of the same address in both tenants."""
    email = f"both-{secrets.token_hex(6)}@example.com"
    here, there = one.person(), other.person()
    one.sign_up(here, email)
    other.sign_up(there, email)
    return email, here, there


def test_cookies_of_another_tenant(pair: tuple[Site, Site]) -> None:
    """The session cookie of one is nobody in the other, as it is, renamed, and with its value rewritten for the other."""
    one, other = pair
    _, here, _ = _everywhere(one, other)
    assert here.once(f"{one.issuer}/account").status == 200
    stolen = dict(here.cookies(one))
    renamed = {name.replace(one.tenant, other.tenant): value for name, value in stolen.items()}
    rewritten = {name: re.sub(f"^{one.tenant}\\.", f"{other.tenant}.", value) for name, value in renamed.items()}
    assert any(name.startswith("lmn_s_") for name in stolen)
    for jar in (stolen, renamed, rewritten):
        thief = other.person()
        thief.cookies(other).update(jar)
        seen = thief.once(f"{other.issuer}/account")
        assert seen.status == 303, jar
        assert "/account/signin" in seen.headers["location"]


def test_journeys_and_form_tokens_of_another_tenant(pair: tuple[Site, Site]) -> None:
    """A journey begun in one is not found in the other, and a form token of one opens no form of the other, with all cookies copied."""
    one, other = pair
    here = one.person()
    page = here.go(here.once(f"{one.issuer}/signin"))
    thief = other.person()
    for name, value in here.cookies(one).items():
        thief.cookies(other)[name.replace(one.tenant, other.tenant)] = re.sub(f"^{one.tenant}\\.", f"{other.tenant}.", value)
    journey = page.forms[0].fields["journey"] if "journey" in page.forms[0].fields else re.findall(r"jny_\w+", page.text)[0]
    assert thief.once(f"{other.issuer}/signin?journey={journey}").status == 404
    form = next(one for one in page.forms if one.method == "post")
    theirs = thief.go(thief.once(f"{other.issuer}/signin"))
    mine = next(one for one in theirs.forms if one.method == "post")
    answer = thief.once(f"{other.issuer}/signin", {**mine.fields, "csrf": form.fields["csrf"], "action": "continue", "identifier": "a@example.com"})
    assert answer.status == 403


def test_codes_of_another_tenant(pair: tuple[Site, Site]) -> None:
    """A code is unknown at the other's token endpoint, and still works at home afterwards."""
    one, other = pair
    _, here, _ = _everywhere(one, other)
    code, verifier = one.code(here)
    assert other.exchange(code, verifier).error == "invalid_grant"
    assert one.exchange(code, verifier).status == 200


@pytest.mark.parametrize("scope", ["openid email offline_access", "openid email offline_access orders"], ids=["jwt", "opaque"])
def test_tokens_of_another_tenant(pair: tuple[Site, Site], scope: str) -> None:
    """Access tokens, JWT and opaque, refresh tokens and ID tokens: no userinfo, no API, no introspection, no refresh, no revocation, no logout."""
    one, other = pair
    _, here, there = _everywhere(one, other)
    tokens = one.tokens(here, scope=scope)
    access, refresh = tokens["access_token"], tokens["refresh_token"]
    assert access.startswith("lmn_") is ("orders" in scope)
    assert one.userinfo(access).status == 200
    refused = other.userinfo(access)
    assert (refused.status, "invalid_token" in refused.headers["www-authenticate"]) == (401, True)
    assert other.api(access, "GET", "/accounts").status == 401
    for token in (access, refresh):
        assert other.introspect(token).json == {"active": False}
        assert other.introspect(token, "svc").json == {"active": False}
        assert other.revoke(token).status == 200
        assert one.introspect(token).json["active"] is True
    assert other.refresh(refresh).error == "invalid_grant"
    assert one.refresh(refresh).status == 200
    left = there.once(f"{other.issuer}/oauth/logout?id_token_hint={tokens['id_token']}")
    assert "confirm" in left.headers["location"]
    assert there.once(f"{other.issuer}/account").status == 200


def test_secrets_and_api_tokens_of_another_tenant(pair: tuple[Site, Site]) -> None:
    """A client's secret and its token for the API count at home only; accounts of another tenant are not found by their ids."""
    one, other = pair
    wrong = other.post("/oauth/token", {"grant_type": "client_credentials", "client_id": "svc", "client_secret": one.secret("svc")})
    assert (wrong.status, wrong.error) == (401, "invalid_client")
    mine, theirs = one.service(API), other.service(API)
    assert one.api(mine, "GET", "/accounts").status == 200
    for method, path in (("GET", "/accounts"), ("GET", "/clients"), ("GET", "/clients/shop"), ("GET", "/audit/facts")):
        assert other.api(mine, method, path).status == 401, path
    email = f"only-{secrets.token_hex(6)}@example.com"
    made = one.api(mine, "POST", "/accounts", {"identifiers": [{"value": email}]})
    assert made.status == 201, made.body
    account = made.json["id"]
    assert other.api(theirs, "GET", f"/accounts/{account}").status == 404
    assert other.api(theirs, "GET", f"/profiles/{account}").status == 404
    assert other.api(theirs, "POST", f"/accounts/{account}/suspend", {}).status == 404
    assert one.api(mine, "GET", f"/accounts/{account}").json["state"] == "registered"


def test_keys_of_another_tenant(pair: tuple[Site, Site]) -> None:
    """No tenant publishes a key of another, so a signature of one never verifies in the other."""
    one, other = pair
    one.service()
    other.service()

    def kids(site: Site) -> set[str]:
        return {key["kid"] for key in send(site.port, "GET", f"{site.issuer}/oauth/jwks").json["keys"]}

    assert kids(one)
    assert not kids(one) & kids(other)


def test_passwords_of_another_tenant(pair: tuple[Site, Site]) -> None:
    """The same address has another password, or none, in each tenant."""
    one, other = pair
    email = f"word-{secrets.token_hex(6)}@example.com"
    one.sign_up(one.person(), email, password=PASSWORD)
    other.sign_up(other.person(), email)
    assert one.sign_in(one.person(), email).url.endswith("/account")
    page = other.sign_in(other.person(), email)
    assert "do not fit together" in page.words
