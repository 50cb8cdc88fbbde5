"""Broken preconditions of keys."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class Forgotten(LimenError):
    """The person's key is destroyed, or never was: nothing of hers can be opened or sealed."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code: ClassVar[str] = "subject_forgotten"


class NoSigningKey(LimenError):
    """The tenant has no key for the algorithm `alg` yet: `keys.ensure` makes it, outside any Work."""

    code: ClassVar[str] = "no_signing_key"

    def __init__(self, alg: str, *, operator: str) -> None:
        super().__init__(operator=operator)
        self.alg = alg


class StillInUse(LimenError):
    """A key cannot be destroyed, since something living is still wrapped under it."""

    kind: ClassVar[Kind] = Kind.CONFLICT
    code: ClassVar[str] = "key_still_in_use"


class RotationUnfinished(LimenError):
    """A tenant's key cannot rotate again before its previous one is dropped."""

    kind: ClassVar[Kind] = Kind.CONFLICT
    code: ClassVar[str] = "rotation_unfinished"


class NobodyKeeps(LimenError):
    """What is kept under tenants' keys is not known, or nobody brings it under the next one."""

    code: ClassVar[str] = "nobody_keeps"


class DamagedKey(LimenError):
    """A wrapped key does not open, so a rotation stops before anything is destroyed; `operator` names it."""

    code: ClassVar[str] = "damaged_key"


class WhatToRotate(LimenError):
    """The command does not say what to rotate, or says it twice."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "what_to_rotate"
