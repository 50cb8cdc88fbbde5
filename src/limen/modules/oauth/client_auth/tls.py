"""Mutual TLS (RFC 8705, section 2): the certificate that the client showed to a trusted proxy, and whether it is this client's."""

from __future__ import annotations

from limen.kernel.ids import ClientId
from limen.modules import clients
from limen.modules.clients import TLS_SUBJECTS, AuthMethod, Client
from limen.modules.oauth import client_keys
from limen.platform.http import Call
from limen.platform.wire.jose import BadCertificate, BadKey, certificate_thumbprint, read_certificate, registered_certificates


async def checked(call: Call, name: ClientId, der: bytes) -> AuthMethod | None:
    """Return the method by which a certificate proves this client; None where it does not."""
    async with call.read() as reader:
        client = await clients.find(reader, name)
    if client is None:
        return None
    if client.auth_method is AuthMethod.SELF_SIGNED_TLS:
        known = _registered(await client_keys.raw_keys(call, client))
        if certificate_thumbprint(der) not in known and client.jwks_uri is not None:
            known = _registered(await client_keys.raw_keys(call, client, anew=True))
        return AuthMethod.SELF_SIGNED_TLS if certificate_thumbprint(der) in known else None
    if client.auth_method is AuthMethod.TLS:
        return AuthMethod.TLS if _is_named(client, der) else None
    return None


def _registered(raw: bytes) -> frozenset[str]:
    """Return the thumbprints of the certificates in a client's key set (section 2.2.2)."""
    try:
        return registered_certificates(raw)
    except BadKey:
        return frozenset()


def _is_named(client: Client, der: bytes) -> bool:
    """Whether a certificate bears the name that was registered, and an authority the proxy trusts says so: one that vouches for itself says nothing."""
    try:
        found = read_certificate(der)
    except BadCertificate:
        return False
    if found.self_issued:
        return False
    return any(found.bears(kind, registered) for kind in TLS_SUBJECTS if (registered := getattr(client, kind)))
