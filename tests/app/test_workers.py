"""Several processes on one socket, and how one or all of them end."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs.house import new_database
from tests.rig.postgres import Cluster
from tests.rig.server import LimenServer, free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workers")]
TENANT = '[[tenant]]\nname = "acme"\ndefault = true\n'


@pytest.fixture
def server(cluster: Cluster, tmp_path: Path) -> LimenServer:
    """A server of two processes, prepared and not yet started; its database is dropped with the cluster."""
    made = LimenServer(tmp_path, new_database(cluster), workers=2, metrics=free_port())
    made.prepare(TENANT)
    return made


@pytest.fixture
def serving(server: LimenServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[LimenServer]:
    """The same, started; both processes answer. Whatever comes, their log is lines of JSON."""
    monkeypatch.setenv("LIMEN_LOG_FORMAT", "json")
    server.start()
    until(lambda: server.log.read_text().count("server.serving") == 2 and figure(server, "limen_hashes_waiting") is not None)
    yield server
    server.stop()
    assert log(server)[0]["event"] == "server.serving"


def log(server: LimenServer) -> list[dict[str, object]]:
    """Return what the server said."""
    return [json.loads(line) for line in server.log.read_text().splitlines()]


def until(told: object, seconds: float = 20.0) -> None:
    """Wait until a claim becomes true."""
    assert callable(told)
    end = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)


def workers(server: LimenServer) -> list[int]:
    """Return the processes the parent has started."""
    assert server.process
    try:
        return [int(word) for word in Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def figure(server: LimenServer, name: str) -> float | None:
    """Return one number of the parent's figures."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics}/metrics", timeout=5) as answer:
        found = re.search(rf"^{re.escape(name)} (\S+)$", answer.read().decode(), re.MULTILINE)
    return float(found[1]) if found else None


def ready(server: LimenServer) -> int:
    """Ask on a connection of its own, so that any of the processes may answer."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=5)
    try:
        connection.request("GET", "/.well-known/openid-configuration")
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_parent_serves_the_sum_of_all_figures(serving: LimenServer) -> None:
    """Each request is counted once, whichever process answered it."""
    name = 'limen_http_requests_total{method="GET",route="/.well-known/openid-configuration",status="200"}'
    assert [ready(serving) for _ in range(40)] == [200] * 40
    assert figure(serving, name) == 40


def test_a_killed_worker_is_replaced(serving: LimenServer) -> None:
    """One process dies the hard way: the other answers meanwhile, and soon there are two again."""
    before = workers(serving)
    os.kill(before[0], signal.SIGKILL)
    assert [ready(serving) for _ in range(5)] == [200] * 5
    until(lambda: len(workers(serving)) == 2 and before[0] not in workers(serving))
    assert "worker.ended" in serving.log.read_text()


def test_one_that_dies_again_and_again_starts_no_storm(serving: LimenServer) -> None:
    """The pauses before the next attempt grow; the other process answers meanwhile, and each death is one line."""
    first, _ = workers(serving)
    seen = {*workers(serving)}
    victim = first
    for _ in range(4):
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(set(workers(serving)) - seen) == 1)
        (victim,) = set(workers(serving)) - seen
        seen.add(victim)
    deaths = [line for line in log(serving) if line["event"] == "worker.ended"]
    pauses = [float(str(line["next_in"])) for line in deaths]
    assert len(pauses) == 4
    assert pauses[1:] == [max(0.2, 2 * pause) for pause in pauses[:-1]]
    assert {line["by"] for line in deaths} == {"SIGKILL"}
    assert ready(serving) == 200


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_requests_under_way_are_finished(serving: LimenServer, name: signal.Signals) -> None:
    """SIGTERM for all processes, or Ctrl+C, comes while a request's body is half there: the rest is read and answered, then all end well."""
    body = b"grant_type=client_credentials&client_id=x&client_secret=y"
    with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as connection:
        head = f"POST /oauth/token HTTP/1.1\r\nHost: localhost:{serving.port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:10])
        time.sleep(0.3)  # until the request is in a process's hands
        assert serving.process
        for pid in workers(serving) if name is signal.SIGTERM else ():
            os.kill(pid, name)
        serving.process.send_signal(name)
        time.sleep(0.5)
        connection.sendall(body[10:])
        assert connection.recv(1000).startswith(b"HTTP/1.1 401 ")
    assert serving.process.wait(20) == 0


def test_workers_do_not_outlive_their_parent(serving: LimenServer) -> None:
    """The parent is killed: the workers end by themselves, and the address is free for the next server."""
    serving.kill()
    until(lambda: _refused(serving.port))


def _refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


def test_several_processes_need_postgresql(tmp_path: Path) -> None:
    """On SQLite the option is refused, with what to write instead."""
    alone = LimenServer(tmp_path)
    alone.prepare(TENANT)
    with pytest.raises(AssertionError, match="several processes need PostgreSQL"):
        alone.run("serve", "--workers", "2")
