"""What an application is, where a browser may be sent for it, and how its secret is known."""

from __future__ import annotations

from limen.modules.clients.model.client import (
    GRANTS,
    OVERLAP,
    AuthMethod,
    Client,
    ClientKind,
    ConsentRule,
    GrantType,
    SecretDigest,
    check_secret,
    completed,
    flaws,
    flaws_beside,
    is_assured,
    matches_post_logout,
    matches_redirect,
    new_secret,
    secret_flaw,
    with_secret,
)

__all__ = [
    "GRANTS",
    "OVERLAP",
    "AuthMethod",
    "Client",
    "ClientKind",
    "ConsentRule",
    "GrantType",
    "SecretDigest",
    "check_secret",
    "completed",
    "flaws",
    "flaws_beside",
    "is_assured",
    "matches_post_logout",
    "matches_redirect",
    "new_secret",
    "secret_flaw",
    "with_secret",
]
