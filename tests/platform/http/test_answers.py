"""Requests that are as they should be, and what comes back."""

from __future__ import annotations

import gzip

import msgspec
import pytest

from limen.kernel.secrets import Secret
from limen.platform.http import DEV, PROTOCOL, PUBLIC, Answer, Call, Cors, Endpoint, Form, FormPost, Json, Raw, SeeOther, SetCookie, no_content
from limen.platform.pages import Page
from tests.platform.http.conftest import Addresses, Make, edge_of

pytestmark = pytest.mark.anyio


async def show(call: Call) -> Answer:
    return Json({"tenant": call.tenant, "parts": dict(call.parts), "query": dict(call.query.items()), "url": call.url("/x"), "path": call.path})


async def echo(call: Call) -> Answer:
    return Json(dict(call.form.items()))


async def page(_call: Call) -> Answer:
    return Page(template="pages/message.html", title="Hello", values={"text": "A text. " * 200, "actions": (), "kind": ""})


def get(path: str, **rest: object) -> Endpoint:
    return Endpoint(**{"method": "GET", "path": path, "who": PUBLIC, "call": show, "summary": "", **rest})  # type: ignore[arg-type]  # a shorthand of the test


TOKEN = Endpoint(method="POST", path="/oauth/token", who=PROTOCOL, call=echo, summary="", takes=Form, hot=True, cors=Cors.ANY_ORIGIN)


async def test_tenants_are_found_by_host_and_prefix(make: Make) -> None:
    """The base address is the default tenant's, a prefix another's, a domain its own; each has its own issuer."""
    client = make(get("/oauth/thing"), get("/api/v1/things/{thing}"))
    assert (await client.get("/oauth/thing")).json()["tenant"] == "main"
    acme = (await client.get("/t/acme/oauth/thing")).json()
    assert (acme["tenant"], acme["url"], acme["path"]) == ("acme", "http://localhost:8400/t/acme/x", "/t/acme/oauth/thing")
    own = (await client.get("http://own.example/api/v1/things/7?a=b")).json()
    assert (own["tenant"], own["parts"], own["query"], own["url"]) == ("own", {"thing": "7"}, {"a": "b"}, "http://own.example/x")


@pytest.mark.parametrize("host", ["LOCALHOST:8400", "localhost.:8400"])
async def test_spellings_of_a_host_are_one(make: Make, host: str) -> None:
    """Case and a final dot make no difference; links come from the issuer all the same."""
    client = make(get("/oauth/thing"))
    assert (await client.get("/oauth/thing", headers={"host": host})).json()["url"] == "http://localhost:8400/x"


async def test_an_unknown_host_is_misdirected(make: Make) -> None:
    """421 for everything but health, whatever the path; also for a prefix nobody has under an unknown host."""
    client = make(get("/oauth/thing"))
    for host in ("elsewhere.example", "localhost:9999", "localhost", "evil@localhost:8400", "local host", "[::1", "ä", "x" * 300):
        assert (await client.get("/oauth/thing", headers={"host": host})).status == 421
        assert (await client.get("/t/acme/oauth/thing", headers={"host": host})).status == 421
        assert (await client.get("/health/live", headers={"host": host})).status == 200


async def test_where_tenants_live_is_kept_for_a_moment(make: Make, addresses: Addresses) -> None:
    """The tenants are asked once, until they are told to have changed; nobody's addresses are not kept."""
    client = make(get("/oauth/thing"))
    for _ in range(5):
        await client.get("/oauth/thing")
    assert addresses.asked == 1
    edge_of(client).places.forget()
    await client.get("/oauth/thing")
    assert addresses.asked == 2


async def test_metadata_of_a_tenant_stands_at_the_origin(make: Make) -> None:
    """RFC 8414, section 3.1: the tenant's path follows the well-known one, and is found nowhere else."""
    client = make(get("/.well-known/oauth-authorization-server", at_origin=True, cors=Cors.METADATA))
    assert (await client.get("/.well-known/oauth-authorization-server")).json()["tenant"] == "main"
    assert (await client.get("/.well-known/oauth-authorization-server/t/acme")).json()["tenant"] == "acme"
    assert (await client.get("/t/acme/.well-known/oauth-authorization-server")).status == 404
    assert (await client.get("/.well-known/oauth-authorization-server/t/nobody")).status == 421


