"""Broken preconditions of sessions."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class NoSuchSession(LimenError):
    """There is no living session with this id."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code: ClassVar[str] = "no_such_session"
