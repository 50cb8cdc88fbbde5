"""What happens to the database as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupMade(Fact):
    """A copy of everything was written; it can be restored as long as one of `epochs` is not destroyed."""

    name: ClassVar[str] = "server.backup_made"
    octets: int
    epochs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRestored(Fact):
    """A copy took the place of the database; `forgotten` people were forgotten in it again."""

    name: ClassVar[str] = "server.backup_restored"
    forgotten: int
