"""`client_secret_basic` and `client_secret_post`: a secret in the header or in the body (RFC 6749, section 2.3.1)."""

from __future__ import annotations

import binascii
import re
from typing import Final
from urllib.parse import unquote_to_bytes

from limen.kernel.ids import ClientId
from limen.modules.oauth.errors import Code, Refused

_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LONGEST: Final = 2_048

_MALFORMED: Final = Refused(
    Code.INVALID_CLIENT, "The Authorization header is not Basic with base64(client_id:client_secret), both form-urlencoded first.", "malformed_basic"
)


def basic(authorization: str) -> tuple[ClientId, str] | Refused:
    """Read client and secret off the header: RFC 7617, with both parts form-urlencoded as RFC 6749, section 2.3.1 and appendix B say."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic" or len(credentials) > _LONGEST:
        return _MALFORMED
    try:
        text = binascii.a2b_base64(credentials.strip(), strict_mode=True).decode("utf-8")
        client, colon, secret = text.partition(":")
        if not colon or not client:
            return _MALFORMED
        if "%" in text or "+" in text:
            client, secret = _decoded(client), _decoded(secret)
    except ValueError:
        return _MALFORMED
    return ClientId(client), secret


def _decoded(text: str) -> str:
    """Undo application/x-www-form-urlencoded; ValueError where it is broken."""
    if _BAD_ESCAPE.search(text):
        raise ValueError("a broken escape")
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
