"""Guards at three times the figures: readiness, memory and the cost of doing nothing."""

from __future__ import annotations

import compileall
import os
import time
from pathlib import Path

import pytest

import limen
from tests.proofs.house import PATIENT, TENANTS, House
from tests.proofs.house import send as request

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proofs")]

READY_SECONDS = 1.5
IDLE_SHARE = 0.005
MEMORY_MIB = 120


def _cpu(pid: int) -> float:
    """Return the CPU seconds a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(autouse=True, scope="module")
def compiled() -> None:
    """What was edited since the installation is compiled as an installer does it: where no bytecode may be written, each start would compile it again."""
    assert compileall.compile_dir(str(Path(limen.__file__).parent), quiet=2)


def _mebibytes(pid: int) -> float:
    """Return the resident memory of a process that is its own or shared."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def test_ready_small_and_quiet(tmp_path: Path) -> None:
    """Started, asked a little and left alone: ready, memory and CPU within three times what is promised. Start-up counts its own CPU, not its neighbours'."""
    server = House(tmp_path, extra=PATIENT)
    server.prepare(TENANTS)
    server.start()
    try:
        assert server.process is not None
        pid = server.process.pid
        assert _cpu(pid) < 3 * READY_SECONDS, "start-up"
        site = server.site()
        site.sign_up(site.person(), "frugal@example.com")
        site.service()
        assert request(site.port, "GET", f"{site.issuer}/oauth/jwks").status == 200
        time.sleep(2)
        before, began = _cpu(pid), time.monotonic()
        time.sleep(8)
        share = (_cpu(pid) - before) / (time.monotonic() - began)
        assert share < 3 * IDLE_SHARE, f"{share:.2%} of a core while idle"
        assert _mebibytes(pid) < 3 * MEMORY_MIB
    finally:
        server.stop()


@pytest.mark.soak
def test_the_figures_themselves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The promises, on a quiet machine: the best of five starts, a minute of nothing."""
    server = House(tmp_path, extra=PATIENT)
    server.prepare(TENANTS)
    starts = []
    try:
        for _ in range(5):
            starts.append(server.start())
            server.stop()
        starts.append(server.start())
        assert server.process is not None
        pid = server.process.pid
        time.sleep(2)
        before, began = _cpu(pid), time.monotonic()
        time.sleep(60)
        share, memory = (_cpu(pid) - before) / (time.monotonic() - began), _mebibytes(pid)
    finally:
        server.stop()
    with capsys.disabled():
        print(f"\nready in {min(starts):.2f} s, {memory:.0f} MiB idle, {share:.2%} of a core idle")
    assert min(starts) <= READY_SECONDS
    assert memory <= MEMORY_MIB
    assert share <= IDLE_SHARE
