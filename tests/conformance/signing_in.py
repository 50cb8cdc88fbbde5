"""Modules of the OpenID Connect plans: what each of the suite's modules asks of a server, played by a client of the plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from tests.conformance.suite import CALLBACK, PERSON, App, Back, Identity, Tokens, header, stays, unsigned

Module = Callable[[App], None]

STANDARD: Final = {
    "profile": (
        *("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender"),
        *("birthdate", "zoneinfo", "locale", "updated_at"),
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
"""Claims of each scope."""
KINDS: Final = {"updated_at": int, "email_verified": bool, "phone_number_verified": bool, "address": dict}
"""Of claims that are no text."""
LATER: Final = 2
"""Seconds that the server's clock is turned where a module of the suite waits."""
_AGES: Final = 31


def refused(back: Back, asked: dict[str, str], *codes: str) -> None:
    """An error came back to the app with its state, and nothing that could be used."""
    assert back.page is None, back.page.words[:300]
    assert back.error in codes, back.said
    assert back.said.get("state") == asked.get("state")
    assert not {"code", "access_token", "id_token"} & set(back.said)
    assert all(letter not in back.said.get("error_description", "") for letter in '\r\n\t"\\')


def server(app: App) -> None:
    """A person who is not known yet signs in and is let in."""
    anew = app.fresh()
    anew.whole()
    assert anew.browser.trail


def response_type_missing(app: App) -> None:
    """Without `response_type` the app is told, or the person is."""
    asked = app.asked(response_type=None)
    refused(app.go(asked), asked, "invalid_request", "unsupported_response_type")


def idtoken_signature(app: App) -> None:
    """Id_tokens are signed with RS256 where nothing was registered, and name their key."""
    for token in ids(app):
        assert header(token)["alg"] == "RS256"
        assert header(token)["kid"]


def ids(app: App) -> list[str]:
    """Return the id_tokens of one flow, from wherever they come."""
    asked = app.asked()
    back = app.go(asked)
    app.check_answer(asked, back)
    found = [back.said["id_token"]] if "id_token" in back.said else []
    return found + ([app.redeemed(back, asked["nonce"]).said["id_token"]] if "code" in back.said else [])


def idtoken_unsigned(app: App) -> None:
    """`none` is not offered, so that the suite passes over it."""
    assert "none" not in app.suite.metadata["id_token_signing_alg_values_supported"]


def userinfo_get(app: App) -> None:
    """Userinfo by GET, the token in the header."""
    _asks(app, "GET")


def userinfo_post_header(app: App) -> None:
    """Userinfo by POST, the token in the header."""
    _asks(app, "POST")


def userinfo_post_body(app: App) -> None:
    """Userinfo by POST, the token in the body."""
    _asks(app, "BODY")


def _asks(app: App, way: str) -> None:
    tokens = app.whole()
    answer = app.userinfo(tokens.access, way=way)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["sub"] == tokens.claims.get("sub", answer.json()["sub"])


def without_nonce_succeeds(app: App) -> None:
    """A code flow needs no nonce, and then the id_token has none."""
    assert "nonce" not in app.whole(nonce=None).claims


def without_nonce_fails(app: App) -> None:
    """An id_token from the authorization endpoint needs one."""
    asked = app.asked(nonce=None)
    refused(app.go(asked), asked, "invalid_request")


def _scope(*scopes: str) -> Module:
    def module(app: App) -> None:
        """Each scope gives its claims: at userinfo, or in the id_token where there is no access token."""
        tokens = app.whole(scope=" ".join(("openid", *scopes)))
        said = tokens.claims if app.response_type == "id_token" else app.known(tokens.access)
        wanted = {claim for scope in scopes for claim in STANDARD[scope]}
        assert wanted <= set(said), wanted - set(said)
        assert all(isinstance(said[claim], KINDS.get(claim, str)) for claim in wanted)
        others = {claim for scope in STANDARD.keys() - set(scopes) for claim in STANDARD[scope]}
        assert not others & set(said)

    return module


scope_profile = _scope("profile")
scope_email = _scope("email")
scope_address = _scope("address")
scope_phone = _scope("phone")
scope_all = _scope("email", "phone", "address", "profile")


def alternate_happy_flow(app: App) -> None:
    """Neither the order of scopes nor that of parameters says anything."""
    asked = app.asked(scope="email openid")
    back = app.go(dict(reversed(asked.items())))
    app.check_answer(asked, back)


def display_page(app: App) -> None:
    """`display=page`."""
    app.fresh().whole(display="page")


def display_popup(app: App) -> None:
    """`display=popup`."""
    app.fresh().whole(display="popup")


def prompt_login(app: App) -> None:
    """Somebody who is signed in signs in once more, and the id_token says when."""
    _again(app, prompt="login")


def max_age_1(app: App) -> None:
    """A sign-in that is older than `max_age` does not do."""
    _again(app, max_age="1")


def _again(app: App, **asked: str) -> None:
    anew = app.fresh()
    first = anew.whole()
    app.suite.turn(LATER)
    second = anew.whole(**asked)
    assert anew.pressed > 0
    assert second.claims["auth_time"] > first.claims["auth_time"]
    assert second.claims["sub"] == first.claims["sub"]


def prompt_none_not_logged_in(app: App) -> None:
    """Nobody is there and nobody may be asked."""
    anew = app.fresh()
    asked = anew.asked(prompt="none")
    refused(anew.go(asked), asked, "login_required", "interaction_required")
    assert anew.pressed == 0


