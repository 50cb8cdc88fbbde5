"""Proof Key for Code Exchange, RFC 7636: only S256. The method `plain` does not exist here."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final

from limen.kernel import secrets

METHODS: Final = ("S256",)

_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def is_challenge(text: str) -> bool:
    """True if `text` can be an S256 challenge: 32 octets as base64url without padding (section 4.2)."""
    return _CHALLENGE.fullmatch(text) is not None


def is_verifier(text: str) -> bool:
    """True for 43 to 128 unreserved characters (section 4.1)."""
    return _VERIFIER.fullmatch(text) is not None


def challenge_of(verifier: str) -> str:
    """Return BASE64URL(SHA256(ASCII(verifier))) (section 4.6)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def proves(verifier: str, challenge: str) -> bool:
    """True if `verifier` is well formed and answers `challenge`."""
    return is_verifier(verifier) and secrets.same(challenge_of(verifier), challenge)
