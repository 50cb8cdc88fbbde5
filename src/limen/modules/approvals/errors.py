"""Broken preconditions of approvals."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class NoSuchApproval(LimenError):
    """There is no such question to this person."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code: ClassVar[str] = "no_such_approval"


class AlreadySettled(LimenError):
    """It was answered, or its time is over."""

    kind: ClassVar[Kind] = Kind.CONFLICT
    code: ClassVar[str] = "approval_settled"
