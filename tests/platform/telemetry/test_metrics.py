"""Figures: counted cheaply, told in Prometheus' words, summed over processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from limen.platform.telemetry import Meter, Server, exposition, listener, shared, summed, worker
from limen.platform.telemetry.settings import BadListen

pytestmark = pytest.mark.anyio


def values(text: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value for family in text_string_to_metric_families(text.decode()) for sample in family.samples
    }


def labels(**given: str) -> frozenset[tuple[str, str]]:
    return frozenset(given.items())


def metered(*, lag: float = 0.0) -> Meter:
    meter = Meter()
    traffic = meter.traffic("POST", "/oauth/token")
    for status, seconds in ((200, 0.0009), (200, 0.02), (400, 20.0)):
        traffic.seen(status, seconds)
    meter.traffic("GET", "/unused")
    meter.count("refusals", "Refusals.").add(3)
    meter.gauge("facts_lag", "Positions behind.", lambda: lag, sums=False)

    async def depth() -> float:
        return 4

    meter.gauge("outbox_depth", "Jobs waiting.", depth)
    meter.kinds("anomalies", "Anomalies.", lambda: {"burst": 2, "drift": int(lag)})
    return meter


async def test_what_prometheus_reads() -> None:
    """Requests by method, route and status, a histogram of durations, counters and gauges; a gauge that fails is left out."""
    meter = metered(lag=7)

    def broken() -> float:
        raise ConnectionError("away")

    meter.gauge("broken", "Broken.", broken)
    found = values(exposition(await meter.snapshot()))
    route = {"method": "POST", "route": "/oauth/token"}
    assert found["limen_http_requests_total", labels(**route, status="200")] == 2
    assert found["limen_http_requests_total", labels(**route, status="400")] == 1
    assert found["limen_http_request_duration_seconds_count", labels(**route)] == 3
    assert found["limen_http_request_duration_seconds_bucket", labels(**route, le="0.001")] == 1
    assert found["limen_http_request_duration_seconds_bucket", labels(**route, le="10.0")] == 2
    assert found["limen_http_request_duration_seconds_bucket", labels(**route, le="+Inf")] == 3
    assert found["limen_http_request_duration_seconds_sum", labels(**route)] == pytest.approx(20.0209)
    assert found["limen_refusals_total", labels()] == 3
    assert found["limen_facts_lag", labels()] == 7
    assert found["limen_outbox_depth", labels()] == 4
    assert found["limen_anomalies_total", labels(kind="burst")] == 2
    assert found["limen_anomalies_total", labels(kind="drift")] == 7
    assert not [name for name, _ in found if "broken" in name]
    assert "/unused" not in str(found)


async def test_several_processes_are_one() -> None:
    """Counts, also by kind, and depths add up, of lags the largest counts."""
    both = values(exposition(summed([await metered(lag=7).snapshot(), await metered(lag=2).snapshot()])))
    assert both["limen_http_requests_total", labels(method="POST", route="/oauth/token", status="200")] == 4
    assert both["limen_facts_lag", labels()] == 7
    assert both["limen_outbox_depth", labels()] == 8
    assert both["limen_anomalies_total", labels(kind="burst")] == 4
    assert both["limen_anomalies_total", labels(kind="drift")] == 9


async def asked(port: int, request: bytes) -> tuple[bytes, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    if not request.endswith(b"\r\n\r\n"):
        writer.write_eof()
    answer = await reader.read(-1)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


async def test_the_listener(tmp_path: Path) -> None:
    """It serves the sum of its sources, workers among them, and goes on when one of them is silent; rubbish gets a 4xx."""
    one, other = metered(), metered()
    path = tmp_path / "w"
    async with shared(other, path), listener(("127.0.0.1", 0), [one.snapshot, worker(path), worker(tmp_path / "gone")]) as port:
        head, body = await asked(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert values(body)["limen_refusals_total", labels()] == 6
        for request, status in (
            (b"GET / HTTP/1.1\r\n\r\n", b"404"),
            (b"POST /metrics HTTP/1.1\r\n\r\n", b"404"),
            (b"hello", b"400"),
            (b"GET /" + b"x" * 20_000, b"400"),
        ):
            assert (await asked(port, request))[0].split(b" ")[1] == status


def test_it_is_off_unless_set() -> None:
    """No address, no listener; an impossible one stops the start."""
    assert Server().address is None
    assert Server(listen="[::1]:9400").address == ("::1", 9400)
    for wrong in ("9400", "localhost:", "localhost:70000"):
        with pytest.raises(BadListen, match="listen"):
            Server(listen=wrong)
