"""Which version of each package's tables a database has, and whether this program can serve it. Cheap: no migration is imported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from limen.kernel.ids import SERVER
from limen.platform.sql.errors import SchemaOutdated
from limen.platform.sql.statements import statement

if TYPE_CHECKING:
    from limen.platform.sql.database import Database

_ROOT: Final = Path(__file__).parents[2]
_FILE: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.py")
COMMAND: Final = "limen upgrade"
_MOST_TOLD: Final = 3

MAKE_VERSIONS: Final = "CREATE TABLE IF NOT EXISTS schema_versions (branch TEXT NOT NULL PRIMARY KEY, number INTEGER NOT NULL)"
READ_VERSIONS: Final = "SELECT branch, number FROM schema_versions"
SET_VERSION: Final = "INSERT INTO schema_versions (branch, number) VALUES ('{}', {}) ON CONFLICT (branch) DO UPDATE SET number = excluded.number"
"""Branch and number come from file names, which `branches` has checked."""

_VERSIONS: Final = statement(sa.select(sa.column("branch", sa.Text), sa.column("number", sa.Integer)).select_from(sa.table("schema_versions")))


@dataclass(frozen=True, slots=True)
class Branch:
    """The migrations of one package: a folder `migrations` with files `NNNN_what.py`, numbered from 1 without a gap."""

    name: str
    folder: Path
    files: tuple[str, ...]

    @property
    def number(self) -> int:
        """Return the number of the newest."""
        return len(self.files)


@dataclass(frozen=True, slots=True)
class Step:
    """One migration: its branch, its number there, what it says it does, and the statements."""

    branch: str
    number: int
    title: str
    statements: tuple[str, ...]

    @property
    def revision(self) -> str:
        """Return Alembic's name of it, `accounts_0001`."""
        return f"{self.branch}_{self.number:04}"


def branches(roots: Iterable[Path] = (_ROOT,)) -> tuple[Branch, ...]:
    """Return the branches of all packages below `roots` that have a folder `migrations`, ordered by name."""
    found: dict[str, Branch] = {}
    for root in roots:
        for folder in sorted(root.rglob("migrations")):
            files = sorted(path.name for path in folder.glob("*.py") if path.name != "__init__.py")
            name = folder.parent.name
            for place, file in enumerate(files, start=1):
                match = _FILE.fullmatch(file)
                if match is None or int(match[1]) != place:
                    raise ValueError(f"{folder / file}: migrations are numbered {place:04}_<what>.py from 0001 on, without a gap")
            if name in found:
                raise ValueError(f"two packages named {name} have migrations: {found[name].folder} and {folder}")
            if files:
                found[name] = Branch(name, folder, tuple(files))
    return tuple(found[name] for name in sorted(found))


def behind(have: Mapping[str, int], wanted: Iterable[Branch]) -> list[str]:
    """Return what a database lacks, in words."""
    return [f"{branch.name} is at {have.get(branch.name, 0)} of {branch.number}" for branch in wanted if have.get(branch.name, 0) < branch.number]


async def check_schema(db: Database, roots: Iterable[Path] = (_ROOT,)) -> None:
    """Return if this program can serve the database; SchemaOutdated names the command that makes it so.

    A database that is ahead is served: migrations only add at first, so that old and new processes run side by side.
    """
    try:
        async with db.read(SERVER) as read:
            have: Mapping[str, int] = dict(await read.all(_VERSIONS))
    except SchemaOutdated:
        have = {}
    if lacking := behind(have, branches(roots)):
        raise SchemaOutdated(operator=f"{_told(have, lacking)}: run `{COMMAND}`")


def _told(have: Mapping[str, int], lacking: Sequence[str]) -> str:
    if not have:
        return "the database is empty"
    rest = len(lacking) - _MOST_TOLD
    more = f" and {rest} more" if rest > 0 else ""
    return f"the database is older than this program ({', '.join(lacking[:_MOST_TOLD])}{more})"


async def ahead(db: Database, roots: Iterable[Path] = (_ROOT,)) -> list[str]:
    """Return in words what the database has beyond this program: it was brought up by a newer one, and is served all the same."""
    async with db.read(SERVER) as read:
        have: Mapping[str, int] = dict(await read.all(_VERSIONS))
    known = {branch.name: branch.number for branch in branches(roots)}
    return [f"{name} is at {number}, this program at {known.get(name, 0)}" for name, number in sorted(have.items()) if number > known.get(name, 0)]


async def upgrade(url: str, *, dry_run: bool = False, roots: Iterable[Path] = (_ROOT,)) -> tuple[Step, ...]:
    """Bring the database at `url` to the newest version of every package; return the migrations that were (or would be) run.

    Two runners do not collide: the second waits, and finds nothing to do. DatabaseUnavailable if the database does not answer.
    """
    from limen.platform.sql import upgrading  # noqa: PLC0415 -- Alembic costs 100 ms, and only this needs it

    return await upgrading.run(url, dry_run=dry_run, roots=roots)
