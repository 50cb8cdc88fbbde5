"""Who may come in, cookies, and what only this browser may send."""

from __future__ import annotations

import msgspec
import pytest

from limen.kernel.ids import TenantId
from limen.kernel.secrets import Secret
from limen.platform.http import PUBLIC, SESSION, Answer, Call, Endpoint, Form, Json, SeeOther, SetCookie, as_problem, drop_cookie, scope
from limen.platform.http.browser import Browser
from limen.platform.http.cookies import Cookies, header_of
from limen.platform.http.site import Place
from limen.platform.pages import Page, _m
from tests.platform.http.conftest import Addresses, Make
from tests.rig.asgi import Client

pytestmark = pytest.mark.anyio


async def form_page(_call: Call) -> Answer:
    return Page(template="pages/message.html", title=_m("Sign out"), values={"text": "", "actions": [_Action()], "kind": ""})


class _Action:
    label, path, post, primary = "Go", "/signin", "go", True


async def taken(call: Call) -> Answer:
    return SeeOther(f"/done?fields={','.join(call.form)}")


async def me(call: Call) -> Answer:
    actor = call.actor
    access = call.access
    return Json({"account": call.account, "session": call.session, "actor": actor.label, "client": access.client if access else None})


async def enter(_call: Call) -> Answer:
    return SeeOther("/account", cookies=(SetCookie("s", Secret("alive"), 60),))


async def leave(_call: Call) -> Answer:
    return SeeOther("/signin", cookies=(drop_cookie("s"),))


def get(path: str, **rest: object) -> Endpoint:
    return Endpoint(**{"method": "GET", "path": path, "who": PUBLIC, "call": me, "summary": "", **rest})  # type: ignore[arg-type]  # a shorthand of the test


def post(path: str, **rest: object) -> Endpoint:
    return Endpoint(**{"method": "POST", "path": path, "who": PUBLIC, "call": taken, "summary": "", "takes": Form, **rest})  # type: ignore[arg-type]  # likewise


SIGNIN = (get("/signin", call=form_page), post("/signin"), get("/done"))


async def test_a_form_of_ours_is_taken(make: Make) -> None:
    """A page with a form gives the browser its cookie; the form comes back with both; the token does not reach the endpoint."""
    client = make(*SIGNIN)
    page = await client.get("/signin")
    cookie = page.cookies[0]
    assert cookie.startswith("lmn_j_main=main.")
    assert cookie.endswith("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax")
    done = await client.submit(page, action="go")
    assert done.url == "http://localhost:8400/done?fields=action"


async def test_tokens_are_masked_anew(make: Make) -> None:
    """Every response shows another token, so that compression gives nothing away; all of them hold."""
    client = make(*SIGNIN)
    pages = [await client.get("/signin") for _ in range(3)]
    assert len({page.forms()[0].fields["csrf"] for page in pages}) == 3
    for page in pages:
        assert (await client.submit(page)).status == 200


async def test_a_form_of_nobody_is_refused(make: Make) -> None:
    """Without the token, with another browser's, with a broken one, without the cookie, or for another tenant: 403, and the endpoint never sees it."""
    client = make(*SIGNIN)
    page = await client.get("/signin")
    token = page.forms()[0].fields["csrf"]
    stranger = Client(client.app)
    assert (await client.post("/signin", form={"action": "go"})).status == 403
    assert (await stranger.post("/signin", form={"csrf": token})).status == 403
    await stranger.get("/signin")
    assert (await stranger.post("/signin", form={"csrf": token})).status == 403
    for broken in (token[:-1], token[1:], "", "é", "=" * 86, "A" * 86, token + "A", token[:43] * 2, token.replace(token[5], "*")):
        assert (await client.post("/signin", form={"csrf": broken})).status == 403, broken
    assert (await client.post("/t/acme/signin", form={"csrf": token})).status == 403
    assert (await client.post("/signin", form={"csrf": token}, follow=False)).status == 303


async def test_a_form_from_elsewhere_is_refused(make: Make) -> None:
    """Even with the right token: fetch metadata and Origin say where it came from. A referrer-less page of ours says null."""
    client = make(*SIGNIN)
    token = {"csrf": (await client.get("/signin")).forms()[0].fields["csrf"]}
    for headers in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}, {"origin": "http://localhost:8401"}):
        assert (await client.post("/signin", form=token, headers=headers)).status == 403, headers
    for headers in (
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"sec-fetch-site": "none"},
        {"origin": "null"},
        {"origin": "http://localhost:8400"},
        {},
    ):
        assert (await client.post("/signin", form=token, headers=headers, follow=False)).status == 303, headers
    assert (await client.post("/signin", form=token, cross_site=True)).status == 403


