"""Boxes, the keyring and the hashing pool: keys and what they seal. Synchronous; knows no database and no tenant's keys."""

from __future__ import annotations

from limen.platform.crypto.box import KEY_OCTETS, OVERHEAD, Box, Place, key_id, key_id_of, new_key
from limen.platform.crypto.errors import (
    EpochBegan,
    KeyringDamaged,
    KeyringError,
    KeyringExposed,
    KeyringForeign,
    KeyringMissing,
    MasterElsewhere,
    Overloaded,
    PasswordTooLong,
    UnknownEpoch,
    UnknownMaster,
    Unsealable,
)
from limen.platform.crypto.hashing import HashPool, Lane, pool
from limen.platform.crypto.keyring import Epoch, Keyring, KeyringSettings
from limen.platform.crypto.passwords import hash_password, needs_rehash, verify_nothing, verify_password

__all__ = [
    "KEY_OCTETS",
    "OVERHEAD",
    "Box",
    "Epoch",
    "EpochBegan",
    "HashPool",
    "Keyring",
    "KeyringDamaged",
    "KeyringError",
    "KeyringExposed",
    "KeyringForeign",
    "KeyringMissing",
    "KeyringSettings",
    "Lane",
    "MasterElsewhere",
    "Overloaded",
    "PasswordTooLong",
    "Place",
    "UnknownEpoch",
    "UnknownMaster",
    "Unsealable",
    "hash_password",
    "key_id",
    "key_id_of",
    "needs_rehash",
    "new_key",
    "pool",
    "verify_nothing",
    "verify_password",
]
