"""What both databases have in common, as the rest of the house sees it."""

from __future__ import annotations

import asyncio
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from limen.platform.sql.caches import Caches
from limen.platform.sql.dialects import DialectName
from limen.platform.sql.errors import WorkMisused

if TYPE_CHECKING:
    from limen.kernel.clock import Clock
    from limen.kernel.facts import Actor
    from limen.kernel.ids import TenantId
    from limen.platform.crypto import Keyring
    from limen.platform.sql.work import Reactions, Read, Transaction, Work

FATAL_EXIT: Final = 74
"""Exit status (EX_IOERR of sysexits) of a process whose disk refused to make data durable."""


def end_process(line: str) -> None:
    """Say why and end this process at once: after a failed fsync nobody knows what the disk holds, and trying again would hide it."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
    os._exit(FATAL_EXIT)


class Database(ABC):
    """One database of one process. Open it with `open_database`, in the event loop that will use it."""

    dialect: ClassVar[DialectName]
    reading: Transaction
    """Sees what is committed."""

    def __init__(self, *, keyring: Keyring, clock: Clock, reactions: Reactions, test_mode: bool, on_fatal: Callable[[str], None] | None) -> None:
        self.keyring = keyring
        self.clock = clock
        self.reactions = reactions
        self.test_mode = test_mode
        self.on_fatal = on_fatal or end_process
        self.caches = Caches()
        self.loop = asyncio.get_running_loop()
        self._followers: set[asyncio.Event] = set()
        self.inside: set[asyncio.Task[object] | None] = set()
        """The tasks that have a Work open."""

    @abstractmethod
    def work(self, tenant: TenantId, actor: Actor) -> AbstractAsyncContextManager[Work]:
        """Open a Work. What its block did is durable when the block has ended, or undone if it raised."""

    @abstractmethod
    def read_beside(self, tenant: TenantId, now: datetime) -> AbstractAsyncContextManager[Read]:
        """Open a Read for a cache; a Work that has not begun may do so."""

    @abstractmethod
    def read(self, tenant: TenantId, *, snapshot: bool = False) -> AbstractAsyncContextManager[Read]:
        """Open a Read of committed rows; with `snapshot` all its statements see the database as of the first."""

    @abstractmethod
    async def execute(self, sql: str) -> None:
        """Run statements of the schema outside any Work (upgrades and tests)."""

    @abstractmethod
    def check_place(self) -> None:
        """Return if the database is still where it was opened; DatabaseUnavailable where it was taken away."""

    @abstractmethod
    async def backup(self, target: Path) -> int:
        """Write a consistent copy to `target` while serving; return its size in octets. BackupRefused says why it cannot."""

    @abstractmethod
    async def close(self) -> None:
        """Finish what is under way, then let go of everything."""

    def wake_followers(self) -> None:
        """There may be new facts."""
        for event in self._followers:
            event.set()

    def add_follower(self, event: asyncio.Event) -> Callable[[], None]:
        """Set `event` whenever there may be new facts, until the function returned is called."""
        self._followers.add(event)
        return lambda: self._followers.discard(event)

    def enter(self) -> asyncio.Task[object] | None:
        """Note that the running task is inside a Work; WorkMisused if it was already."""
        task = asyncio.current_task(self.loop)
        if task in self.inside:
            raise WorkMisused("a Work or Read inside a Work: pass the one you have")
        self.inside.add(task)
        return task

    def refuse_inside(self) -> None:
        """WorkMisused if the running task is inside a Work: what it reads beside it would not be what it wrote."""
        if self.inside and asyncio.current_task(self.loop) in self.inside:
            raise WorkMisused("a Read inside a Work: pass the Work, it can read")
