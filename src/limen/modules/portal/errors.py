"""Broken preconditions of the portal."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class TooWeak(LimenError):
    """A yes takes a stronger sign-in than this one."""

    kind: ClassVar[Kind] = Kind.FORBIDDEN
    code: ClassVar[str] = "sign_in_too_weak"