async def test_parameters_of_the_path_are_decoded_once(make: Make) -> None:
    """An encoded slash stays inside its segment, another spelling of a fixed segment is another path, and NUL is nowhere."""
    client = make(get("/api/v1/clients/{client}"))
    assert (await client.get("/api/v1/clients/https%3A%2F%2Fapp.example%2F")).json()["parts"] == {"client": "https://app.example/"}
    assert (await client.get("/api/v1/clients/a%2525")).json()["parts"] == {"client": "a%25"}
    for path in (
        "/api/v1/clients/%00",
        "/api/v1/clients/%ff",
        "/api/v1/clients/a/b",
        "/api/v1/%63lients/a",
        "/api/v1/clients/",
        "/api/v1/clients/" + "a" * 3000,
    ):
        assert (await client.get(path)).status == 404, path


async def test_head_and_options(make: Make) -> None:
    """HEAD has the fields of GET and no body; OPTIONS and 405 say what is allowed."""
    client = make(get("/oauth/userinfo"), TOKEN)
    whole, head = await client.get("/oauth/userinfo"), await client.send("HEAD", "/oauth/userinfo", headers={})
    assert head.body == b""
    assert head.headers["content-length"] == str(len(whole.body))
    options = await client.send("OPTIONS", "/oauth/token", headers={})
    assert (options.status, options.headers["allow"]) == (204, "OPTIONS, POST")
    refused = await client.get("/oauth/token")
    assert (refused.status, refused.headers["allow"]) == (405, "OPTIONS, POST")
    assert (await client.send("DELETE", "/oauth/userinfo", headers={})).headers["allow"] == "GET, HEAD, OPTIONS"
    assert (await client.send("BREW", "/oauth/userinfo", headers={})).status == 405


