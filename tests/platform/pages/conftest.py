"""The gallery of pages, served, and the browser."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from tests.platform.pages.gallery.app import application
from tests.rig.browser import chromium, tab

__all__ = ["anyio_backend", "chromium", "gallery", "tab"]


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The loop the server runs on; for the whole session, as the browser lives that long."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def gallery() -> Iterator[str]:
    """Serve the gallery on a free port of loopback; its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()
