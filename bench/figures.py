"""What the kernel says a process used, and the table a run prints."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from limen.app.checking import is_optimised


def processor_seconds(pid: int) -> float:
    """Return user and system time of a process and its threads, in seconds, to the nanosecond (Linux: clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


def resident_megabytes(pid: int) -> float:
    """Return the resident set of a process, in MB of 2**20 octets."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@dataclass
class Figure:
    """One measured row: medians of the rounds."""

    what: str
    where: str
    rates: list[float]
    costs: list[float]
    """CPU microseconds per request."""
    p99: list[float]

    @property
    def rate(self) -> float:
        return median(self.rates)

    @property
    def cost(self) -> float:
        return median(self.costs)

    def to(self, other: Figure) -> float:
        """Return the ratio of CPU to another's that took turns with this one."""
        return median(mine / its for mine, its in zip(self.costs, other.costs, strict=True))


def interpreter() -> str:
    """Name the Python that runs, and how it was built."""
    build = "optimised build" if is_optimised() else "plain build"
    return f"{platform.python_implementation()} {platform.python_version()}, {build}, {sys.executable}"


def pinned(core: int) -> list[str]:
    """Return the prefix that keeps a command on one core."""
    return ["taskset", "-c", str(core)]


def pin_self(core: int) -> None:
    """Keep this process, the load maker, on a core of its own."""
    os.sched_setaffinity(0, {core})


def version_of(*command: str) -> str:
    """Return the first line a command prints about itself."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def markdown(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table as the docs show it."""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)
