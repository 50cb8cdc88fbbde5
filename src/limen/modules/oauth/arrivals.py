"""How fast one address may bring applications that nobody here knows: by registering them, or by naming documents to be read."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Final
from weakref import WeakKeyDictionary

from limen.platform.http import Call, Pace, SlowDown
from limen.platform.sql import Database

_HOUR: Final = timedelta(hours=1).total_seconds()
_HOURLY: Final = 30
_PACES: Final[WeakKeyDictionary[Database, dict[int, Pace]]] = WeakKeyDictionary()
"""By how many an hour one address may bring."""


def count(call: Call, hourly: int | None) -> None:
    """Count one; None is the usual number, in dev mode any. SlowDown where there were too many, in this process."""
    most = hourly or (None if call.site.dev else _HOURLY)
    if most is None:
        return
    paces = _PACES.setdefault(call.db, {})
    pace = paces.setdefault(most, Pace(call.db.clock, rate=most / _HOUR, burst=most))
    if (seconds := pace.spend((call.tenant, call.origin.address))) > 0:
        raise SlowDown("Too many applications came from here. Wait before the next.", retry_after=math.ceil(seconds))
