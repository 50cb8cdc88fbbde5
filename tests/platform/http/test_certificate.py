"""The client's certificate, as a trusted proxy hands it on."""

from __future__ import annotations

import base64

import pytest
import structlog

from limen.platform.http import PROTOCOL, PUBLIC, Answer, Call, Endpoint, Json
from tests.platform.http.conftest import Make
from tests.rig.asgi import Client
from tests.rig.certificates import certified

pytestmark = pytest.mark.anyio

PROXY = "10.0.0.1"
DER = certified("app").der
SHOWN = b":" + base64.b64encode(DER) + b":"
PATH = "/oauth/certificate"


async def shown(call: Call) -> Answer:
    found = call.certificate
    return Json({"certificate": found.hex() if found is not None else None})


ENDPOINT = Endpoint(method="GET", path=PATH, who=PROTOCOL, call=shown, summary="")


def behind(make: Make, *trusted: str, address: str = PROXY) -> Client:
    client = make(ENDPOINT, trusted_proxies=trusted)
    client.address = address
    return client


async def ask(client: Client, *fields: bytes, name: bytes = b"client-cert") -> tuple[int, object]:
    """Send the fields so, and return status and the certificate or the error."""
    answer = await client.send("GET", PATH, headers=[(b"host", b"localhost:8400"), *((name, field) for field in fields)])
    said = answer.json()
    return answer.status, said["certificate"] if answer.status == 200 else (said["error"], said["error_description"])


async def test_the_certificate_a_trusted_proxy_sends_is_the_clients(make: Make) -> None:
    """One byte sequence (RFC 9440, section 2) is read to the octet, without padding and with room around it too; without a field there is none."""
    client = behind(make, "10.0.0.0/8")
    assert await ask(client) == (200, None)
    assert await ask(client, SHOWN) == (200, DER.hex())
    assert await ask(client, b" " + SHOWN.replace(b"=", b"") + b" ") == (200, DER.hex())
    assert await ask(behind(make, "10.0.0.0/8", address="::ffff:10.0.0.1"), SHOWN) == (200, DER.hex())
    assert await ask(client, SHOWN, name=b"client-cert-chain") == (200, None)


@pytest.mark.parametrize(("trusted", "peer"), [((), PROXY), (("10.0.0.2",), PROXY), (("10.0.0.0/8",), "203.0.113.9"), (("10.0.0.0/8",), "")])
@pytest.mark.parametrize("fields", [(SHOWN,), (SHOWN, SHOWN), (b"rubbish",), (b":" + b"A" * 20_000 + b":",)], ids=["good", "twice", "rubbish", "long"])
async def test_what_a_stranger_sends_is_not_heard(make: Make, trusted: tuple[str, ...], peer: str, fields: tuple[bytes, ...]) -> None:
    """From a peer that is no trusted proxy the header means nothing, whatever stands in it: no certificate, no refusal, no line in the log."""
    with structlog.testing.capture_logs() as logs:
        assert await ask(behind(make, *trusted, address=peer), *fields) == (200, None)
    assert logs == []


PEM = certified("app").pem


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ((b"",), "is not one"),
        ((b"::",), "is not one"),
        ((base64.b64encode(DER),), "is not one"),
        ((b":!!!:",), "is not one"),
        ((SHOWN + b";q=1",), "is not one"),
        ((b'"' + SHOWN + b'"',), "is not one"),
        ((PEM.replace(b"\n", b"%0A"),), "is not one"),
        ((SHOWN, SHOWN), "is not one"),
        ((SHOWN, b":" + base64.b64encode(certified("other").der) + b":"), "is not one"),
        ((SHOWN + b", " + SHOWN,), "is not one"),
        ((b":MIIBA:",), "is no base64"),
        ((b":" + base64.b64encode(PEM) + b":",), "holds no DER"),
        ((b":" + b"MIIB" * 2731 + b"MIIB:",), "is longer than"),
    ],
)
async def test_a_proxy_that_sends_it_wrong_is_told_of(make: Make, fields: tuple[bytes, ...], why: str) -> None:
    """A malformed or doubled field of a trusted proxy is refused with 400; the log says once what is wrong and what the proxy is to send."""
    with structlog.testing.capture_logs() as logs:
        client = behind(make, "10.0.0.0/8")
        for _ in range(3):
            assert await ask(client, *fields) == (400, ("invalid_request", "The certificate of this connection could not be read."))
    (line,) = [one for one in logs if one["event"] == "request.failed"]
    assert (line["error"], line["route"]) == ("certificate_unreadable", PATH)
    assert why in line["reason"]
    assert "RFC 9440" in line["reason"]


async def test_whoever_does_not_ask_is_not_troubled(make: Make) -> None:
    """An endpoint that wants no certificate answers whatever the proxy sends."""

    async def other(_call: Call) -> Answer:
        return Json("well")

    client = make(Endpoint(method="GET", path="/other", who=PUBLIC, call=other, summary=""), trusted_proxies=(PROXY,))
    client.address = PROXY
    answer = await client.send("GET", "/other", headers=[(b"host", b"localhost:8400"), (b"client-cert", b"rubbish"), (b"client-cert", b"more")])
    assert answer.json() == "well"
