"""Profiles: what a person told of herself, in the standard claims of OpenID Connect, sealed under her own key.

Knows no identifier (accounts has them), no claim mapping and no app.
"""

from __future__ import annotations

from limen.modules.profiles.errors import InvalidProfile, ProfileChangedMeanwhile
from limen.modules.profiles.facts import ProfileChanged
from limen.modules.profiles.model import LIMIT, Address, AddressChanges, Changes, Faults, Profile, faults, tidied
from limen.modules.profiles.service import change, opened, read, versioned
from limen.modules.profiles.store import document

__all__ = [
    "LIMIT",
    "Address",
    "AddressChanges",
    "Changes",
    "Faults",
    "InvalidProfile",
    "Profile",
    "ProfileChanged",
    "ProfileChangedMeanwhile",
    "change",
    "document",
    "faults",
    "opened",
    "read",
    "tidied",
    "versioned",
]
