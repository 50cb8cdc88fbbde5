"""Keys: tenants' own, people's own, the blind index, and those that sign tokens. Owns them all, wrapped; the keyring outside opens them.

Knows tenants' settings and nobody else's business: not what is sealed, not what is signed. A box opens a value only at the place
(table, column, tenant, row) it was sealed for.
"""

from __future__ import annotations

from limen.modules.keys.errors import DamagedKey, Forgotten, NobodyKeeps, NoSigningKey, RotationUnfinished, StillInUse, WhatToRotate
from limen.modules.keys.facts import (
    DecryptionKeyMade,
    EpochRotated,
    MasterRotated,
    SigningKeyMade,
    SigningKeyRotated,
    SubjectForgotten,
    TenantKeyDropped,
    TenantKeyRenewed,
    TenantKeyRotated,
)
from limen.modules.keys.jobs import LOGGED
from limen.modules.keys.model import Spot, Use
from limen.modules.keys.port import Anew, Indexed, Keeping, Kept, Page, Sealed
from limen.modules.keys.service.decryption import decryption_keys, takes_encrypted
from limen.modules.keys.service.decryption import keep as keep_decryption
from limen.modules.keys.service.decryption import wanted as encryption_wanted
from limen.modules.keys.service.fitting import check_keyring
from limen.modules.keys.service.keeping import install
from limen.modules.keys.service.listing import Line, Needed, list_keys, needed
from limen.modules.keys.service.renewal import replace_data_key, rotate_tenant_key
from limen.modules.keys.service.rotation import Due, advance, due, overdue, rotate
from limen.modules.keys.service.signing import algorithms, ensure, jwks, offered, public_keys, remembered_keys, signer
from limen.modules.keys.service.subject import forget_subject, new_subject, open_fact, opened, seal_fact, subject_box
from limen.modules.keys.service.tenant import blind, blinds, prepare, tenant_box
from limen.modules.keys.service.wrapping import START, Rotated, keep_epoch, rewrap_subjects, rewrap_tenants, rotate_epoch, rotate_master
from limen.modules.keys.store import wrapped_key

__all__ = [
    "LOGGED",
    "START",
    "Anew",
    "DamagedKey",
    "DecryptionKeyMade",
    "Due",
    "EpochRotated",
    "Forgotten",
    "Indexed",
    "Keeping",
    "Kept",
    "Line",
    "MasterRotated",
    "Needed",
    "NoSigningKey",
    "NobodyKeeps",
    "Page",
    "Rotated",
    "RotationUnfinished",
    "Sealed",
    "SigningKeyMade",
    "SigningKeyRotated",
    "Spot",
    "StillInUse",
    "SubjectForgotten",
    "TenantKeyDropped",
    "TenantKeyRenewed",
    "TenantKeyRotated",
    "Use",
    "WhatToRotate",
    "advance",
    "algorithms",
    "blind",
    "blinds",
    "check_keyring",
    "decryption_keys",
    "due",
    "encryption_wanted",
    "ensure",
    "forget_subject",
    "install",
    "jwks",
    "keep_decryption",
    "keep_epoch",
    "list_keys",
    "needed",
    "new_subject",
    "offered",
    "open_fact",
    "opened",
    "overdue",
    "prepare",
    "public_keys",
    "remembered_keys",
    "replace_data_key",
    "rewrap_subjects",
    "rewrap_tenants",
    "rotate",
    "rotate_epoch",
    "rotate_master",
    "rotate_tenant_key",
    "seal_fact",
    "signer",
    "subject_box",
    "takes_encrypted",
    "tenant_box",
    "wrapped_key",
]
