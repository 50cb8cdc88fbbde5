"""Broken preconditions of tenants."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError
from limen.modules.tenants.model import Flaw


class NoSuchTenant(LimenError):
    """The tenant of this work is not in the database."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code: ClassVar[str] = "no_such_tenant"


class InvalidTenant(LimenError):
    """A tenant that must not be saved; `flaws` says why."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "invalid_tenant"

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("; ".join(str(flaw) for flaw in flaws))
        self.flaws = flaws


class UnusableSettings(LimenError):
    """What a tenant set for a module is not what this version of the module understands."""

    kind: ClassVar[Kind] = Kind.BROKEN
    code: ClassVar[str] = "unusable_settings"
