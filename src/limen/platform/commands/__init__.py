"""What an operator's command is: a plain async function whose first argument is the opened ground. Knows no command.

A module's `commands.py` begins its docstring with the group's name (`limen key: ...`) and holds `COMMANDS`, so that
`limen --help` can list the groups without importing them.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from limen.kernel.errors import Kind, LimenError
from limen.kernel.facts import Actor, ActorKind
from limen.kernel.ids import TenantId
from limen.platform.commands.console import Console, Style

if TYPE_CHECKING:
    from limen.platform.duties.settings import Settings
    from limen.platform.sql import Database

__all__ = ["BadOption", "Command", "Console", "Ground", "Reach", "Style"]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a command stands on: settings, an open database, the tenant asked for (SERVER: none, see `Reach`), and where to print."""

    settings: Settings
    db: Database
    tenant: TenantId
    console: Console

    def actor(self, command: str) -> Actor:
        """Return who acts in the log: an operator at the shell, by the command's name."""
        return Actor(ActorKind.OPERATOR, f"command:{command}")

    def say(self, line: str) -> None:
        """Print one line."""
        self.console.say(line)

    def table(self, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """Print a table; plain lines separated by tabs where the output is not a terminal."""
        self.console.table(columns, rows)


class BadOption(LimenError):
    """A word or option whose value cannot be what was meant."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "bad_option"


class Reach(enum.Enum):
    """Whose things a command is about."""

    SERVER = "server"
    """A tenant's: the one named, or the default one; the server's own while there is none."""
    TENANT = "tenant"
    """A tenant's likewise; without one there is nothing to do."""
    ALL = "all"
    """Everybody's, unless a tenant is named."""

    @property
    def words(self) -> str:
        """Return what `--tenant` means here."""
        return "Only those of this tenant." if self is Reach.ALL else "A tenant's name; the default tenant if left out."


@dataclass(frozen=True, slots=True)
class Command:
    """`limen <group> <verb>`; the parameters of `run` after the ground become arguments and options, its docstring the help."""

    verb: str
    run: Callable[..., Awaitable[None]]
    reach: Reach = Reach.SERVER
