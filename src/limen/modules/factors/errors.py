"""Broken preconditions of factors."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class UnknownFactor(LimenError):
    """Nobody brought a factor of that name, or it cannot do what was asked of it."""

    kind: ClassVar[Kind] = Kind.BROKEN
    code: ClassVar[str] = "unknown_factor"
