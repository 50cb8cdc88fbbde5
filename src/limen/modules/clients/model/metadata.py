"""What an application says of itself beyond its name, addresses and grants, in the spelling of the specifications that define it.

One place for the record, the tenant file and the API: each inherits the fields, and the database keeps those that are not at their default.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, fields
from typing import Final

from limen.platform.wire.jose import Alg


class SubjectType(enum.Enum):
    """`subject_type` (OpenID Connect Core 1.0, section 8)."""

    PUBLIC = "public"
    PAIRWISE = "pairwise"
    """Apps of different sectors cannot tell that their person is the same."""


class RefreshRotation(enum.Enum):
    """What becomes of a refresh token that was used (RFC 9700, section 4.14)."""

    USUAL = "usual"
    """It is replaced, except where the client's tokens are sender-constrained or its profile is FAPI's."""
    ALWAYS = "always"
    NEVER = "never"
    """For clients that prove themselves: what is stolen serves nobody else."""


class Delivery(enum.Enum):
    """`backchannel_token_delivery_mode` (CIBA Core 1.0, section 5)."""

    POLL = "poll"
    PING = "ping"
    PUSH = "push"


class Profile(enum.Enum):
    """A security profile: choosing it enforces all that it requires."""

    FAPI2 = "fapi2"
    """FAPI 2.0 Security Profile."""
    FAPI2_MESSAGE_SIGNING = "fapi2_message_signing"
    """And FAPI 2.0 Message Signing: signed requests, responses and introspection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What is left out has the default of its specification."""

    jwks: str | None = None
    """Its public keys: a JWK Set as JSON text (RFC 7591, section 2)."""
    jwks_uri: str | None = None
    """Where its public keys stand, in place of `jwks`: https on port 443, fetched at most once a minute."""
    token_endpoint_auth_signing_alg: Alg | None = None
    """What its assertions are signed with; left out: any its method allows."""
    tls_client_auth_subject_dn: str | None = None
    """Of `tls_client_auth`: the subject of its certificate as RFC 4514 writes it (RFC 8705, section 2.1.2). Exactly one of the five."""
    tls_client_auth_san_dns: str | None = None
    """Or a DNS name of its certificate."""
    tls_client_auth_san_uri: str | None = None
    """Or a URI of its certificate."""
    tls_client_auth_san_ip: str | None = None
    """Or an address of its certificate."""
    tls_client_auth_san_email: str | None = None
    """Or an e-mail address of its certificate."""
    tls_client_certificate_bound_access_tokens: bool = False
    """Whether its access tokens work only with its certificate (RFC 8705, section 3)."""
    dpop_bound_access_tokens: bool = False
    """Whether it must prove possession of a key for every token (RFC 9449, section 5.2)."""
    response_types: tuple[str, ...] = ()
    """Left out: `code`. Those with `token` or `id_token` are for legacy clients that were registered so."""
    request_uris: tuple[str, ...] = ()
    """Where its request objects may be fetched from, letter by letter (OpenID Connect Registration 1.0, section 2)."""
    request_object_signing_alg: Alg | None = None
    """What its request objects are signed with; left out: any that is supported. `none` is never taken."""
    request_object_encryption_alg: str | None = None
    """How the keys of its request objects are encrypted to this server; left out: they may be plain."""
    request_object_encryption_enc: str | None = None
    """And their contents; left out: `A128CBC-HS256`."""
    require_signed_request_object: bool = False
    """Whether its authorization requests must be signed (RFC 9101, section 10.5)."""
    require_pushed_authorization_requests: bool = False
    """Whether they must be pushed (RFC 9126, section 6)."""
    authorization_signed_response_alg: Alg | None = None
    """What authorization responses in a JWT mode are signed with (JARM, section 3); left out: the tenant's first algorithm."""
    authorization_encrypted_response_alg: str | None = None
    """Likewise, how they are encrypted; left out: not at all."""
    authorization_encrypted_response_enc: str | None = None
    """Left out: `A128CBC-HS256`."""
    authorization_details_types: tuple[str, ...] = ()
    """Which types of authorization details it may ask for (RFC 9396, section 10)."""
    default_max_age: int | None = None
    """Seconds since the last sign-in at most, where a request says nothing."""
    require_auth_time: bool = False
    """Whether its ID tokens must say when that was; here they always do."""
    default_acr_values: tuple[str, ...] = ()
    """Context classes it asks for where a request names none."""
    initiate_login_uri: str | None = None
    """Where others send a person so that it begins a sign-in (OpenID Connect Core 1.0, section 4)."""
    id_token_encrypted_response_alg: str | None = None
    """How the keys of its ID tokens are encrypted to it; left out: they are signed only."""
    id_token_encrypted_response_enc: str | None = None
    """Left out: `A128CBC-HS256`."""
    userinfo_signed_response_alg: Alg | None = None
    """What userinfo is signed with; left out: it is plain JSON."""
    userinfo_encrypted_response_alg: str | None = None
    """How userinfo is encrypted; left out: not at all."""
    userinfo_encrypted_response_enc: str | None = None
    """Left out: `A128CBC-HS256`."""
    introspection_signed_response_alg: Alg | None = None
    """What introspection is signed with where a JWT is asked for (RFC 9701, section 6); left out: the tenant's first algorithm."""
    introspection_encrypted_response_alg: str | None = None
    """How it is encrypted; left out: not at all."""
    introspection_encrypted_response_enc: str | None = None
    """Left out: `A128CBC-HS256`."""
    subject_type: SubjectType = SubjectType.PUBLIC
    """Whether its people have the same `sub` at every app, or another at each sector."""
    sector_identifier_uri: str | None = None
    """A list of redirect addresses that count as one sector (OpenID Connect Core 1.0, section 8.1); needed where they are on several hosts."""
    refresh_rotation: RefreshRotation = RefreshRotation.USUAL
    """Whether refresh tokens are replaced with every use."""
    frontchannel_logout_uri: str | None = None
    """A page of it that the browser opens in a frame at sign-out, on scheme, host and port of a redirect address (Front-Channel Logout 1.0)."""
    frontchannel_logout_session_required: bool = False
    """Whether that address is told `iss` and `sid`."""
    backchannel_logout_uri: str | None = None
    """Where it is told of ended sessions, server to server (Back-Channel Logout 1.0)."""
    backchannel_logout_session_required: bool = False
    """Whether each logout token must name the session; here it does whenever one session ended."""
    backchannel_token_delivery_mode: Delivery | None = None
    """How it gets the tokens of a back-channel request: `poll`, `ping` or `push`."""
    backchannel_client_notification_endpoint: str | None = None
    """Where it is called in the modes `ping` and `push`."""
    backchannel_authentication_request_signing_alg: Alg | None = None
    """What its back-channel requests are signed with; left out: they are plain."""
    backchannel_user_code_parameter: bool = False
    """Whether people have a code of their own against unwanted questions; not supported, so never true."""
    logo_uri: str | None = None
    """Its logo, as the API tells it; it is never fetched nor shown."""
    software_id: str | None = None
    """What software it is, as that says itself (RFC 7591, section 2)."""
    software_version: str | None = None
    """And in which version."""
    profile: Profile | None = None
    """A security profile that is enforced: `fapi2` or `fapi2_message_signing`."""
    legacy: bool = False
    """Whether it is held to older ways: parameters beside a request object count (OpenID Connect Core 1.0, 6.1), and the token endpoint is an audience."""


TLS_SUBJECTS: Final = tuple(one.name for one in fields(Metadata) if one.name.startswith(("tls_client_auth_subject_", "tls_client_auth_san_")))
"""What a client may register of its certificate (RFC 8705, section 2.1.2)."""
NAMES: Final = tuple(one.name for one in fields(Metadata))
"""Of its fields."""
_DEFAULTS: Final = Metadata()


def given(record: Metadata) -> dict[str, object]:
    """Return what of a record's metadata is not at its default: as it is stored."""
    return {name: value for name in NAMES if (value := getattr(record, name)) != getattr(_DEFAULTS, name)}
