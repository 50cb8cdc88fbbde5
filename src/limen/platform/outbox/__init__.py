"""The outbox: jobs ordered in the transaction that needs them, run after it commits, again if they fail, at least once.

Knows nothing of what the jobs do. Whoever has outside work declares a `JobKind` in its `jobs.py` (`JOBS`) and calls `enqueue`; each server
process has a `Runner`. A job must be idempotent by its id: a crash between the doing and the writing down means that it is done again.
"""

from __future__ import annotations

from limen.platform.outbox.facts import JobDied, JobDropped, JobReplayed
from limen.platform.outbox.model import AnyKind, GiveUp, Job, JobKind, JobState, Later, Listed
from limen.platform.outbox.queue import count_dead, dead_letters, drop, enqueue, find, list_jobs, order_hourly, replay
from limen.platform.outbox.runner import Runner

__all__ = [
    "AnyKind",
    "GiveUp",
    "Job",
    "JobDied",
    "JobDropped",
    "JobKind",
    "JobReplayed",
    "JobState",
    "Later",
    "Listed",
    "Runner",
    "count_dead",
    "dead_letters",
    "drop",
    "enqueue",
    "find",
    "list_jobs",
    "order_hourly",
    "replay",
]
