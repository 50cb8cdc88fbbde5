"""Keys: tenants' own, people's own, the blind index, and those that sign tokens. Owns them all, wrapped; the keyring outside opens them.

Knows tenants' settings and nobody else's business: not what is sealed, not what is signed. A box opens a value only at the place
(table, column, tenant, row) it was sealed for.
"""

from __future__ import annotations

from limen.modules.keys.errors import DamagedKey, Forgotten, NoSigningKey, RotationUnfinished, StillInUse, WhatToRotate
from limen.modules.keys.facts import EpochRotated, MasterRotated, SigningKeyMade, SigningKeyRotated, SubjectForgotten, TenantKeyRotated
from limen.modules.keys.model import Spot, Use
from limen.modules.keys.service.fitting import check_keyring
from limen.modules.keys.service.listing import Line, Needed, list_keys, needed
from limen.modules.keys.service.rotation import Due, advance, due, rotate
from limen.modules.keys.service.signing import algorithms, ensure, jwks, offered, public_keys, remembered_keys, signer
from limen.modules.keys.service.subject import forget_subject, new_subject, open_fact, seal_fact, subject_box
from limen.modules.keys.service.tenant import blind, blinds, drop_previous, prepare, rotate_tenant_key, tenant_box
from limen.modules.keys.service.wrapping import START, Rotated, rewrap_subjects, rewrap_tenants, rotate_epoch, rotate_master

__all__ = [
    "START",
    "DamagedKey",
    "Due",
    "EpochRotated",
    "Forgotten",
    "Line",
    "MasterRotated",
    "Needed",
    "NoSigningKey",
    "Rotated",
    "RotationUnfinished",
    "SigningKeyMade",
    "SigningKeyRotated",
    "Spot",
    "StillInUse",
    "SubjectForgotten",
    "TenantKeyRotated",
    "Use",
    "WhatToRotate",
    "advance",
    "algorithms",
    "blind",
    "blinds",
    "check_keyring",
    "drop_previous",
    "due",
    "ensure",
    "forget_subject",
    "jwks",
    "list_keys",
    "needed",
    "new_subject",
    "offered",
    "open_fact",
    "prepare",
    "public_keys",
    "remembered_keys",
    "rewrap_subjects",
    "rewrap_tenants",
    "rotate",
    "rotate_epoch",
    "rotate_master",
    "rotate_tenant_key",
    "seal_fact",
    "signer",
    "subject_box",
    "tenant_box",
]
