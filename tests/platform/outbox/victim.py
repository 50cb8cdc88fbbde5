"""A process with a runner, made to be killed: `python -m tests.platform.outbox.victim <url> <keyring folder> <file>`.

Its jobs write their number to the file, twice: as they begin and as they end.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import msgspec

from limen.kernel.clock import SystemClock
from limen.platform.crypto import Keyring, KeyringSettings
from limen.platform.duties import Settings
from limen.platform.outbox import Job, JobKind, Runner
from limen.platform.sql import open_database

AT_ONCE = 8


class Mark(msgspec.Struct):
    path: str


async def mark(job: Job[Mark]) -> None:
    handle = os.open(job.payload.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, f"+{job.id}\n".encode())
        await asyncio.sleep(0.02)
        os.write(handle, f"-{job.id}\n".encode())
    finally:
        os.close(handle)


MARK = JobKind(name="test.mark", payload=Mark, run=mark, at_once=AT_ONCE, timeout=timedelta(seconds=30))


async def main(url: str, folder: Path) -> None:
    keyring = Keyring.load(KeyringSettings(file=folder / "master.key", epochs=folder / "epochs"), environ={})
    db = await open_database(url, keyring, SystemClock())
    await Runner(db, Settings([]), [MARK]).serve()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
