"""One server behind its proxy for all plans of a test process, configured as docs/conformance says."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.conformance.host import Host, hosting
from tests.conformance.suite import HOST, Suite
from tests.rig.fronted import Fronted, fronted
from tests.rig.server import LimenServer, free_port
from tools import conformance


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """The server of `make conformance`, in this process's own folder and on its own ports."""
    folder = tmp_path_factory.mktemp("plans")
    port = three_free_ports()
    server = LimenServer(folder, port=port + 2)
    conformance.prepare(server, port, HOST)
    with fronted(Fronted(server, conformance.front(server, port))) as front, closing(Suite(front)) as made:
        yield made


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The suite's own web server."""
    with hosting(tmp_path_factory.mktemp("host")) as there:
        yield there


def three_free_ports() -> int:
    """Return a port that is free with the two above it."""
    while True:
        first = free_port()
        try:
            for port in (first + 1, first + 2):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
