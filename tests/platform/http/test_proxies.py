"""The client's certificate behind real proxies: HAProxy as the tests and conformance plans have it, HAProxy and Apache as the guide has them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import json
import re
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from limen.platform.http import PROTOCOL, Answer, Call, Endpoint, Json
from tests.platform.http.conftest import Make, served
from tests.rig.certificates import certified
from tests.rig.haproxy import ADDRESS, HaProxy, listens, within

pytestmark = pytest.mark.anyio

PATH = "/oauth/certificate"
LIE = base64.b64encode(certified("app").der).decode()
LIES = (f"Client-Cert: :{LIE}:", "client-cert: :AAAA:", "X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6")
GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "behind-a-proxy.md"
MODULES = ("mpm_event", "ssl", "headers", "proxy", "proxy_http", "authz_core")
APACHE = """
ServerRoot "{folder}"
PidFile "{folder}/apache.pid"
ErrorLog "{folder}/error.log"
User www-data
Group www-data
{modules}
Listen 127.0.0.1:{https}
Listen 127.0.0.1:{mtls}
{block}
"""


async def shown(call: Call) -> Answer:
    found = call.certificate
    return Json({"certificate": found.hex() if found is not None else None, "address": call.origin.address, "host": call.headers["host"]})


ENDPOINT = Endpoint(method="GET", path=PATH, who=PROTOCOL, call=shown, summary="")


@asynccontextmanager
async def proxied(make: Make, folder: Path) -> AsyncIterator[tuple[HaProxy, int]]:
    """Run the real web server behind HAProxy, which alone it trusts; yield the proxy, and the server's own port."""
    proxy = HaProxy(folder)
    app = make(ENDPOINT, base=proxy.origin, trusted_proxies=(ADDRESS,)).app
    async with served(app) as port:
        await asyncio.to_thread(proxy.start, port)
        try:
            yield proxy, port
        finally:
            await asyncio.to_thread(proxy.stop)


async def said(port: int, tls: ssl.SSLContext | None, host: str, *fields: str) -> dict[str, str | None]:
    """Ask for the certificate over a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="localhost" if tls else None)
    writer.write("\r\n".join([f"GET {PATH} HTTP/1.1", f"Host: {host}", "Connection: close", *fields, "", ""]).encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert b" 200 " in head.splitlines()[0], head
    found: dict[str, str | None] = json.loads(body)
    return found


async def test_haproxy_hands_the_certificate_on(make: Make, tmp_path: Path) -> None:
    """Behind Debian's HAProxy the certificate is that of the connection: of its authority, or self-signed; neither a stranger's nor one that ended."""
    async with proxied(make, tmp_path) as (proxy, _):
        host = f"localhost:{proxy.mtls}"
        known, own = certified("app", proxy.authority), certified("app")
        assert (await said(proxy.mtls, proxy.client(), host))["certificate"] is None
        assert (await said(proxy.mtls, proxy.client(known), host))["certificate"] == known.der.hex()
        assert (await said(proxy.mtls, proxy.client(own), host))["certificate"] == own.der.hex()
        stranger = certified("app", certified("Authority of somebody else", authority=True))
        ended = dt.datetime(2021, 1, 1, tzinfo=dt.UTC)
        for refused in (stranger, certified("app", proxy.authority, ends=ended), certified("app", ends=ended)):
            assert (await said(proxy.mtls, proxy.client(refused), host))["certificate"] is None
        assert (await said(proxy.https, proxy.client(known), f"localhost:{proxy.https}"))["certificate"] is None


async def test_haproxy_lets_nobody_bring_a_certificate_as_a_header(make: Make, tmp_path: Path) -> None:
    """What a client writes into Client-Cert, X-Forwarded-For and Forwarded is overwritten, on both ports; the connection's own certificate counts."""
    async with proxied(make, tmp_path) as (proxy, _):
        known = certified("app", proxy.authority)
        for port, own, certificate in ((proxy.https, None, None), (proxy.mtls, None, None), (proxy.mtls, known, known.der.hex())):
            answer = await said(port, proxy.client(own), f"localhost:{port}", *LIES)
            assert answer == {"certificate": certificate, "address": "127.0.0.1", "host": f"localhost:{proxy.https}"}


