"""What all requests share: the database, the settings, who guards the door, and what is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from limen.platform.duties import Settings
from limen.platform.http.address import Addresses
from limen.platform.http.gate import Gate
from limen.platform.http.pace import Pace
from limen.platform.http.refusals import Refusals
from limen.platform.telemetry import Repeats

if TYPE_CHECKING:
    from limen.platform.sql import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Made once by `build`."""

    db: Database
    settings: Settings
    gate: Gate
    addresses: Addresses
    pace: Pace
    refusals: Refusals
    failures: Repeats
    """Requests that failed by our fault."""
    production: bool
    sign_in: str
    """Path of the tenant where a page that needs a session sends people; it gets the path they wanted as `to`."""
