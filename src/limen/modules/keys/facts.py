"""What happens to keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact
from limen.kernel.ids import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyMade(Fact):
    """A signing key came: at once the signing one (`stage` current), or shown before it signs (successor)."""

    name: ClassVar[str] = "keys.signing_key_made"
    key: KeyId
    alg: str
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyRotated(Fact):
    """`key` signs from now on; `retired` does not any more, and with `withdrawn` its tokens are void at once."""

    name: ClassVar[str] = "keys.signing_key_rotated"
    key: KeyId
    alg: str
    retired: KeyId | None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantKeyRotated(Fact):
    """A tenant's key for data or for the blind index has a successor; the previous one still opens."""

    name: ClassVar[str] = "keys.tenant_key_rotated"
    use: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantKeyRenewed(Fact):
    """All that can be is sealed, or indexed, under this key; `changed` is how much was not. The previous key stays until what fades has faded."""

    name: ClassVar[str] = "keys.tenant_key_renewed"
    use: str
    key: str
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantKeyDropped(Fact):
    """A tenant's previous key is gone: nothing needed it any more, or an operator said so."""

    name: ClassVar[str] = "keys.tenant_key_dropped"
    use: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRotated(Fact):
    """An epoch began, and every living person's key was wrapped anew. What was forgotten before a destroyed epoch is gone everywhere."""

    name: ClassVar[str] = "keys.epoch_rotated"
    epoch: str
    destroyed: tuple[str, ...]
    rewrapped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterRotated(Fact):
    """All tenants' keys are wrapped under this master key."""

    name: ClassVar[str] = "keys.master_rotated"
    master: str
    destroyed: tuple[str, ...]
    rewrapped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectForgotten(Fact):
    """The subject's data key is destroyed, and with it all that was sealed under it."""

    name: ClassVar[str] = "keys.subject_forgotten"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecryptionKeyMade(Fact):
    """A key that others encrypt to was made."""

    name: ClassVar[str] = "keys.decryption_key_made"
    key: KeyId
    kind: str
