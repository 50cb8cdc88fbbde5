"""What happens to profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanged(Fact):
    """Somebody's profile is another; `attributes` names what changed, never to what."""

    name: ClassVar[str] = "profiles.profile_changed"
    attributes: tuple[str, ...]
