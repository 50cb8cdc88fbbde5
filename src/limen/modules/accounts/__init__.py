"""Accounts: that somebody exists, in which state, and by which proved identifiers she is found.

Knows no name, no password, no session. An identifier is sealed under its subject's key and found through a keyed index, so a stolen
database shows none; the database itself sees to it that each belongs to one account of the tenant.
"""

from __future__ import annotations

from limen.modules.accounts.errors import (
    AccountChangedMeanwhile,
    IdentifierTaken,
    InvalidIdentifier,
    InvalidReason,
    KindNotAllowed,
    LastIdentifier,
    NoSuchAccount,
    NoSuchIdentifier,
    StateForbids,
    TooManyIdentifiers,
)
from limen.modules.accounts.facts import (
    AccountClosed,
    AccountCreated,
    AccountResumed,
    AccountSuspended,
    IdentifierAdded,
    IdentifierDropped,
)
from limen.modules.accounts.model import EMAIL, KINDS, PHONE, USERNAME, Account, AccountState, Identifier, Taken
from limen.modules.accounts.model.forms import kept, normalise, written
from limen.modules.accounts.model.phones import PhoneOrigin, is_region
from limen.modules.accounts.model.phones import origin as phone_origin
from limen.modules.accounts.service import (
    add_identifier,
    by_identifier,
    by_normal,
    close,
    create,
    drop_identifier,
    find,
    identifiers,
    identifiers_of,
    keep,
    list_of,
    opened,
    prepare,
    resume,
    suspend,
)
from limen.modules.accounts.store import first

__all__ = [
    "EMAIL",
    "KINDS",
    "PHONE",
    "USERNAME",
    "Account",
    "AccountChangedMeanwhile",
    "AccountClosed",
    "AccountCreated",
    "AccountResumed",
    "AccountState",
    "AccountSuspended",
    "Identifier",
    "IdentifierAdded",
    "IdentifierDropped",
    "IdentifierTaken",
    "InvalidIdentifier",
    "InvalidReason",
    "KindNotAllowed",
    "LastIdentifier",
    "NoSuchAccount",
    "NoSuchIdentifier",
    "PhoneOrigin",
    "StateForbids",
    "Taken",
    "TooManyIdentifiers",
    "add_identifier",
    "by_identifier",
    "by_normal",
    "close",
    "create",
    "drop_identifier",
    "find",
    "first",
    "identifiers",
    "identifiers_of",
    "is_region",
    "keep",
    "kept",
    "list_of",
    "normalise",
    "opened",
    "phone_origin",
    "prepare",
    "resume",
    "suspend",
    "written",
]