async def test_every_post_of_a_page_is_guarded(make: Make) -> None:
    """Also one that reads no body, one with JSON for the signed-in (by header), and not the one that said it takes forms from elsewhere."""

    class Thing(msgspec.Struct):
        a: int

    async def thing(call: Call) -> Answer:
        return Json(call.taken(Thing).a)

    client = make(
        get("/signin", call=form_page),
        post("/signout", takes=None, call=leave),
        post("/account/thing.json", who=SESSION, takes=Thing, media=("application/json",), call=thing),
        post("/oauth/authorize", csrf=False, call=enter),
        post("/oauth/logout/confirm", call=enter, refuse=as_problem),
    )
    token = (await client.get("/signin")).forms()[0].fields["csrf"]
    assert (await client.post("/signout", form={"x": "1"})).status == 403
    assert (await client.post("/signout")).status == 403
    assert (await client.post("/signout", form={"csrf": token}, follow=False)).status == 303
    assert (await client.post("/oauth/authorize", form={"a": "1"}, cross_site=True, follow=False)).status == 303
    assert (await client.post("/oauth/logout/confirm", form={"a": "1"})).status == 403
    assert (await client.post("/account/thing.json", json={"a": 7})).status == 403
    assert (await client.post("/account/thing.json", json={"a": 7}, headers={"limen-csrf": token})).json() == 7


async def test_signed_in_or_led_there(make: Make) -> None:
    """A page sends a stranger to sign in and says where to; a form or script of a stranger is told; the signed-in are known."""
    client = make(
        get("/account", who=SESSION, call=form_page), get("/account/me.json", who=SESSION), get("/enter", call=enter), post("/account/x", who=SESSION)
    )
    sent = await client.get("/account?tab=apps&x=%26", follow=False)
    assert (sent.status, sent.location) == (303, "http://localhost:8400/account/signin?to=%2Faccount%3Ftab%3Dapps%26x%3D%2526")
    assert (await client.get("/t/acme/account", follow=False)).location == "http://localhost:8400/t/acme/account/signin?to=%2Faccount"
    assert (await client.post("/account/x", form={}, follow=False)).location == "http://localhost:8400/account/signin"
    refused = await client.get("/account/me.json")
    assert (refused.status, refused.headers["content-type"], refused.json()["code"]) == (401, "application/problem+json", "not_signed_in")
    assert (await client.get("/enter")).status == 200
    assert (await client.get("/account/me.json")).json() == {"account": "acc_ada", "session": "ses_1", "actor": "customer:acc_ada", "client": None}
    assert (await client.get("/t/acme/account/me.json")).status == 401


async def test_a_public_endpoint_may_ask_for_the_session(make: Make) -> None:
    """`session_now` knows who is there where that is a question, not a condition."""

    async def ask(call: Call) -> Answer:
        return Json(await call.session_now())

    client = make(get("/x.json", call=ask), get("/enter", call=enter), get("/account", call=form_page), post("/leave", call=leave))
    assert (await client.get("/x.json")).json() is None
    await client.get("/enter")
    assert (await client.get("/x.json")).json() == ["acc_ada", "ses_1"]
    token = (await client.get("/account")).forms()[0].fields["csrf"]
    await client.post("/leave", form={"csrf": token})
    assert (await client.get("/x.json")).json() is None


async def test_bearers_of_a_scope(make: Make) -> None:
    """RFC 6750, section 3: no token, no error; a bad one invalid_token; a good one for something else insufficient_scope, 403."""
    client = make(get("/api/v1/things", who=scope("things:read")), get("/api/v1/others", who=scope("others:read")))
    where = 'resource_metadata="http://localhost:8400/.well-known/oauth-protected-resource/api/v1"'
    assert (await client.get("/api/v1/things", headers={"authorization": "Bearer good"})).json()["client"] == "svc"
    assert (await client.get("/api/v1/things", headers={"authorization": "bearer good"})).json()["actor"] == "client:svc"
    none = await client.get("/api/v1/things")
    assert (none.status, none.headers["www-authenticate"]) == (401, f'Bearer realm="http://localhost:8400", scope="things:read", {where}')
    assert none.json()["code"] == "invalid_token"
    bad = await client.get("/api/v1/things", headers={"authorization": "Bearer bad"})
    assert bad.headers["www-authenticate"] == 'Bearer realm="http://localhost:8400", error="invalid_token", error_description="This token \'ended\'.", ' + where
    for value in ("DPoP good", "dpop good"):
        assert (await client.get("/api/v1/things", headers={"authorization": value, "dpop": "proof"})).json()["client"] == "svc"
        unproved = await client.get("/api/v1/things", headers={"authorization": value, "dpop": "a.b.c"})
        realm = 'realm="http://localhost:8400"'
        assert unproved.headers["www-authenticate"] == f'DPoP {realm}, error="invalid_dpop_proof", error_description="No proof.", algs="ES256", {where}'
        assert (unproved.status, unproved.headers["dpop-nonce"]) == (401, "n")
    for value in ("Basic Z29vZDpnb29k", "Bearer", "Bearer ", "good", "Bearer a b", "Bearer \xe9", "Bearer " + "a" * 9000):
        assert (await client.get("/api/v1/things", headers={"authorization": value})).status == 401, value
    assert (await client.get("/api/v1/things?access_token=good")).status == 401
    other = await client.get("/api/v1/others", headers={"authorization": "Bearer good"})
    assert (other.status, other.json()["code"]) == (403, "insufficient_scope")
    assert 'scope="others:read"' in other.headers["www-authenticate"]


