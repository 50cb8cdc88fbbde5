"""Fetching what others named."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from limen.platform.http.fetch import Fetcher, FetchFailed, FetchRefused
from limen.platform.telemetry import TRACES
from tests.rig.spans import recorded

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def serving(answer: Callable[[bytes], Awaitable[bytes | None]], tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve raw octets on a free port of loopback; None hangs up late."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            content = await answer(await reader.readuntil(b"\r\n\r\n"))
            writer.write(content or b"")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


def plain(body: bytes, status: str = "200 OK", extra: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: Application/JSON; charset=utf-8\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


async def test_a_document_is_fetched() -> None:
    """From loopback in dev mode: the request names the host, carries no secrets of ours, asks for nothing compressed."""
    heads: list[bytes] = []

    async def answer(head: bytes) -> bytes:
        heads.append(head.lower())
        return plain(b'{"keys":[]}')

    async with serving(answer) as port:
        got = await Fetcher(own_machine=True).get(f"http://localhost:{port}/jwks?x=1")
    assert (got.status, got.media_type, got.body) == (200, "application/json", b'{"keys":[]}')
    assert heads[0].startswith(b"get /jwks?x=1 http/1.1\r\n")
    assert f"host: localhost:{port}".encode() in heads[0]
    assert b"accept-encoding: identity" in heads[0]


async def test_a_trace_has_the_host_alone() -> None:
    """A fetch inside what is recorded is a span with method, host and status: no path, no query; and strangers learn no trace's id."""
    heads: list[bytes] = []

    async def answer(head: bytes) -> bytes:
        heads.append(head.lower())
        return plain(b"{}", "404 Not Found")

    with recorded() as spans:
        async with serving(answer) as port:
            with TRACES.root("job x", "consumer", {}):
                await Fetcher(own_machine=True).get(f"http://localhost:{port}/of/ada?login=ada")
                with pytest.raises(FetchRefused):
                    await Fetcher().get(f"https://localhost:{port}/of/ada")
        raw = spans.raw()
        (fetch,) = spans.take("fetch ")
    assert fetch.attributes == {"http.request.method": "GET", "server.address": "localhost", "http.response.status_code": 404}
    assert (fetch.name, fetch.kind) == ("fetch GET", "client")
    assert "ada" not in raw
    assert b"traceparent" not in heads[0]


async def test_octets_are_posted() -> None:
    """A logout token goes out as a form, and an error status comes back as it is."""

    async def answer(head: bytes) -> bytes:
        return plain(head.split(b" ")[0], "400 Bad Request")

    async with serving(answer) as port:
        got = await Fetcher(own_machine=True).post(f"http://127.0.0.1:{port}/bc", b"logout_token=x", "application/x-www-form-urlencoded")
    assert (got.status, got.body) == (400, b"POST")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://example.com:8443/", "ftp://example.com/", "https://user@example.com/", "https:///x", "https://[::1", "example.com",
        "https://exa mple.com/", "https://example.com\\@evil/", "https://bücher.example/", "https://example.com:99999/", "https://e/" + "x" * 3000, "file:///etc/passwd",
    ],
)  # fmt: skip
async def test_addresses_that_are_refused_by_their_looks(url: str) -> None:
    """Only https on 443, without users, spaces, backslashes or letters beyond ASCII; nothing is resolved for the rest."""
    with pytest.raises(FetchRefused):
        await Fetcher().get(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "2130706433",
        "0x7f.1",
    ],
)
async def test_private_networks_are_refused(host: str) -> None:
    """Whatever the spelling: loopback, private, link-local (cloud metadata), shared, multicast, broadcast."""
    with pytest.raises(FetchRefused, match="private"):
        await Fetcher().get(f"https://{host}/")


