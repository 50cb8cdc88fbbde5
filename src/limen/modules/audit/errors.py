"""Broken preconditions of audit."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class BadPosition(LimenError):
    """A position that no page ever gave."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "bad_position"


class BadSearch(LimenError):
    """A search that cannot be made."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "bad_search"
