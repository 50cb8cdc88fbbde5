"""Broken preconditions of profiles."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError
from limen.modules.profiles.model import Faults


class InvalidProfile(LimenError):
    """Values that cannot be; `faults` has a sentence for each field, for the person to read. The text names fields, never values."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "invalid_profile"

    def __init__(self, faults: Faults) -> None:
        super().__init__("; ".join(f"{field}: {fault.text.format_map(fault.values)}" for field, fault in faults.items()))
        self.faults = faults


class ProfileChangedMeanwhile(LimenError):
    """It changed since it was read: read it again."""

    kind: ClassVar[Kind] = Kind.CONFLICT
    code: ClassVar[str] = "profile_changed_meanwhile"
