"""What can go wrong with keys, sealed values and hashing. Paths and names stand in `operator`, never in `public`."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class Unsealable(LimenError):
    """A sealed value does not open here: another key, another place, or somebody changed it."""

    code: ClassVar[str] = "unsealable"


class KeyringError(LimenError):
    """The keyring cannot be used; `operator` says what to do."""

    code: ClassVar[str] = "keyring"

    def __init__(self, operator: str) -> None:
        super().__init__(operator=operator)

    def __str__(self) -> str:
        return self.operator


class KeyringMissing(KeyringError):
    """There is no keyring yet, or not where the settings say."""

    code: ClassVar[str] = "keyring_missing"


class KeyringForeign(KeyringError):
    """The keyring is whole and of another database: what this one holds cannot be opened with it."""

    code: ClassVar[str] = "keyring_foreign"


class KeyringExposed(KeyringError):
    """Others on this machine can read a key file."""

    code: ClassVar[str] = "keyring_exposed"


class KeyringDamaged(KeyringError):
    """A key file does not say what it should."""

    code: ClassVar[str] = "keyring_damaged"


class EpochBegan(KeyringError):
    """Two processes were about to begin an epoch, and the other one did."""

    code: ClassVar[str] = "epoch_began"


class MasterElsewhere(KeyringError):
    """The master key comes from the environment, where this process cannot change it."""

    code: ClassVar[str] = "master_elsewhere"


class UnknownMaster(KeyringError):
    """A value is wrapped under a master key that the keyring does not hold."""

    code: ClassVar[str] = "unknown_master"


class UnknownEpoch(KeyringError):
    """A value is sealed under an epoch key that the keyring does not hold: destroyed, or of another keyring."""

    code: ClassVar[str] = "unknown_epoch"


class Overloaded(LimenError):
    """More hashing is asked for than this machine can do; come back after `retry_after` seconds."""

    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    code: ClassVar[str] = "overloaded"


class PasswordTooLong(LimenError):
    """Over 1,024 bytes: refused before hashing, since nothing is ever cut."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "password_too_long"
