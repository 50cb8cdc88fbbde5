"""What the door can do, for clients that ask: OpenID Connect Discovery 1.0 and RFC 8414, the same document at two addresses.

It names what exists and nothing else. Each tenant's octets are made once and kept while tenant and address are the same.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from limen.modules import claims, clients, keys, tenants
from limen.modules.clients import ENCRYPTION_ALGS, ENCRYPTION_ENCS, RESPONSE_TYPES, Delivery, GrantType
from limen.modules.oauth import client_auth, details, dpop, global_revocation, pkce
from limen.modules.oauth.authorize.modes import MODES
from limen.modules.oauth.model import PROMPTS, STANDARD_SCOPES
from limen.modules.oauth.settings import Tenant as Settings
from limen.modules.oauth.token import GRANTS
from limen.modules.tenants import API_SCOPES, Tenant
from limen.platform.http import PUBLIC, Answer, Call, Cors, Endpoint, Raw, kept_for_all
from limen.platform.wire.jose import ASYMMETRIC

OPENID_PATH: Final = "/.well-known/openid-configuration"
OAUTH_PATH: Final = "/.well-known/oauth-authorization-server"
ACR_VALUES: Final = ("lmn:email", "aal1")
"""What the factors that exist can reach."""
PROTOCOL_CLAIMS: Final = ("iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "sid")

ASSERTION_ALGS: Final = (*(one.value for one in ASYMMETRIC), "HS256")
"""What a client's assertion may be signed with; HS256 is for `client_secret_jwt`."""
_MOST: Final = 5_000


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """Members as RFC 8414, section 2, OpenID Connect Discovery 1.0, section 3, and the documents cited name them."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    revocation_endpoint: str
    introspection_endpoint: str
    end_session_endpoint: str
    """RP-Initiated Logout 1.0, section 2.1."""
    check_session_iframe: str
    """Session Management 1.0, section 3.3."""
    pushed_authorization_request_endpoint: str
    """RFC 9126, section 5."""
    device_authorization_endpoint: str
    """RFC 8628, section 4."""
    backchannel_authentication_endpoint: str
    """CIBA Core 1.0, section 4, like the members that begin so."""
    userinfo_signing_alg_values_supported: tuple[str, ...]
    authorization_signing_alg_values_supported: tuple[str, ...]
    """JARM, section 4."""
    scopes_supported: tuple[str, ...]
    claims_supported: tuple[str, ...]
    id_token_signing_alg_values_supported: tuple[str, ...]
    ui_locales_supported: tuple[str, ...]
    authorization_details_types_supported: tuple[str, ...] | UnsetType = UNSET
    """RFC 9396, section 10; the tenant declares them."""
    response_types_supported: tuple[str, ...] = RESPONSE_TYPES
    response_modes_supported: tuple[str, ...] = MODES
    grant_types_supported: tuple[str, ...] = (*GRANTS, GrantType.IMPLICIT.value)
    """The implicit one has no business at the token endpoint, and a name all the same (RFC 7591, section 2)."""
    subject_types_supported: tuple[str, ...] = ("public", "pairwise")
    token_endpoint_auth_methods_supported: tuple[str, ...] = client_auth.METHODS
    revocation_endpoint_auth_methods_supported: tuple[str, ...] = client_auth.METHODS
    introspection_endpoint_auth_methods_supported: tuple[str, ...] = client_auth.CONFIDENTIAL_METHODS
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] = ASSERTION_ALGS
    revocation_endpoint_auth_signing_alg_values_supported: tuple[str, ...] = ASSERTION_ALGS
    introspection_endpoint_auth_signing_alg_values_supported: tuple[str, ...] = ASSERTION_ALGS
    request_object_signing_alg_values_supported: tuple[str, ...] = tuple(one.value for one in ASYMMETRIC)
    backchannel_token_delivery_modes_supported: tuple[str, ...] = tuple(one.value for one in Delivery)
    backchannel_authentication_request_signing_alg_values_supported: tuple[str, ...] = tuple(one.value for one in ASYMMETRIC)
    backchannel_user_code_parameter_supported: bool = False
    require_pushed_authorization_requests: bool = False
    require_request_uri_registration: bool = True
    code_challenge_methods_supported: tuple[str, ...] = pkce.METHODS
    prompt_values_supported: tuple[str, ...] = PROMPTS
    """Initiating User Registration via OpenID Connect 1.0, section 4.2."""
    acr_values_supported: tuple[str, ...] = ACR_VALUES
    claim_types_supported: tuple[str, ...] = ("normal",)
    claims_parameter_supported: bool = True
    request_parameter_supported: bool = True
    request_uri_parameter_supported: bool = True
    tls_client_certificate_bound_access_tokens: bool = True
    """RFC 8705, section 3.3."""
    mtls_endpoint_aliases: dict[str, str] | UnsetType = UNSET
    """RFC 8705, section 5."""
    introspection_signing_alg_values_supported: tuple[str, ...]
    """RFC 9701, section 7."""
    id_token_encryption_alg_values_supported: tuple[str, ...] = ENCRYPTION_ALGS
    id_token_encryption_enc_values_supported: tuple[str, ...] = ENCRYPTION_ENCS
    userinfo_encryption_alg_values_supported: tuple[str, ...] = ENCRYPTION_ALGS
    userinfo_encryption_enc_values_supported: tuple[str, ...] = ENCRYPTION_ENCS
    authorization_encryption_alg_values_supported: tuple[str, ...] = ENCRYPTION_ALGS
    authorization_encryption_enc_values_supported: tuple[str, ...] = ENCRYPTION_ENCS
    introspection_encryption_alg_values_supported: tuple[str, ...] = ENCRYPTION_ALGS
    introspection_encryption_enc_values_supported: tuple[str, ...] = ENCRYPTION_ENCS
    request_object_encryption_alg_values_supported: tuple[str, ...] | UnsetType = UNSET
    """Where the tenant shows keys to encrypt to."""
    request_object_encryption_enc_values_supported: tuple[str, ...] | UnsetType = UNSET
    authorization_response_iss_parameter_supported: bool = True
    """RFC 9207, section 3."""
    frontchannel_logout_supported: bool = True
    """Front-Channel Logout 1.0, section 3."""
    frontchannel_logout_session_supported: bool = True
    backchannel_logout_supported: bool = True
    """Back-Channel Logout 1.0, section 2.1."""
    backchannel_logout_session_supported: bool = True
    global_token_revocation_endpoint: str | UnsetType = UNSET
    """draft-parecki-oauth-global-token-revocation-06, section 4, where the tenant has switched it on."""
    global_token_revocation_endpoint_auth_methods_supported: tuple[str, ...] | UnsetType = UNSET
    dpop_signing_alg_values_supported: tuple[str, ...] = tuple(alg.value for alg in dpop.ALGORITHMS)
    """RFC 9449, section 5.1."""
    registration_endpoint: str | UnsetType = UNSET
    """RFC 7591; left out where the operator registers every client."""
    client_id_metadata_document_supported: bool = False
    """draft-ietf-oauth-client-id-metadata-document-01, section 5."""


@dataclass(frozen=True, slots=True)
class _Kept:
    tenant: Tenant
    plain: bytes
    packed: bytes


_KEPT: Final[OrderedDict[str, _Kept]] = OrderedDict()


def document(tenant: Tenant, issuer: str, *, dev: bool = False) -> Metadata:
    """Return the document of a tenant that stands at `issuer`."""
    registration = clients.policy_of(tenant)
    own = sorted(scope for resource in tenant.resources for scope in resource.scopes)
    algs, takes_encrypted = tuple(one.value for one in keys.offered(tenant)), keys.takes_encrypted(tenant)
    return Metadata(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/oauth/authorize",
        token_endpoint=f"{issuer}/oauth/token",
        userinfo_endpoint=f"{issuer}/oauth/userinfo",
        jwks_uri=f"{issuer}/oauth/jwks",
        revocation_endpoint=f"{issuer}/oauth/revoke",
        introspection_endpoint=f"{issuer}/oauth/introspect",
        end_session_endpoint=f"{issuer}/oauth/logout",
        check_session_iframe=f"{issuer}/oauth/check_session",
        scopes_supported=(*STANDARD_SCOPES, *own, *sorted(API_SCOPES)),
        claims_supported=(*PROTOCOL_CLAIMS, *claims.supported(tenant)),
        pushed_authorization_request_endpoint=f"{issuer}/oauth/par",
        device_authorization_endpoint=f"{issuer}/oauth/device_authorization",
        backchannel_authentication_endpoint=f"{issuer}/oauth/backchannel_authentication",
        id_token_signing_alg_values_supported=algs,
        userinfo_signing_alg_values_supported=algs,
        authorization_signing_alg_values_supported=algs,
        introspection_signing_alg_values_supported=algs,
        request_object_encryption_alg_values_supported=ENCRYPTION_ALGS if takes_encrypted else UNSET,
        request_object_encryption_enc_values_supported=ENCRYPTION_ENCS if takes_encrypted else UNSET,
        authorization_details_types_supported=tuple(one.type for one in details.declared(tenant)) or UNSET,
        ui_locales_supported=tenant.languages,
        registration_endpoint=UNSET if registration.openness(dev=dev) is clients.Openness.OFF else f"{issuer}/oauth/register",
        client_id_metadata_document_supported=registration.client_id_documents,
        global_token_revocation_endpoint=issuer + global_revocation.PATH if global_revocation.is_on(tenant) else UNSET,
        global_token_revocation_endpoint_auth_methods_supported=global_revocation.AUTH_METHODS if global_revocation.is_on(tenant) else UNSET,
    )


_BY_CERTIFICATE: Final = ("token", "par", "introspect", "revoke", "userinfo", "device_authorization", "backchannel_authentication")
"""Last parts of the endpoints to which a client may come with its certificate."""


def _aliased(tenant: Tenant, made: Metadata) -> Metadata:
    """Return the document with the addresses for clients with certificates, where the tenant has others for them."""
    base = tenants.settings_of(tenant, Settings.section, Settings).mtls_base
    if base is None:
        return made
    known: dict[str, object] = msgspec.to_builtins(made)
    aliases = {
        name: base + value.removeprefix(made.issuer)
        for name, value in known.items()
        if isinstance(value, str) and name.endswith("_endpoint") and value.rpartition("/")[2] in _BY_CERTIFICATE
    }
    return msgspec.structs.replace(made, mtls_endpoint_aliases=aliases)


async def _metadata(call: Call) -> Answer:
    issuer = call.site.issuer
    async with call.read() as reader:
        tenant = await tenants.find(reader)
        kept = _KEPT.get(issuer)
        if kept is None or kept.tenant is not tenant:
            kept = _make(tenant, issuer, dev=call.site.dev)
    return Raw(kept.plain, "application/json", headers=kept_for_all(call), packed=kept.packed)


def _make(tenant: Tenant, issuer: str, *, dev: bool) -> _Kept:
    plain = msgspec.json.encode(_aliased(tenant, document(tenant, issuer, dev=dev)))
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    kept = _KEPT[issuer] = _Kept(tenant, plain, deflate.compress(plain) + deflate.flush())
    if len(_KEPT) > _MOST:
        _KEPT.popitem(last=False)
    return kept


ENDPOINTS: Final = (
    Endpoint(method="GET", path=OPENID_PATH, who=PUBLIC, call=_metadata, gives=Metadata, summary="OpenID Connect Discovery 1.0", cors=Cors.METADATA, hot=True),
    Endpoint(method="GET", path=OAUTH_PATH, who=PUBLIC, call=_metadata, gives=Metadata, summary="RFC 8414", cors=Cors.METADATA, at_origin=True),
)
