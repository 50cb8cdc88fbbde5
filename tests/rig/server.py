"""A real Limen server: its own process, its own folder, a free port, dev mode; stopped by the process it started."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

LIMEN: Final = (sys.executable, "-m", "limen")


_PORTS: Final = itertools.count(0)
_FIRST: Final = 10_000
_SHARE: Final = 2_000


def free_port() -> int:
    """Return a port of loopback nobody listens on: below those the system lends by itself, and from a share of this test process's own."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw9").removeprefix("gw")) % 10
    for _ in range(_SHARE):
        port = _FIRST + process * _SHARE + (os.getpid() * 7 + next(_PORTS)) % _SHARE
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free for the tests")


@dataclass
class LimenServer:
    """`limen serve` in a folder of its own."""

    folder: Path
    database: str = ""
    workers: int = 1
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    metrics: int = 0

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def config(self) -> Path:
        return self.folder / "limen.toml"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def command(self) -> tuple[str, ...]:
        """What is run to serve."""
        return (*LIMEN, "serve", "--config", str(self.config))

    def write(self) -> None:
        """Write limen.toml."""
        url = self.database or f"sqlite:///{self.folder}/limen.db"
        lines = [
            "[server]",
            f'listen = "127.0.0.1:{self.port}"',
            f'base_url = "{self.issuer}"',
            'mode = "dev"',
            f"workers = {self.workers}",
            "[database]",
            f'url = "{url}"',
            "[keyring]",
            f'file = "{self.folder}/keys/master.key"',
            f'epochs = "{self.folder}/keys/epochs"',
        ]
        if self.metrics:
            lines += ["[metrics]", f'listen = "127.0.0.1:{self.metrics}"']
        self.config.write_text("\n".join(lines) + "\n")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end and return what it said; it must succeed."""
        done = subprocess.run([*LIMEN, *words, "--config", str(self.config)], capture_output=True, text=True, timeout=60, check=False, cwd=self.folder)
        if done.returncode:
            raise AssertionError(f"limen {' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def prepare(self, tenants: str) -> None:
        """Make keys and database, and apply a tenant file given as text."""
        if not self.config.exists():
            self.write()
        self.run("init")
        (self.folder / "tenants.toml").write_text(tenants)
        self.run("apply", "tenants.toml")

    def start(self) -> float:
        """Start serving; return the seconds until it was ready."""
        begun = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.folder, env=os.environ.copy())
        while time.monotonic() < begun + 60:  # a machine under load is slow, not wrong
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.issuer}/health/ready", timeout=2) as answer:
                    if answer.status == 200:
                        return time.monotonic() - begun
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.01)
        raise AssertionError(f"not ready after {time.monotonic() - begun:.1f} s:\n{self.log.read_text()[-4000:]}")

    def stop(self) -> None:
        """Ask it to end, and wait until it did."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def kill(self) -> None:
        """End it the hard way: SIGKILL."""
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None

    def mailbox(self) -> list[dict[str, str]]:
        """Return the messages of the dev mailbox, newest first."""
        with urllib.request.urlopen(f"{self.issuer}/dev/mailbox.json", timeout=5) as answer:
            messages: list[dict[str, str]] = json.load(answer)
            return messages

    def code_for(self, address: str, patience: float = 10.0) -> str:
        """Return the code of the newest message to somebody; it is on its way through the outbox, so wait for it."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            for message in self.mailbox():
                if message["to"] == address and message["code"]:
                    return message["code"]
            time.sleep(0.02)
        raise AssertionError(f"no code for {address} in {self.mailbox()}")


@contextmanager
def serving(folder: Path, tenants: str, *, database: str = "", workers: int = 1) -> Iterator[LimenServer]:
    """Prepare and start a server; stop it at the end."""
    server = LimenServer(folder, database, workers)
    server.prepare(tenants)
    server.start()
    try:
        yield server
    finally:
        server.stop()
