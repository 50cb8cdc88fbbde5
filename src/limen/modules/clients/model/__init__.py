"""What an application is, where a browser may be sent for it, and how its secret is known."""

from __future__ import annotations

from limen.modules.clients.model.client import (
    GRANTS,
    OVERLAP,
    SECRETS,
    AuthMethod,
    Client,
    ClientKind,
    ConsentRule,
    GrantType,
    SecretDigest,
    check_secret,
    completed,
    is_assured,
    matches_post_logout,
    matches_redirect,
    new_secret,
    secret_flaw,
    with_secret,
)
from limen.modules.clients.model.flaws import flaws, flaws_beside
from limen.modules.clients.model.metadata import NAMES, Delivery, Metadata, Profile, RefreshRotation, SubjectType, given
from limen.modules.clients.model.protocol import ENCRYPTION_ALGS, ENCRYPTION_ENCS, FAPI_ALGS, RESPONSE_TYPES

__all__ = [
    "ENCRYPTION_ALGS",
    "ENCRYPTION_ENCS",
    "FAPI_ALGS",
    "GRANTS",
    "NAMES",
    "OVERLAP",
    "RESPONSE_TYPES",
    "SECRETS",
    "AuthMethod",
    "Client",
    "ClientKind",
    "ConsentRule",
    "Delivery",
    "GrantType",
    "Metadata",
    "Profile",
    "RefreshRotation",
    "SecretDigest",
    "SubjectType",
    "check_secret",
    "completed",
    "flaws",
    "flaws_beside",
    "given",
    "is_assured",
    "matches_post_logout",
    "matches_redirect",
    "new_secret",
    "secret_flaw",
    "with_secret",
]
