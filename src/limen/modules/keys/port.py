"""What a module says of what it keeps under a tenant's key, before it may seal or index anything with it.

Whoever asks for the tenant's box or a blind index shows what it is for. That is listed in `KEPT` of the module's `jobs.py`, with how it is
brought under the next key, page by page; or it says after how long it is dead by itself, and why nobody can bring it along.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, TypeAlias

from limen.modules.keys.model import Use
from limen.platform.sql import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Something kept under a key of the tenant. With `fades` nothing brings it under the next key; `why` tells operators the reason."""

    use: ClassVar[Use]
    name: str
    """`<module>.<what>`."""
    fades: timedelta | None = None
    """It is dead so long after it was written, or nothing depends on it any more. The previous key outlives it."""
    why: str = ""

    def __post_init__(self) -> None:
        if (self.fades is None) != (not self.why):
            raise ValueError(f"{self.name}: what fades says why, and nothing else does")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed(Kept):
    """Something sealed under the tenant's data key."""

    use: ClassVar[Use] = Use.DATA


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed(Kept):
    """Something found by the tenant's blind index."""

    use: ClassVar[Use] = Use.INDEX


@dataclass(frozen=True, slots=True)
class Page:
    """Rows brought under the current key: how many had to be, and where to go on (None: that was all)."""

    changed: int
    after: str | None


Anew: TypeAlias = Callable[[Work, str], Awaitable[Page]]
"""Brings a page of rows after a position (empty: from the start) under the current key, in a few milliseconds; doing it again changes nothing."""
Keeping: TypeAlias = Mapping[Kept, Anew | None]
"""What `KEPT` of a `jobs.py` is: each thing with what brings it along, None for what fades."""