def prompt_none_logged_in(app: App) -> None:
    """Who is there is told without a page."""
    _silently(app, app.whole(), prompt="none")


def max_age_10000(app: App) -> None:
    """A sign-in that is young enough does; `auth_time` says which."""
    _silently(app, app.whole(), max_age="10000")


def id_token_hint(app: App) -> None:
    """The person of the hint is there and is told without a page."""
    _silently(app, app.whole(), prompt="none", id_token_hint=ids(app)[0])


def _silently(app: App, first: Tokens, **asked: str) -> None:
    second = app.whole(**asked)
    assert app.pressed == 0
    assert [second.claims[one] for one in ("sub", "auth_time")] == [first.claims[one] for one in ("sub", "auth_time")]


def unknown_parameter(app: App) -> None:
    """What no specification knows is ignored."""
    app.whole(extra="foobar")


def login_hint(app: App) -> None:
    """The page has the address already."""
    anew = app.fresh(answers={"password": PERSON["password"]})
    anew.whole(login_hint=PERSON["identifier"])


def ui_locales(app: App) -> None:
    """The first language that is spoken counts, and others are no error."""
    anew = app.fresh()
    seen = anew.browser.get(f"{app.suite.metadata['authorization_endpoint']}?{urlencode(anew.asked(ui_locales='se de en'))}")
    assert '<html lang="de"' in seen.text
    anew.whole(ui_locales="se de en")


def claims_locales(app: App) -> None:
    """`claims_locales` is no error."""
    app.whole(claims_locales="se")


def acr_values(app: App) -> None:
    """Classes that are not reached are no error; one that is stands in the id_token."""
    app.whole(acr_values="1 2")
    assert app.whole(acr_values="aal1").claims["acr"] == "aal1"


def codereuse(app: App) -> None:
    """A code works once."""
    _reused(app, 0)


def codereuse_30seconds(app: App) -> None:
    """Nor half a minute later; and what it gave is worth nothing then."""
    back, tokens = _reused(app, _AGES)
    assert back.said["code"]
    assert 400 <= app.userinfo(tokens.access).status_code < 500


def _reused(app: App, later: float) -> tuple[Back, Tokens]:
    back = app.signed_in()
    tokens = app.redeemed(back)
    app.suite.turn(later)
    again = app.token(app.redemption(back))
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    return back, tokens


def registered_redirect_uri(app: App) -> None:
    """The browser is not sent where nobody registered."""
    stays(app.go(app.asked(redirect_uri=f"{CALLBACK}/{app.who.id}")))


def post_request(app: App) -> None:
    """A request by POST goes the same way."""
    asked = app.asked()
    app.check_answer(asked, app.walked(app.browser.once(app.suite.metadata["authorization_endpoint"], asked)))


def client_secret_post(app: App) -> None:
    """The secret in the body."""
    other = app.fresh(who=replace(app.who, method="client_secret_post"))
    other.browser = app.browser
    other.whole()


def request_uri_unsigned(app: App) -> None:
    """Unsigned request objects are not offered, which the suite passes over; sent all the same they are refused."""
    assert "none" not in app.suite.metadata["request_object_signing_alg_values_supported"]
    asked = app.asked(request_uri="https://suite.example/request.jwt")
    refused(app.go(asked), asked, "invalid_request_uri", "request_uri_not_supported")


def request_unsigned(app: App) -> None:
    """Likewise by value: what stands in it counts for nothing."""
    assert "none" not in app.suite.metadata["request_object_signing_alg_values_supported"]
    asked = app.asked(request=unsigned(app.asked(state="inside")))
    refused(app.go(asked), asked, "invalid_request_object", "request_not_supported")


def request_object_redirect_uri(app: App) -> None:
    """An unregistered address outside an unsigned object is not saved by a good one inside it."""
    stays(app.go(app.asked(redirect_uri=f"{CALLBACK}/elsewhere", request=unsigned(app.asked()))))


def claims_essential(app: App) -> None:
    """A claim asked for by name comes where it was asked for, and nowhere else."""
    where = "id_token" if app.response_type == "id_token" else "userinfo"
    tokens = app.whole(claims=json.dumps({where: {"name": {"essential": True}}}))
    assert ("name" in tokens.claims) == (where == "id_token")
    if where == "userinfo":
        assert "name" in app.known(tokens.access)


def refresh_token(app: App) -> None:
    """A refresh gives fresh tokens for the same person, and another client nothing."""
    first = app.whole(scope="openid offline_access", prompt="consent")
    second = app.checked(app.refresh(first.said["refresh_token"]))
    assert second.access != first.access
    for name in ("iss", "sub", "aud", "auth_time"):
        assert second.claims.get(name, first.claims[name]) == first.claims[name]
    assert second.claims.get("nonce", first.claims["nonce"]) == first.claims["nonce"]
    assert app.known(second.access)["sub"] == first.claims["sub"]
    thief = app.fresh(who=Identity("two", secret="a secret of the second client, for trying only"))
    stolen = thief.refresh(second.said["refresh_token"])
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")


def valid_pkce(app: App) -> None:
    """PKCE with S256 where the client need not use it: the verifier is then asked for."""
    other = app.fresh(pkce=True)
    other.browser = app.browser
    other.whole()
    wrong = other.token(other.redemption(other.signed_in(), code_verifier="x" * 43))
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
