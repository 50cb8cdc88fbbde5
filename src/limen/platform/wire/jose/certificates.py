"""Certificates of clients (RFC 8705): who they name, and the thumbprint that tokens are bound to. Whether to trust one is not known here."""

from __future__ import annotations

import base64
import hashlib
import warnings
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from limen.platform.wire.jose.errors import BadCertificate, BadKey
from limen.platform.wire.jose.jwk import export, thumbprint
from limen.platform.wire.jose.keyset import entries_of
from limen.platform.wire.jose.names import same_name
from limen.platform.wire.jose.strict import b64url

if TYPE_CHECKING:
    from cryptography import x509

CERTIFICATE_LIMIT: Final = 16_384
"""Octets of a certificate that are read at most."""
_REMEMBERED: Final = 512
_MOST_NAMES: Final = 64


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says. `subject` as RFC 4514 writes it; names of hosts in lower case; addresses in their canonical text (RFC 5952).

    `public_thumbprint` is that of its key as a JWK, None where such keys do not serve here.
    """

    thumbprint: str
    subject: str
    san_dns: tuple[str, ...]
    san_uri: tuple[str, ...]
    san_ip: tuple[str, ...]
    san_email: tuple[str, ...]
    public_thumbprint: str | None
    not_before: datetime
    not_after: datetime
    self_issued: bool
    """Whether it names itself as its issuer: no authority vouches for its names then, whatever the proxy let through."""

    def bears(self, kind: str, name: str) -> bool:
        """Whether it bears a name registered as `kind`, one of the members `tls_client_auth_...` (RFC 8705, section 2.1.2); ValueError for another."""
        match kind:
            case "tls_client_auth_subject_dn":
                return same_name(name, self.subject)
            case "tls_client_auth_san_dns":
                return name.lower() in self.san_dns
            case "tls_client_auth_san_uri":
                return name in self.san_uri
            case "tls_client_auth_san_ip":
                return _address(name) in self.san_ip
            case "tls_client_auth_san_email":
                return _mailbox(name) in {_mailbox(one) for one in self.san_email}
            case _:
                raise ValueError(kind)


def certificate_thumbprint(der: bytes) -> str:
    """Return `x5t#S256` (RFC 8705, section 3.1; RFC 7515, section 4.1.8), 43 characters of base64url."""
    return b64url(hashlib.sha256(der).digest()).decode()


@lru_cache(_REMEMBERED)
def read_certificate(der: bytes) -> Certificate:
    """Read a certificate; BadCertificate if it is none or odd. The last 512 are not read again: an app shows one with every request."""
    from cryptography import x509  # noqa: PLC0415 - 20 ms that only clients with certificates cost

    if len(der) > CERTIFICATE_LIMIT:
        raise BadCertificate(f"a certificate of more than {CERTIFICATE_LIMIT} bytes")
    odd = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of names that are too long, which harm nobody
            return _read(x509.load_der_x509_certificate(der), der)
    except odd:
        raise BadCertificate("the certificate cannot be read") from None


def registered_certificates(raw: bytes) -> frozenset[str]:
    """Return the thumbprints of the certificates (`x5c`) in a client's JWK Set, for `self_signed_tls_client_auth` (RFC 8705, section 2.2.2).

    BadKey if the set is malformed or too large, or holds none.
    """
    found = frozenset(certificate_thumbprint(der) for entry in entries_of(raw) if (der := _first(entry.get("x5c"))))
    if not found:
        raise BadKey("the key set holds no certificate (`x5c`)")
    return found


def _read(certificate: x509.Certificate, der: bytes) -> Certificate:
    from cryptography import x509  # noqa: PLC0415 - as above

    try:
        names: x509.SubjectAlternativeName | tuple[()] = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = ()
    given: dict[type, list[str]] = {kind: [] for kind in (x509.DNSName, x509.UniformResourceIdentifier, x509.IPAddress, x509.RFC822Name)}
    for name in names:
        if type(name) in given:
            given[type(name)].append(str(name.value))
    if sum(map(len, given.values())) > _MOST_NAMES:
        raise BadCertificate(f"a certificate of more than {_MOST_NAMES} names")
    return Certificate(
        certificate_thumbprint(der),
        certificate.subject.rfc4514_string(),
        tuple(name.lower() for name in given[x509.DNSName]),
        tuple(given[x509.UniformResourceIdentifier]),
        tuple(given[x509.IPAddress]),
        tuple(given[x509.RFC822Name]),
        _public_thumbprint(certificate),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        certificate.issuer == certificate.subject,
    )


def _public_thumbprint(certificate: x509.Certificate) -> str | None:
    public = certificate.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey) and not isinstance(public.curve, ec.SECP256R1):
        return None
    if isinstance(public, (ec.EllipticCurvePublicKey, rsa.RSAPublicKey, ed25519.Ed25519PublicKey)):
        return thumbprint(export(public))
    return None


def _first(chain: object) -> bytes | None:
    """Return the certificate of the key itself: `x5c` is standard base64 (RFC 7517, section 4.7), not base64url."""
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        return None
    try:
        return base64.b64decode(chain[0], validate=True)
    except ValueError:
        return None


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def _mailbox(text: str) -> str:
    local, at, host = text.rpartition("@")
    return local + at + host.lower()
