"""Broken preconditions of journeys."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class UnknownStep(LimenError):
    """A table names a step, or a journey a kind or door, that nobody registered: found at start-up."""

    kind: ClassVar[Kind] = Kind.BROKEN
    code: ClassVar[str] = "unknown_step"


class Stuck(LimenError):
    """A table of steps leads nowhere: an automatic step does not stop applying, or stays."""

    kind: ClassVar[Kind] = Kind.BROKEN
    code: ClassVar[str] = "journey_stuck"
