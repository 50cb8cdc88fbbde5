"""Broken preconditions of claims."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class Unfit(ValueError):
    """A setting that cannot be: `field: reason`, and what would do."""

    def __init__(self, text: str, suggestion: str = "") -> None:
        super().__init__(text)
        self.suggestion = suggestion


class InvalidClaims(LimenError):
    """A draft of claims that `apply` would refuse."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "invalid_claims"
