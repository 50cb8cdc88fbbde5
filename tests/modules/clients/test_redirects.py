"""Redirect addresses: what may be registered, and what matches. Hostile ones are refused before anybody could be sent there."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.kernel.ids import ClientId
from limen.modules.clients import Client, ClientKind, matches_post_logout, matches_redirect
from limen.modules.clients.model.redirects import LIMIT, fault

GOOD_EVERYWHERE = [
    "https://app.example.com/callback",
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com:8443/callback",
    "https://app.example.com/callback?tenant=7&x=%C3%BC",
    "https://xn--bcher-kva.example/callback",
    "https://app.example.com/@me/~x;v=1,2/a%2Fb",
    "https://app.example.com//double",
    "https://10.0.0.7/callback",
    "https://[2001:db8:0:0:0:0:0:1]/callback",
    "https://localhost/callback",
]
LOCAL_WEB = ["http://localhost:8401/callback", "http://127.0.0.1/callback", "http://[::1]:9/callback", "http://shop.localhost:8401/callback"]
LOOPBACK = [
    "http://localhost:3334/callback",
    "http://localhost/",
    "http://127.0.0.1/callback",
    "http://[::1]/callback",
    "http://127.0.0.1:8401/callback",
    "http://127.0.0.1",
]
PRIVATE_USE = [
    "com.example.app:/callback",
    "com.example.app://callback",
    "com.example.app://callback/x?y=1",
    "org.example.my-app:/",
    "com.example.app:/a/b",
    "com.example.app:///callback",
]

HOSTILE = [
    "",
    " ",
    "callback",
    "/callback",
    "//app.example.com/callback",
    "https:app.example.com",
    "https:/app.example.com",
    "https:///callback",
    "https://",
    "https://?x",
    "HTTPS://app.example.com/",
    "https://App.example.com/callback",
    "https://app.example.com/callback#",
    "https://app.example.com/callback#fragment",
    "https://app.example.com/%23/x#y",
    "https://app.example.com/%23fragment",
    "https://*.example.com/callback",
    "https://app.example.com/*",
    "https://app.example.com/%2a",
    "https://user@app.example.com/callback",
    "https://user:password@app.example.com/",
    "https://app.example.com@evil.example/",
    "https://app.example.com%40evil.example/",
    "https://app.example.com\\@evil.example/",
    "https://app.example.com\\.evil.example/",
    "https:\\\\app.example.com\\callback",
    "https://app.example.com/%5c%5cevil.example",
    "https://app.example.com/a/../b",
    "https://app.example.com/a/./b",
    "https://app.example.com/..",
    "https://app.example.com/%2e%2e/b",
    "https://app.example.com/.%2E/b",
    "https://app.example.com/callback\n",
    "https://app.example.com/\r\nSet-Cookie: a=b",
    "https://app.example.com/%0d%0aSet-Cookie:%20a=b",
    "https://app.example.com/%00",
    "https://app.example.com/\x00",
    "https://app.example.com/%7f",
    "https://app.example.com/ x",
    "https://app.example.com/%20x",
    "https://app.example.com/\tx",
    "https://app.example.com/%zz",
    "https://app.example.com/%",
    "https://app.example.com/%2",
    "https://app.example.com/<script>",
    'https://app.example.com/"x"',
    "https://app.example.com/{x}",
    "https://app.example.com/|",
    "https://app.example.com/[x]",
    "https://b\u00fccher.example/callback",
    "https://app.example.com/\u202egnp.exe",
    "https://\uff41pp.example.com/",
    "https://app\u3002example.com/",
    "https://app.example.com./",
    "https://.example.com/",
    "https://app..example.com/",
    "https://-app.example.com/",
    "https://app_1.example.com/",
    "https://app.example.com:/callback",
    "https://app.example.com:0/callback",
    "https://app.example.com:080/callback",
    "https://app.example.com:65536/callback",
    "https://app.example.com:99999/callback",
    "https://app.example.com:8o/callback",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://127.1/",
    "https://0177.0.0.1/",
    "https://256.0.0.1/",
    "https://1.2.3.4.5/",
    "https://app.example.123/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::1%25eth0]/",
    "https://[v1.x]/",
    "https://[::1/",
    "https://::1/",
    "https://app.example.com/callback?code=1",
    "https://app.example.com/callback?state=x",
    "https://app.example.com/callback?a=1&iss=x",
    "https://app.example.com/callback?error",
    "http://app.example.com/callback",
    "http://192.168.0.7/callback",
    "http://127.0.0.2/callback",
    "http://localhost.evil.example/callback",
    "http://localhost@evil.example/",
    "http://127.0.0.1@evil.example/",
    "http://127.0.0.1.evil.example/",
    "http://0.0.0.0/callback",
    "http://[::]/callback",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "javascript://app.example.com/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://app.example.com/x",
    "about:blank",
    "ftp://app.example.com/",
    "ws://app.example.com/",
    "mailto:ada@example.com",
    "tel:+4930",
    "intent://x#Intent;end",
    "myapp:/callback",
    "myapp://callback",
    "com.example.app:callback",
    "com.example.app:",
    "com.example.app://user@host/x",
    "com.example.app://h:80/x",
    "Com.Example.App:/callback",
    "com.example.app:/*",
    "com.example.app:/callback#x",
    "com.example.app:/../x",
    "com..app:/callback",
    "1com.example:/callback",
    ".com:/callback",
    "urn:ietf:wg:oauth:2.0:oob",
    f"https://app.example.com/{'a' * LIMIT}",
]


@pytest.mark.parametrize("uri", GOOD_EVERYWHERE)
@pytest.mark.parametrize(("native", "dev"), [(False, False), (True, False), (False, True)])
def test_https_is_registered_for_every_kind(uri: str, native: bool, dev: bool) -> None:  # noqa: FBT001 - the table's columns
    """Plain https addresses are good for all."""
    assert fault(uri, native=native, dev=dev) is None


@pytest.mark.parametrize("uri", HOSTILE)
@pytest.mark.parametrize(("native", "dev"), [(False, False), (True, False), (False, True), (True, True)])
def test_what_could_be_read_in_two_ways_is_never_registered(uri: str, native: bool, dev: bool) -> None:  # noqa: FBT001 - as above
    """Wildcards, fragments, users, disguises, odd hosts, foreign schemes: refused for every kind, in dev mode too, with a suggestion."""
    found = fault(uri, native=native, dev=dev)
    assert found is not None
    assert all(found)


@pytest.mark.parametrize("uri", LOCAL_WEB)
def test_http_to_this_machine_is_for_dev_mode(uri: str) -> None:
    """A web app may use http on localhost while it is being written, and not in production."""
    assert fault(uri, native=False, dev=True) is None
    assert fault(uri, native=False, dev=False) is not None


@pytest.mark.parametrize("uri", [*LOOPBACK, *PRIVATE_USE])
def test_native_apps_have_loopback_and_reversed_domains(uri: str) -> None:
    """RFC 8252, sections 7.1 and 7.3: for native apps alone."""
    assert fault(uri, native=True, dev=False) is None
    assert (fault(uri, native=False, dev=False)) is not None


@pytest.mark.parametrize("host", ["app.localhost", "localhost.evil.example", "localhost.", "127.0.0.2", "0.0.0.0", "host.docker.internal"])
def test_no_other_name_is_loopback_for_native_apps(host: str) -> None:
    """What a name server could be asked about need not be this device (RFC 8252, section 8.3); no browser is sent there."""
    assert fault(f"http://{host}/callback", native=True, dev=False) is not None


def client(kind: ClientKind, *uris: str) -> Client:
    return Client(id=ClientId("app"), kind=kind, redirect_uris=uris, post_logout_redirect_uris=uris)


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com/callback/",
        "https://app.example.com/callback?",
        "https://app.example.com/callback?x=1",
        "https://app.example.com/callbacK",
        "https://app.example.com:443/callback",
        "https://app.example.com/callback#x",
        "https://app.example.com/%63allback",
        "https://app.example.com/callback/../callback",
        "https://evil.example/callback",
        "http://app.example.com/callback",
        "",
    ],
)
def test_comparison_is_letter_by_letter(uri: str) -> None:
    """RFC 9700, section 4.1.3: what is not exactly registered does not match."""
    app = client(ClientKind.WEB, "https://app.example.com/callback")
    assert matches_redirect(app, "https://app.example.com/callback")
    assert not matches_redirect(app, uri)
    assert not matches_post_logout(app, uri)


@pytest.mark.parametrize("registered", ["http://127.0.0.1/callback", "http://127.0.0.1:8401/callback"])
@pytest.mark.parametrize("uri", ["http://127.0.0.1/callback", "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback"])
def test_a_loopback_address_matches_with_any_port(registered: str, uri: str) -> None:
    """RFC 8252, section 7.3: the port is the system's choice, for native apps; a web app's is its own."""
    assert matches_redirect(client(ClientKind.NATIVE, registered), uri)
    assert matches_redirect(client(ClientKind.WEB, registered), uri) == (registered == uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:08/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:8401@evil.example/callback",
        "http://127.0.0.1:8401/callback?x",
        "http://127.0.0.1:8401/callback#x",
        "http://127.0.0.1:8401/other",
        "http://127.0.0.1:8401",
        "http://[::1]:8401/callback",
        "http://127.0.0.2:8401/callback",
        "http://localhost:8401/callback",
        "https://127.0.0.1:8401/callback",
        "http://127.0.0.1:8401/callback\n",
    ],
)
def test_nothing_but_the_port_may_differ(uri: str) -> None:
    """Host, scheme, path and query of a loopback address are compared like any other's."""
    assert not matches_redirect(client(ClientKind.NATIVE, "http://127.0.0.1/callback"), uri)


@given(st.text(alphabet=st.sampled_from("htps:/.@#?*%\\[]ab1-0e2 \n\u3002"), max_size=40).map(lambda tail: "https://" + tail))
def test_what_is_registered_is_read_alike_by_another_parser(uri: str) -> None:
    """Whatever passes has, for the standard library too, the host that stands there, no user, no fragment and no disguise."""
    if fault(uri, native=False, dev=False) is None:
        parts = urlsplit(uri)
        assert parts.scheme == "https"
        assert uri.startswith(f"https://{parts.netloc}")
        assert "@" not in parts.netloc
        assert not parts.fragment
        assert uri.isascii()
        assert uri.isprintable()
        assert "\\" not in uri


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(uri: str) -> None:
    """Every text is answered."""
    fault(uri, native=True, dev=True)
