"""Clients: the applications of a tenant, what they may ask for, where a browser may be sent for them, and how they prove who they are.

Knows no customer, no session and no token. A secret is stored as a digest and shown once, when it is made.
"""

from __future__ import annotations

from limen.modules.clients.errors import ClientChangedMeanwhile, ClientExists, InvalidClient, NoSuchClient, ScopeNotHeld
from limen.modules.clients.facts import ClientChanged, ClientDropped, SecretRotated
from limen.modules.clients.model import (
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
from limen.modules.clients.service import Held, drop, every, find, hold, list_of, named, rotate_secret, save, take

__all__ = [
    "GRANTS",
    "OVERLAP",
    "AuthMethod",
    "Client",
    "ClientChanged",
    "ClientChangedMeanwhile",
    "ClientDropped",
    "ClientExists",
    "ClientKind",
    "ConsentRule",
    "GrantType",
    "Held",
    "InvalidClient",
    "NoSuchClient",
    "ScopeNotHeld",
    "SecretDigest",
    "SecretRotated",
    "check_secret",
    "completed",
    "drop",
    "every",
    "find",
    "flaws",
    "flaws_beside",
    "hold",
    "is_assured",
    "list_of",
    "matches_post_logout",
    "matches_redirect",
    "named",
    "new_secret",
    "rotate_secret",
    "save",
    "secret_flaw",
    "take",
    "with_secret",
]