@pytest.mark.parametrize(
    "address",
    [
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "ff02::1",
        "2001:db8::1",
        "fec0::1",
        "3fff::1",
        "5f00::1",
        "4000::1",
        "::ffff:0:a00:1",
        "::7f00:1",
        "64:ff9b:1::a00:1",
    ],
)
def test_private_networks_in_ipv6_are_refused(address: str) -> None:
    """Also where an IPv4 address is carried inside: mapped, NAT64, 6to4, Teredo."""
    assert not Fetcher()._fit(ipaddress.ip_address(address), "https")
    assert not Fetcher(any_port=True)._fit(ipaddress.ip_address(address), "https")


def test_public_addresses_are_fit() -> None:
    """Over https only; dev mode opens loopback and nothing else."""
    public, loopback, private = (ipaddress.ip_address(one) for one in ("93.184.216.34", "127.0.0.1", "10.0.0.1"))
    assert Fetcher()._fit(public, "https")
    assert Fetcher()._fit(ipaddress.ip_address("2606:2800:220:1:248:1893:25c8:1946"), "https")
    dev = Fetcher(own_machine=True)
    assert dev._fit(loopback, "http")
    assert not dev._fit(public, "http")
    assert not dev._fit(private, "https")


async def test_what_comes_back_is_bounded() -> None:
    """Too much, too late, a redirect, rubbish and a closed door are failures, each with its reason."""

    async def much(_head: bytes) -> bytes:
        return plain(b"x" * 70_000)

    async def away(_head: bytes) -> bytes:
        return plain(b"", "302 Found", "Location: http://127.0.0.1:1/\r\n")

    async def rubbish(_head: bytes) -> bytes:
        return b"hello\r\n\r\n"

    async def never(_head: bytes) -> None:
        await asyncio.sleep(1)

    fetcher = Fetcher(own_machine=True, seconds=0.3)
    for answer, words in ((much, "more than"), (away, "redirects"), (rubbish, "reached"), (never, "in time")):
        async with serving(answer) as port:
            with pytest.raises(FetchFailed, match=words):
                await fetcher.get(f"http://127.0.0.1:{port}/")
    with pytest.raises(FetchFailed, match="reached"):
        await fetcher.get("http://127.0.0.1:1/")
    with pytest.raises(FetchFailed, match="resolve"):
        await Fetcher().get("https://no-such-name.invalid/")


def certificate(folder: Path, name: str) -> Path:
    """Return the file of a self-signed certificate for `name` and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=20_000))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / f"{name}.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Believing(Fetcher):
    """Believes one certificate more than usual."""

    authority: Path

    def _trust(self, address: object) -> ssl.SSLContext | bool:
        assert str(address) in ("127.0.0.1", "::1")
        return ssl.create_default_context(cafile=str(self.authority))


async def test_tls_is_held_to_the_name_that_was_asked_for(tmp_path: Path) -> None:
    """The connection goes to the checked address, the certificate has to be the name's; dev mode takes any on loopback, production none."""

    async def answer(_head: bytes) -> bytes:
        return plain(b"{}")

    for name, fits in (("localhost", True), ("other.example", False)):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate(tmp_path, name))
        async with serving(answer, tls) as port:
            url = f"https://localhost:{port}/"
            assert (await Fetcher(own_machine=True).get(url)).body == b"{}"
            believing = _Believing(own_machine=True, authority=tmp_path / f"{name}.pem")
            if fits:
                assert (await believing.get(url)).body == b"{}"
            else:
                with pytest.raises(FetchFailed, match="reached"):
                    await believing.get(url)


def test_the_usual_certificates_are_read_once() -> None:
    """Reading them takes longer than a page; every fetch of a process holds its peers to the same, names checked."""
    first, second = (Fetcher()._trust(ipaddress.ip_address("192.0.2.1")) for _ in range(2))
    assert isinstance(first, ssl.SSLContext)
    assert first is second
    assert first.check_hostname
    assert first.verify_mode is ssl.CERT_REQUIRED
    assert Fetcher()._trust(ipaddress.ip_address("127.0.0.1")) is first