async def test_scripts_of_other_origins(make: Make) -> None:
    """Token endpoints answer any origin without credentials and may be asked first; what did not say so is closed."""
    client = make(TOKEN, get("/signin"))
    answer = await client.post("/oauth/token", form={"a": "1"}, headers={"origin": "https://app.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert "DPoP-Nonce" in answer.headers["access-control-expose-headers"]
    asking = {"origin": "https://app.example", "access-control-request-method": "POST", "access-control-request-headers": "dpop"}
    flight = await client.send("OPTIONS", "/oauth/token", headers=asking)
    assert flight.status == 204
    assert (flight.headers["access-control-allow-methods"], flight.headers["access-control-max-age"]) == ("POST", "7200")
    assert "DPoP" in flight.headers["access-control-allow-headers"]
    closed = await client.send("OPTIONS", "/signin", headers={**asking, "access-control-request-method": "GET"})
    assert not [name for name in closed.headers if name.startswith("access-control")]
    refused = await client.post("/oauth/token", form=[("a", "1"), ("a", "2")], headers={"origin": "https://app.example"})
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (400, "*")


async def test_security_headers_of_a_page(make: Make) -> None:
    """A page loads nothing but its own, is framed by nobody, sends no referrer and is not stored; its nonce is new each time."""
    client = make(get("/signin", call=page), base="https://id.example")
    first, second = await client.get("/signin"), await client.get("/signin")
    policy = first.headers["content-security-policy"]
    for rule in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self';", "img-src 'self' data:"):
        assert rule in policy + ";"
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert f'nonce="{nonce}"' in first.text
    assert policy != second.headers["content-security-policy"]
    assert "unsafe" not in policy
    for name, value in {
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cross-origin-opener-policy": "same-origin",
        "cache-control": "no-store",
        "strict-transport-security": "max-age=63072000",
        "content-language": "en",
        "content-type": "text/html; charset=utf-8",
    }.items():
        assert first.headers[name] == value
    assert "camera=()" in first.headers["permissions-policy"]


async def test_a_form_may_lead_to_the_app_it_serves(make: Make) -> None:
    """The target's origin or scheme joins form-action; something that is neither does not get into the header."""

    async def leading(call: Call) -> Answer:
        return Page(template="pages/message.html", title="x", values={"text": "", "actions": (), "kind": ""}, form_targets=(call.query.text("to"),))

    client = make(get("/consent", call=leading))
    for target in ("https://app.example", "http://127.0.0.1:8401", "com.example.app:"):
        assert f"form-action 'self' {target};" in (await client.get(f"/consent?to={target}")).headers["content-security-policy"]
    for target in ("https://app.example;script-src%20*", "*", "https://a%20https://b", "https://app.example/path"):
        assert (await client.get(f"/consent?to={target}")).status == 500


async def test_headers_of_what_is_no_page(make: Make) -> None:
    """JSON, redirects and errors are neither sniffed, framed nor stored; HSTS stands in production alone."""

    async def away(_call: Call) -> Answer:
        return SeeOther("/next")

    for base, secure in (("http://localhost:8400", False), ("https://id.example", True)):
        client = make(get("/oauth/thing"), get("/oauth/away", call=away), base=base)
        for path in ("/oauth/thing", "/oauth/away", "/api/nothing"):
            answer = await client.get(path, follow=False)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"] == "no-store"
            assert ("strict-transport-security" in answer.headers) is secure


async def test_what_is_compressed(make: Make) -> None:
    """Pages and public documents shrink for who takes gzip; what protocol endpoints answer never does."""

    async def long(_call: Call) -> Answer:
        return Json({"a": "b" * 5000})

    client = make(get("/signin", call=page), get("/.well-known/x", call=long), get("/oauth/userinfo", who=PROTOCOL, call=long))
    for path in ("/signin", "/.well-known/x"):
        assert (await client.get(path)).headers["content-encoding"] == "gzip"
        assert "accept-encoding" in (await client.get(path)).headers["vary"]
        for refused in ("identity", "gzip;q=0", "br", "gzip ; q=0.0, br"):
            plain = await client.get(path, headers={"accept-encoding": refused})
            assert "content-encoding" not in plain.headers
            assert plain.headers["vary"] == "accept-encoding"
    assert "content-encoding" not in (await client.get("/oauth/userinfo")).headers


async def test_the_style_sheet_is_kept_for_ever(make: Make) -> None:
    """It stands under its own hash, packed beforehand, below every tenant."""
    client = make(get("/signin", call=page))
    for prefix in ("", "/t/acme"):
        html = (await client.get(f"{prefix}/signin")).text
        path = html.partition('rel="stylesheet" href="')[2].partition('"')[0]
        sheet = await client.get(path)
        assert path.startswith(f"{prefix}/assets/")
        assert sheet.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert sheet.headers["content-encoding"] == "gzip"
        assert sheet.headers["content-type"] == "text/css; charset=utf-8"


async def test_kinds_of_answers(make: Make) -> None:
    """Own header fields replace the edge's; redirects lead under the issuer; 204 has no body; a form post has its button."""

    async def raw(_call: Call) -> Answer:
        return Raw(b"jwt", "application/jwt", headers=(("Cache-Control", "public, max-age=5"), ("WWW-Authenticate", "A"), ("WWW-Authenticate", "B")))

    async def gone(_call: Call) -> Answer:
        return SeeOther("https://app.example/cb?x=ü y")

    async def nothing(_call: Call) -> Answer:
        return no_content(SetCookie("l", Secret("de"), 5))

    client = make(get("/oauth/raw", call=raw), get("/oauth/gone", call=gone), get("/oauth/nothing", call=nothing))
    answer = await client.get("/oauth/raw")
    assert (answer.body, answer.headers["content-type"], answer.headers["cache-control"]) == (b"jwt", "application/jwt", "public, max-age=5")
    assert [value for name, value in answer.raw_headers if name == b"www-authenticate"] == [b"A", b"B"]
    assert (await client.get("/oauth/gone", follow=False)).location == "https://app.example/cb?x=%C3%BC%20y"
    empty = await client.get("/oauth/nothing")
    assert (empty.status, empty.body) == (204, b"")
    assert "content-length" not in empty.headers
    assert empty.cookies == ["lmn_l_main=main.de; Path=/; Max-Age=5; HttpOnly; SameSite=Lax"]


async def test_an_endpoint_cannot_break_out_of_a_header(make: Make) -> None:
    """Line breaks in a redirect or header field are a defect of ours: 500, and nothing of it goes out."""

    async def split(call: Call) -> Answer:
        return SeeOther(f"https://app.example/{call.query.text('x')}")

    async def field(call: Call) -> Answer:
        return Json({}, headers=(("x", call.query.text("x")),))

    client = make(get("/a", call=split), get("/b", call=field))
    for path in ("/a", "/b"):
        answer = await client.get(f"{path}?x=a%0d%0aSet-Cookie:%20b=c")
        assert answer.status == 500
        assert "location" not in answer.headers
        assert not answer.cookies


async def test_dev_endpoints_are_for_the_own_machine(make: Make) -> None:
    """They answer under localhost and 127.0.0.1, also where no tenant has that name; in production they do not exist."""
    dev = get("/dev/mailbox.json", who=DEV)
    client = make(dev)
    assert (await client.get("/dev/mailbox.json")).json()["tenant"] == "main"
    assert (await client.get("/t/acme/dev/mailbox.json")).json()["tenant"] == "acme"
    assert (await client.get("http://127.0.0.1:8400/dev/mailbox.json")).json()["tenant"] == "main"
    assert (await client.get("http://own.example/dev/mailbox.json")).status == 404
    assert (await client.get("http://elsewhere.example/dev/mailbox.json")).status == 421
    production = make(dev, base="https://localhost")
    assert (await production.get("/dev/mailbox.json")).status == 404
    assert "/dev/mailbox.json" not in str((await production.get("/api/openapi.json")).json())


async def test_bodies_are_read_as_the_endpoint_says(make: Make) -> None:
    """Forms, JSON Structs, form Structs and octets; several chunks are one body; an empty body is an empty form."""

    class Thing(msgspec.Struct):
        name: str
        count: int = 1

    async def taken(call: Call) -> Answer:
        return Json(call.taken(Thing))

    async def octets(call: Call) -> Answer:
        return Json(len(call.raw))

    client = make(
        TOKEN,
        Endpoint(method="POST", path="/api/v1/things", who=PUBLIC, call=taken, summary="", takes=Thing),
        Endpoint(method="POST", path="/oauth/things", who=PROTOCOL, call=taken, summary="", takes=Thing),
        Endpoint(method="PUT", path="/api/v1/raw", who=PUBLIC, call=octets, summary="", takes=bytes, media=("text/csv",)),
    )
    assert (await client.post("/oauth/token", form={"a": "b c"})).json() == {"a": "b c"}
    assert (await client.post("/oauth/token")).json() == {}
    assert (await client.post("/oauth/token", body=b"a=1", headers={"content-type": "Application/X-WWW-Form-Urlencoded ; Charset=utf-8"})).json() == {"a": "1"}
    pieces = await client.send(
        "POST", "/oauth/token", [b"a=", b"1", b"&b=2"], [(b"host", b"localhost:8400"), (b"content-type", b"application/x-www-form-urlencoded")]
    )
    assert pieces.json() == {"a": "1", "b": "2"}
    assert (await client.post("/api/v1/things", json={"name": "x"})).json() == {"name": "x", "count": 1}
    assert (await client.post("/oauth/things", form={"name": "x", "count": "3"})).json() == {"name": "x", "count": 3}
    assert (await client.send("PUT", "/api/v1/raw", b"abc", {"content-type": "text/csv"})).json() == 3


async def test_the_language_is_the_visitors(make: Make) -> None:
    """A link's ui_locales, then what was chosen before, then the browser's; the choice is remembered by a cookie."""
    client = make(get("/signin", call=page))
    assert 'lang="en"' in (await client.get("/signin")).text
    assert 'lang="de"' in (await client.get("/signin", headers={"accept-language": "de-AT, en;q=0.5"})).text
    chosen = await client.get("/signin?ui_locales=ar&journey=jny_1")
    assert 'lang="ar" dir="rtl"' in chosen.text
    assert "/signin?journey=jny_1&amp;ui_locales=de" in chosen.text
    assert 'lang="ar"' in (await client.get("/signin")).text
    assert client.cookie("lmn_l_main") == "main.ar"
    assert 'lang="ar"' in (await client.get("/signin?ui_locales=%ff")).text


async def test_packed_answers_are_the_plain_ones(make: Make) -> None:
    """What is sent as gzip is, unpacked, what is sent plain."""

    async def script(_call: Call) -> Answer:
        return Raw(b"let a = 1;" * 200, "text/javascript", headers=(("cache-control", "public"),))

    client = make(get("/x.js", call=script))
    packed = await client.send("GET", "/x.js", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.body == (await client.get("/x.js", headers={"accept-encoding": "identity"})).body
    assert len(gzip.compress(packed.body)) < len(packed.body)


async def test_a_program_calls_a_dev_endpoint(make: Make) -> None:
    """JSON needs no form of ours: other sites' pages cannot send it. What is wrong is told as a problem."""

    class Turn(msgspec.Struct):
        advance: int

    async def turn(call: Call) -> Answer:
        return Json(call.taken(Turn).advance)

    client = make(Endpoint(method="POST", path="/dev/clock", who=DEV, call=turn, summary="", takes=Turn, media=("application/json",)))
    assert (await client.post("/dev/clock", json={"advance": 5})).json() == 5
    for wrong in (await client.post("/dev/clock", form={"advance": "5"}), await client.post("/dev/clock", json={"advance": "x"})):
        assert wrong.status in (400, 415)
        assert wrong.headers["content-type"] == "application/problem+json"


async def test_an_answer_posted_to_an_app(make: Make) -> None:
    """response_mode=form_post: the fields, a button without script, and an origin the form may lead to."""

    async def back(_call: Call) -> Answer:
        return FormPost("https://app.example/cb?x=1", {"code": "c&d", "iss": "i"})

    page = await make(get("/oauth/back", call=back, who=PROTOCOL)).get("/oauth/back")
    form = page.forms()[0]
    assert (form.method, form.action, form.fields, len(form.buttons)) == ("post", "https://app.example/cb?x=1", {"code": "c&d", "iss": "i"}, 1)
    assert "form-action 'self' https://app.example;" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
