"""What can happen to a job that somebody should hear of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact
from limen.kernel.ids import JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDied(Fact):
    """A job was given up and waits for an operator."""

    name: ClassVar[str] = "outbox.job_died"
    job: JobId
    kind: str
    attempts: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReplayed(Fact):
    """An operator sent a dead letter on its way again."""

    name: ClassVar[str] = "outbox.job_replayed"
    job: JobId
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDropped(Fact):
    """An operator threw a job away."""

    name: ClassVar[str] = "outbox.job_dropped"
    job: JobId
    kind: str
