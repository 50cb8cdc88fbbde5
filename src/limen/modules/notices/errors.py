"""Broken preconditions of notices."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import LimenError


class UnknownNotice(LimenError):
    """No message of that name is known here."""

    code: ClassVar[str] = "unknown_notice"


class IncompleteNotice(LimenError):
    """A value that the message needs was not given."""

    code: ClassVar[str] = "incomplete_notice"


class UnknownTransport(LimenError):
    """An extension that calls itself a transport is none."""

    code: ClassVar[str] = "unknown_transport"
