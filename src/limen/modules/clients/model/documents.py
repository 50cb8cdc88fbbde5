"""Client ID Metadata Documents: a client's id is the address of the document that says what it is.

draft-ietf-oauth-client-id-metadata-document-01 (2 March 2026), whose sections are cited. No I/O: what is fetched is handed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from limen.modules.clients.errors import InvalidClient
from limen.modules.clients.model import redirects
from limen.modules.clients.model.client import BY_SECRET, AuthMethod
from limen.modules.clients.model.registration import read_metadata
from limen.modules.tenants import Flaw

DOCUMENT_LIMIT: Final = 5_120
"""Octets of a document at most (section 6.6)."""
SHORTEST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(hours=24)
USUAL: Final = timedelta(hours=1)
"""How long a document serves that does not say."""

_LONGEST_ID: Final = 255
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=\"?([0-9]{1,9})", re.IGNORECASE)
_ANEW: Final = re.compile(r"(?:^|[\s,])(?:no-store|no-cache)(?:$|[\s,;=])", re.IGNORECASE)
_SECRETS: Final = ("client_secret", "client_secret_expires_at")


def document_fault(client: str) -> str:
    """Return why an id is no address of a document (section 3); empty for one that is."""
    if len(client) > _LONGEST_ID or not client.startswith("https://"):
        return f"is no https address of at most {_LONGEST_ID} characters"
    if found := redirects.fault(client, native=False, dev=False):
        return found[0]
    parts = urlsplit(client)
    return "needs a path, and has no query" if parts.path in ("", "/") or "?" in client else ""


def read_document(client: str, document: Mapping[str, object]) -> dict[str, object]:
    """Return what a document says of its client, ready for `propose` (section 4.1). InvalidClient."""
    if document.get("client_id") != client:
        raise InvalidClient(Flaw("client_id", "in the document is not the address it stands at, letter by letter"))
    if held := [name for name in _SECRETS if name in document]:
        raise InvalidClient(Flaw(held[0], "stands in a document that everybody reads", "Leave it out"))
    said = {"token_endpoint_auth_method": AuthMethod.NONE, **read_metadata(document)}
    if said["token_endpoint_auth_method"] in BY_SECRET:
        raise InvalidClient(Flaw("token_endpoint_auth_method", "needs a secret, and a document has none", "Write none or private_key_jwt"))
    return said


def fresh_for(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Return how long a document serves by its HTTP header fields, names in lower case (section 4.4; RFC 9111, section 4.2), within our bounds."""
    control = headers.get("cache-control", "")
    if _ANEW.search(control):
        return SHORTEST
    if found := _MAX_AGE.search(control):
        age = headers.get("age", "")
        return _bounded(timedelta(seconds=int(found[1]) - (int(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0)))  # noqa: PLR2004 - digits
    try:
        return _bounded(parsedate_to_datetime(headers["expires"]) - now) if "expires" in headers else USUAL
    except (ValueError, TypeError):
        return SHORTEST  # what cannot be read is in the past (RFC 9111, section 5.3)


def _bounded(wanted: timedelta) -> timedelta:
    return min(max(wanted, SHORTEST), LONGEST)