async def test_nobody_goes_around_the_proxy(make: Make, tmp_path: Path) -> None:
    """Straight to the server, from an address that is not the proxy's, the header is not heard."""
    async with proxied(make, tmp_path) as (proxy, port):
        answer = await said(port, None, f"localhost:{proxy.https}", LIES[0], LIES[2])
        assert answer == {"certificate": None, "address": "127.0.0.1", "host": f"localhost:{proxy.https}"}


def as_in_the_guide(language: str, proxy: HaProxy, backend: int) -> str:
    """Return the guide's configuration with ports and files of this test."""
    text: str = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)[0]
    for there, here in (
        (r"bind :443 ", f"bind 127.0.0.1:{proxy.https} "),
        (r"bind :8443 ", f"bind 127.0.0.1:{proxy.mtls} "),
        (r"\*:443>", f"*:{proxy.https}>"),
        (r"\*:8443>", f"*:{proxy.mtls}>"),
        (r"127\.0\.0\.1:8400", f"127.0.0.1:{backend}"),
        (r"/etc/(haproxy|ssl)/id\.example\.com\.pem", f"{proxy.folder}/server.pem"),
        (r"/etc/(haproxy|ssl)/clients\.pem", f"{proxy.folder}/clients.pem"),
        (r"Host id\.example\.com", f"Host localhost:{proxy.https}"),
    ):
        text = re.sub(there, here, text)
    return text


@contextmanager
def apache(proxy: HaProxy, backend: int) -> Iterator[None]:
    """Run Debian's Apache in the proxy's place."""
    proxy.certify()
    config = proxy.folder / "apache.conf"
    loads = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES)
    block = as_in_the_guide("apache", proxy, backend)
    config.write_text(APACHE.format(folder=proxy.folder, modules=loads, https=proxy.https, mtls=proxy.mtls, block=block))
    with (proxy.folder / "apache.log").open("ab") as log:
        process = subprocess.Popen(["/usr/sbin/apache2", "-f", str(config), "-DFOREGROUND"], stdout=log, stderr=log)
    try:
        within(20, lambda: listens(proxy.https) and listens(proxy.mtls), proxy.folder / "error.log", process)
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def haproxy(proxy: HaProxy, backend: int) -> Iterator[None]:
    """Run HAProxy as the guide has it."""
    proxy.config = proxy.folder / "guide.cfg"
    proxy.config.write_text(as_in_the_guide("haproxy", proxy, backend))
    try:
        proxy.start(backend)
        yield
    finally:
        proxy.stop()


@pytest.mark.slow
@pytest.mark.parametrize("run", [haproxy, apache])
async def test_the_guides_configurations_do_what_it_says(make: Make, tmp_path: Path, run: Callable[[HaProxy, int], AbstractContextManager[None]]) -> None:
    """Each hands on what is checked and what is self-signed, nothing else; nobody brings address or certificate as a header, on either port."""
    proxy = HaProxy(tmp_path / "proxy")
    async with served(make(ENDPOINT, base=proxy.origin, trusted_proxies=("127.0.0.1",)).app) as port:
        with run(proxy, port):
            stranger = certified("app", certified("Authority of somebody else", authority=True))
            ended = certified("app", proxy.authority, ends=dt.datetime(2021, 1, 1, tzinfo=dt.UTC))
            for own in (certified("app", proxy.authority), certified("app")):
                answer = await said(proxy.mtls, proxy.client(own), f"localhost:{proxy.mtls}", *LIES)
                assert answer == {"certificate": own.der.hex(), "address": "127.0.0.1", "host": f"localhost:{proxy.https}"}
            with contextlib.suppress(ssl.SSLError):  # Apache ends the handshake
                assert (await said(proxy.mtls, proxy.client(ended), f"localhost:{proxy.mtls}"))["certificate"] is None
            for at, none in ((proxy.mtls, stranger), (proxy.mtls, None), (proxy.https, None)):
                answer = await said(at, proxy.client(none), f"localhost:{at}", *LIES)
                assert answer == {"certificate": None, "address": "127.0.0.1", "host": f"localhost:{proxy.https}"}
