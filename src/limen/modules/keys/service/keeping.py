"""What all modules keep under tenants' keys, by name, and so until when a previous key is needed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from limen.modules.keys.errors import NobodyKeeps
from limen.modules.keys.model import TenantKey, Use
from limen.modules.keys.port import Anew, Keeping, Kept

LINGERS: Final = timedelta(days=1)
"""A previous key stays at least so long, though nothing fades: whatever a process that slept wrote under it is found by the last look."""

_INSTALLED: Final[dict[str, tuple[Kept, Anew | None]]] = {}


def install(found: Iterable[Keeping]) -> None:
    """Take what modules list; called at start-up. NobodyKeeps for a thing that nothing brings along and that does not fade."""
    checked: dict[str, tuple[Kept, Anew | None]] = {}
    for keeping in found:
        for kept, anew in keeping.items():
            if (kept.fades is None) == (anew is None):
                raise NobodyKeeps(operator=f"{kept.name} must either be brought under the next key or fade")
            if kept.name in checked:
                raise NobodyKeeps(operator=f"{kept.name} is listed twice")
            checked[kept.name] = kept, anew
    _INSTALLED.clear()
    _INSTALLED.update(checked)


def installed(use: Use) -> list[tuple[Kept, Anew | None]]:
    """Return everything kept under keys of a use, ordered by name. NobodyKeeps before `install`, since a key would be dropped too soon."""
    found = [_INSTALLED[name] for name in sorted(_INSTALLED) if _INSTALLED[name][0].use is use]
    if not found:
        raise NobodyKeeps(operator="nobody said what is kept under tenants' keys")
    return found


def following(use: Use, done: str) -> tuple[str, Anew] | None:
    """Return what is to be brought along after the thing named `done` (empty: first), None if that was the last."""
    return next(((kept.name, anew) for kept, anew in installed(use) if anew is not None and kept.name > done), None)


def fading(use: Use) -> tuple[Kept, ...]:
    """Return what the previous key has to wait for, the longest first."""
    waits = [kept for kept, _ in installed(use) if kept.fades]
    return tuple(sorted(waits, key=lambda kept: kept.fades or timedelta(), reverse=True))


def needed_until(successor: TenantKey) -> datetime:
    """Return the instant from which nothing needs the key before this one any more, once all that can be is brought along."""
    waits = fading(successor.use)
    return successor.created + max([LINGERS, *(kept.fades for kept in waits if kept.fades)])
