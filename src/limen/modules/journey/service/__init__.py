"""Beginning, walking and ending a journey."""

from __future__ import annotations

from limen.modules.journey.service.lifecycle import begin, entrance, finished
from limen.modules.journey.service.tables import Tables, install, tables
from limen.modules.journey.service.walk import Goes, Lost, Shows, advance, show

__all__ = ["Goes", "Lost", "Shows", "Tables", "advance", "begin", "entrance", "finished", "install", "show", "tables"]