def place(origin: str = "https://id.example", tenant: str = "acme") -> Place:
    return Place(Addresses(origin).site(tenant, origin), 0.0)


def test_cookies_over_https() -> None:
    """`__Host-`, Secure, HttpOnly, Lax, the whole path; the iframe's goes to other sites' frames and can be read there."""
    assert header_of(SetCookie("s", Secret("x"), 60), place()) == b"__Host-lmn_s_acme=acme.x; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax"
    assert header_of(SetCookie("s", Secret("x")), place()) == b"__Host-lmn_s_acme=acme.x; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert header_of(SetCookie("o", Secret("x"), None, readable=True), place()) == b"__Host-lmn_o_acme=acme.x; Path=/; Secure; SameSite=None"
    for name, value in (("S", "x"), ("s", "x;y"), ("s", "x\r\n"), ("s", 'x"'), ("s", "é"), ("s t", "x")):
        with pytest.raises(ValueError, match="cookie"):
            header_of(SetCookie(name, Secret(value)), place())


def test_a_cookie_of_another_tenant_is_none() -> None:
    """Neither name nor value of another tenant is accepted, nor one over http that should have come over https."""

    def value(header: str, at: Place | None = None) -> str | None:
        found = Cookies(header, at or place()).get("s")
        return found.reveal() if found else None

    assert value("a=b; __Host-lmn_s_acme=acme.x; c") == "x"
    for header in (
        "__Host-lmn_s_other=other.x",
        "__Host-lmn_s_acme=other.x",
        "lmn_s_acme=acme.x",
        "__Host-lmn_s_acme=x",
        "__Host-lmn_s_acme=",
        "__Host-lmn_s_acme=acme.",
        "s=acme.x",
    ):
        assert value(header) is None, header
    assert value("lmn_s_acme=acme.x", place("http://localhost:8400")) == "x"
    assert value("__Host-lmn_s_acme=acme.x", place(tenant="ac")) is None


def test_hostile_cookie_headers_bring_nothing() -> None:
    """Planted twins, rubbish and enormous headers leave the visitor without a cookie, not us without an answer."""

    def value(header: str) -> str | None:
        found = Cookies(header, place()).get("s")
        return found.reveal() if found else None

    good = "__Host-lmn_s_acme=acme.x"
    assert value(f"{good}; {good}") == "x"
    assert value(f"{good}; __Host-lmn_s_acme=acme.y") is None
    assert value(good + "; x=" + "y" * 20_000) is None
    assert value("; " * 100 + good) == "x"
    assert value("a=b; " * 300 + good) is None
    for header in (
        "=;=;;;",
        "\x00\x01",
        "__Host-lmn_s_acme",
        "__Host-lmn_s_acme=acme.x y",
        "__Host-lmn_s_acme=acme.é",
        "é" * 5000,
        '__Host-lmn_s_acme="acme.x"',
    ):
        assert value(header) is None, header


def test_the_browser_is_bound_by_its_own_secret() -> None:
    """The digest is the same as long as the cookie is, another for every tenant, and a short cookie is none."""
    secret = "k" * 43
    one, again = (Browser(Cookies(f"__Host-lmn_j_acme=acme.{secret}", place()), TenantId("acme")) for _ in range(2))
    other = Browser(Cookies(f"__Host-lmn_j_other=other.{secret}", place(tenant="other")), TenantId("other"))
    assert one.digest() == again.digest() != other.digest()
    assert one.made(again.csrf())
    assert not other.made(one.csrf())
    assert not one.fresh
    fresh = Browser(Cookies("__Host-lmn_j_acme=acme.short", place()), TenantId("acme"))
    assert fresh.digest()
    assert fresh.fresh
    assert not fresh.made(fresh.csrf())


async def test_a_new_browser_keeps_the_cookie_it_was_bound_by(make: Make) -> None:
    """Asking for the digest is enough: the redirect that follows carries the cookie."""
    seen: list[bytes] = []

    async def begin(call: Call) -> Answer:
        seen.append(call.browser.digest())
        return SeeOther("/done")

    client = make(get("/begin", call=begin), get("/done"))
    for _ in range(3):
        await client.get("/begin")
    assert len(set(seen)) == 1
    assert not (await client.get("/done")).cookies
