"""What an application is, where a browser may be sent for it, and how its secret is known."""

from __future__ import annotations

from limen.modules.clients.model.client import (
    ASKS_PEOPLE,
    GRANTS,
    OVERLAP,
    SECRETS,
    AuthMethod,
    Client,
    ClientKind,
    ConsentRule,
    GrantType,
    Registered,
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
from limen.modules.clients.model.documents import DOCUMENT_LIMIT, document_fault, fresh_for, read_document
from limen.modules.clients.model.flaws import flaws, flaws_beside
from limen.modules.clients.model.metadata import NAMES, TLS_SUBJECTS, Delivery, Metadata, Profile, RefreshRotation, SubjectType, given
from limen.modules.clients.model.protocol import ENCRYPTION_ALGS, ENCRYPTION_ENCS, FAPI_ALGS, FAPI_METHODS, RESPONSE_TYPES
from limen.modules.clients.model.redirects import is_local, is_native
from limen.modules.clients.model.registration import REGISTRABLE_SCOPES, client_of, described, member_of, read_metadata

__all__ = [
    "ASKS_PEOPLE",
    "DOCUMENT_LIMIT",
    "ENCRYPTION_ALGS",
    "ENCRYPTION_ENCS",
    "FAPI_ALGS",
    "FAPI_METHODS",
    "GRANTS",
    "NAMES",
    "OVERLAP",
    "REGISTRABLE_SCOPES",
    "RESPONSE_TYPES",
    "SECRETS",
    "TLS_SUBJECTS",
    "AuthMethod",
    "Client",
    "ClientKind",
    "ConsentRule",
    "Delivery",
    "GrantType",
    "Metadata",
    "Profile",
    "RefreshRotation",
    "Registered",
    "SecretDigest",
    "SubjectType",
    "check_secret",
    "client_of",
    "completed",
    "described",
    "document_fault",
    "flaws",
    "flaws_beside",
    "fresh_for",
    "given",
    "is_assured",
    "is_local",
    "is_native",
    "matches_post_logout",
    "matches_redirect",
    "member_of",
    "new_secret",
    "read_document",
    "read_metadata",
    "secret_flaw",
    "with_secret",
]
