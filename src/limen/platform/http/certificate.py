"""The client's certificate as a trusted proxy hands it on: `Client-Cert` (RFC 9440, section 2), one byte sequence (RFC 8941, section 3.3.5)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from limen.platform.http.errors import CertificateUnreadable

FIELD: Final = b"client-cert"

_MOST_OCTETS: Final = 8_192
"""Of DER. RSA with 8192 bits and a page of names needs half of it."""
_LONGEST: Final = 4 * -(-_MOST_OCTETS // 3) + 2
_BYTES: Final = re.compile(rb":([A-Za-z0-9+/]+)={0,2}:")
_SEQUENCE: Final = b"\x30"
_MEND: Final = "the proxy is to send one Client-Cert, `:base64 of the DER:` (RFC 9440), in place of any that came from outside"


def certificate_in(field: bytes) -> bytes:
    """Return the DER in the field's value. CertificateUnreadable where it is of another form, too long, or two fields joined by a comma."""
    if len(field) > _LONGEST:
        raise _unreadable(f"is longer than {_LONGEST} octets")
    found = _BYTES.fullmatch(field.strip())
    if found is None:
        raise _unreadable("is not one `:base64:`")
    try:
        der = base64.b64decode(found[1] + b"=" * (-len(found[1]) % 4), validate=True)  # whoever leaves out the padding is understood (RFC 8941, 4.2.7)
    except binascii.Error:
        raise _unreadable("is no base64") from None
    if not der.startswith(_SEQUENCE):
        raise _unreadable("holds no DER; PEM is to be taken out of its base64 first")
    return der


def _unreadable(why: str) -> CertificateUnreadable:
    return CertificateUnreadable("The certificate of this connection could not be read.", operator=f"Client-Cert of a trusted proxy {why}: {_MEND}")
