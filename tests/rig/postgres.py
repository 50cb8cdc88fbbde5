"""A PostgreSQL server of the tests' own: a cluster in a temporary folder, a free port, stopped by its process id."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Final

_INSTALLED: Final = Path("/usr/lib/postgresql")
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 20.0

_USER: Final = "postgres" if os.geteuid() == 0 else None
"""Who runs the server, which refuses to run as root."""

FAST: Final = {"fsync": "off", "full_page_writes": "off"}
"""For tests that do not ask what survives a crash of the machine."""


def binaries() -> Path:
    """Return the folder of the newest PostgreSQL programs; RuntimeError says what to install."""
    found = sorted(_INSTALLED.glob("*/bin/postgres"), key=lambda each: float(each.parent.parent.name))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    if on_path is None:
        raise RuntimeError("the tests need a PostgreSQL server: apt-get install postgresql")
    return Path(on_path).resolve().parent


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@cache
def _pristine() -> Path:
    """Return a folder with an initialised cluster that no server ever ran on: copying it takes a tenth of the time."""
    folder = Path(tempfile.mkdtemp(prefix="limen-initdb-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if _USER:
        shutil.chown(folder, _USER)
    words = ["-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    done = subprocess.run([binaries() / "initdb", *words], cwd=folder, user=_USER, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"initdb: {done.stderr}")
    return folder


class Cluster:
    """One server. `start` and `stop` may alternate; `drop` ends it for good."""

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="limen-postgresql-"))
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "120",
            "shared_buffers": "64MB",
            "autovacuum_naptime": "10min",
            "log_min_messages": "fatal",
        } | (settings or {})
        if _USER:
            shutil.chown(self.folder, _USER)
        subprocess.run(["cp", "-a", _pristine() / "data", self.folder / "data"], check=True)

    def url(self, name: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        words = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        log = (self.folder / "log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [binaries() / "postgres", "-D", self.folder / "data", "-p", str(self.port), *words], cwd=self.folder, user=_USER, stdout=log, stderr=log
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT is a fast shutdown, SIGQUIT a crash.

        It waits for clients that have connected and not yet said for what, up to a minute: an event loop that has such must not stand still meanwhile.
        """
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(_STOP_SECONDS)
        self.process = None

    def drop(self) -> None:
        """Stop the server and delete its folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        done = subprocess.run([binaries() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"], check=False)
        return done.returncode == 0
