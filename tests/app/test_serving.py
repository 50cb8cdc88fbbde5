"""How a server begins and ends: what it says, that it is alone on its file, and that nobody is cut off."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.proofs.house import new_database
from tests.rig.postgres import Cluster
from tests.rig.server import LIMEN, LimenServer, free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serving")]
TENANT = '[[tenant]]\nname = "acme"\ndefault = true\n'
METADATA = "/.well-known/openid-configuration"


def until(told: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until a claim becomes true."""
    end = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def get(server: LimenServer, path: str) -> int:
    """Ask on a connection of its own."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def signal_all(process: subprocess.Popen[bytes], name: signal.Signals) -> None:
    """Send a signal to a process and its children."""
    for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        os.kill(int(pid), name)
    process.send_signal(name)


def attempt(server: LimenServer, *more: str) -> subprocess.CompletedProcess[str]:
    """Start another one on the same configuration, which is expected not to serve."""
    words = [*LIMEN, "serve", "--config", str(server.config), *more]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, cwd=server.folder)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LimenServer]:
    """One process on SQLite, prepared and not yet started."""
    made = LimenServer(tmp_path)
    made.prepare(TENANT)
    yield made
    made.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LimenServer]:
    """One process on SQLite, or two on PostgreSQL."""
    database, workers = "", 1
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        database, workers = new_database(cluster), 2
    made = LimenServer(tmp_path, database, workers)
    made.prepare(TENANT)
    yield made
    made.stop()


def test_logs_are_lines_of_json_in_production(server: LimenServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it serves what, each request, that it was asked to end and has: every line can be parsed."""
    monkeypatch.setenv("LIMEN_SERVER_MODE", "production")
    monkeypatch.setenv("LIMEN_SERVER_BASE_URL", "https://id.example.com")
    server.start()
    assert server.process is not None
    process = server.process.pid
    server.stop()
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    told = {line["event"]: line for line in lines}
    assert [event for event in told if event != "request"] == ["server.serving", "server.leaving", "server.ended"]
    serving = told["server.serving"]
    assert (serving["base_url"], serving["listen"], serving["process"]) == ("https://id.example.com", f"127.0.0.1:{server.port}", process)
    assert (serving["database"], serving["mode"]) == (str(server.folder / "limen.db"), "production")
    assert told["server.leaving"]["signal"] == "SIGTERM"


def test_a_sqlite_file_has_one_server(server: LimenServer) -> None:
    """A second one is refused with the first one's number, commands join in, and after a crash the next may serve."""
    server.start()
    assert server.process is not None
    second = attempt(server, "--port", str(free_port()))
    assert second.returncode == 1
    assert second.stderr == (
        f"limen: {server.folder}/limen.db is served by the process {server.process.pid} already, and SQLite has room for one. "
        "End that, or use PostgreSQL [database_served]\n"
    )
    server.run("key", "list")
    server.kill()
    server.start()
    assert get(server, METADATA) == 200


def test_load_balancers_look_elsewhere_first(either: LimenServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """After SIGTERM, which a service manager sends to every process, it is not ready and answers as long as `drain` says; then it ends well."""
    monkeypatch.setenv("LIMEN_SERVER_DRAIN", "2s")
    either.start()
    process = either.process
    assert process is not None
    until(lambda: either.log.read_text().count("server.serving") == either.workers)
    signal_all(process, signal.SIGTERM)
    until(lambda: all(get(either, "/health/ready") == 503 for _ in range(8)))
    assert [get(either, METADATA) for _ in range(8)] == [200] * 8
    assert process.wait(20) == 0
    assert either.log.read_text().count("server.ended") == either.workers


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_ctrl_c_does_not_wait(either: LimenServer, monkeypatch: pytest.MonkeyPatch, first: signal.Signals) -> None:
    """SIGINT, sent to the one process that was started, ends it without draining, at first or later."""
    monkeypatch.setenv("LIMEN_SERVER_DRAIN", "5m")
    either.start()
    process = either.process
    assert process is not None
    until(lambda: either.log.read_text().count("server.serving") == either.workers)
    process.send_signal(first)
    if first is signal.SIGTERM:
        until(lambda: either.log.read_text().count("server.leaving") == either.workers)
        process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert either.log.read_text().count("server.ended") == either.workers


def test_what_no_worker_could_serve_is_said_once(cluster: Cluster, tmp_path: Path) -> None:
    """Without keys, or where its figures cannot be shown, a server of several processes ends with one line and no further attempts."""
    bare = LimenServer(tmp_path, new_database(cluster), workers=3, metrics=free_port())
    bare.write()
    refused = attempt(bare)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert refused.stderr.startswith("limen: There is no key file ")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", bare.metrics))
        taken.listen()
        refused = attempt(bare)
    assert (refused.returncode, refused.stderr) == (
        1,
        "limen: metrics.listen: cannot listen there: Address already in use. Choose another address, or end what listens there [metrics_address_taken]\n",
    )
