"""What forbids to save an application's metadata: what contradicts itself, what cannot be kept, and what a security profile asks for."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from limen.modules.clients.model import redirects
from limen.modules.clients.model.client import BY_SECRET, AuthMethod, Client, GrantType
from limen.modules.clients.model.metadata import TLS_SUBJECTS, Delivery, Profile, RefreshRotation, SubjectType
from limen.modules.tenants import Flaw
from limen.platform.wire.jose import Alg, Enc, KeyAlg, Malformed, json_object

RESPONSE_TYPES: Final = ("code", "id_token", "id_token token", "code id_token", "code token", "code id_token token")
"""OAuth 2.0 Multiple Response Type Encoding Practices, less `token` alone and `none`; words in this order or any other."""
ENCRYPTION_ALGS: Final = tuple(one.value for one in KeyAlg)
ENCRYPTION_ENCS: Final = tuple(one.value for one in Enc)
FAPI_ALGS: Final = frozenset({Alg.PS256, Alg.ES256, Alg.ED25519, Alg.EDDSA})
"""FAPI 2.0 Security Profile, section 5.4.1."""
FAPI_METHODS: Final = frozenset({AuthMethod.PRIVATE_KEY_JWT, AuthMethod.TLS, AuthMethod.SELF_SIGNED_TLS})

_ENCRYPTED: Final = ("request_object_encryption", "authorization_encrypted_response", "id_token_encrypted_response", "userinfo_encrypted_response")
_ADDRESSES: Final = (
    *("jwks_uri", "sector_identifier_uri", "initiate_login_uri", "frontchannel_logout_uri", "backchannel_logout_uri"),
    *("backchannel_client_notification_endpoint", "logo_uri"),
)
_SIGNED: Final = (
    *("token_endpoint_auth_signing_alg", "request_object_signing_alg", "authorization_signed_response_alg", "id_token_signed_response_alg"),
    *("userinfo_signed_response_alg", "introspection_signed_response_alg", "backchannel_authentication_request_signing_alg"),
)
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MOST: Final = 50
_JWKS_LIMIT: Final = 16_384
_LONGEST_AGE: Final = 999_999_999
_LONGEST_TEXT: Final = 500


def flaws_of_metadata(client: Client, *, dev: bool) -> Iterator[Flaw]:
    """Find every one."""
    yield from _of_keys(client)
    yield from _of_authentication(client)
    yield from _of_shared_secret(client)
    yield from _of_addresses(client, dev=dev)
    yield from _of_types(client)
    yield from _of_encryption(client)
    yield from _of_rest(client)
    yield from _of_delivery(client)
    yield from _of_frame(client)
    if client.fapi:
        yield from _of_fapi(client)


def _of_keys(client: Client) -> Iterator[Flaw]:
    if client.jwks is None:
        return
    if client.jwks_uri is not None:
        yield Flaw("jwks_uri", "`jwks` and `jwks_uri` exclude each other (RFC 7591, section 2)", "Keep one")
    if fault := _fault_of_jwks(client.jwks):
        yield Flaw("jwks", fault, 'Write a JWK Set: {"keys": [...]}, with public keys only')


def _fault_of_jwks(text: str) -> str:
    if len(text) > _JWKS_LIMIT:
        return f"has more than {_JWKS_LIMIT} characters"
    try:
        keys = json_object(text.encode()).get("keys")
    except Malformed:
        return "is no JSON object"
    if not isinstance(keys, list) or not keys or not all(isinstance(one, Mapping) and isinstance(one.get("kty"), str) for one in keys):
        return "has no list of keys"
    return "holds a private or secret key" if any(isinstance(one, Mapping) and not _PRIVATE.isdisjoint(one) for one in keys) else ""


def _of_authentication(client: Client) -> Iterator[Flaw]:
    named = [name for name in TLS_SUBJECTS if getattr(client, name)]
    if client.auth_method is AuthMethod.TLS and len(named) != 1:
        yield Flaw(
            "auth_method", "`tls_client_auth` needs exactly one name of the certificate (RFC 8705, section 2.1.2)", f"Set one of {', '.join(TLS_SUBJECTS)}"
        )
    if client.auth_method is not AuthMethod.TLS and named:
        yield Flaw(named[0], "is for `tls_client_auth`", "Leave it out, or choose that method")
    if client.auth_method in (AuthMethod.PRIVATE_KEY_JWT, AuthMethod.SELF_SIGNED_TLS) and not (client.jwks or client.jwks_uri):
        yield Flaw("jwks", f"`{client.auth_method.value}` needs the client's public keys", "Give jwks or jwks_uri")
    if client.tls_client_auth_san_ip and not _is_address(client.tls_client_auth_san_ip):
        yield Flaw("tls_client_auth_san_ip", "is no IP address")
    alg = client.token_endpoint_auth_signing_alg
    if alg is not None and client.auth_method not in (AuthMethod.PRIVATE_KEY_JWT, AuthMethod.SECRET_JWT):
        yield Flaw("token_endpoint_auth_signing_alg", "nothing is signed with this method", "Leave it out")
    if client.refresh_rotation is RefreshRotation.NEVER and client.public and not client.dpop_bound_access_tokens:
        yield Flaw("refresh_rotation", "a public client's token must be replaced or bound to a key (RFC 9700, section 2.2.2)", "Leave it out")


def _of_shared_secret(client: Client) -> Iterator[Flaw]:
    alg, method = client.token_endpoint_auth_signing_alg, client.auth_method
    if alg is not None and (alg is Alg.HS256) != (method is AuthMethod.SECRET_JWT):
        yield Flaw("token_endpoint_auth_signing_alg", f"`{alg.value}` is not for this way to authenticate", "HS256 goes with client_secret_jwt alone")
    if client.request_object_signing_alg is Alg.HS256 and method not in BY_SECRET:
        yield Flaw("request_object_signing_alg", "`HS256` takes a client with a secret", "Choose another, or leave it out")
    if client.backchannel_authentication_request_signing_alg is Alg.HS256:
        yield Flaw("backchannel_authentication_request_signing_alg", "back-channel requests are signed with a key of the client's own (CIBA Core 1.0, 7.1.1)")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _of_addresses(client: Client, *, dev: bool) -> Iterator[Flaw]:
    several = [("request_uris", one) for one in client.request_uris[:_MOST]]
    if len(client.request_uris) > _MOST:
        yield Flaw("request_uris", f"there are more than {_MOST}")
    for name, uri in (*((name, getattr(client, name)) for name in _ADDRESSES), *several):
        if uri is None:
            continue
        bare = uri.partition("#")[0] if name == "request_uris" else uri
        if redirects.fault(bare, native=False, dev=dev) or urlsplit(bare).scheme not in ("http", "https"):
            yield Flaw(name, "is no address that may be called", 'Write for example "https://app.example.com/..."')


def _of_types(client: Client) -> Iterator[Flaw]:
    known = {" ".join(sorted(one.split())) for one in RESPONSE_TYPES}
    for one in client.response_types:
        parts = set(one.split())
        if " ".join(sorted(parts)) not in known:
            yield Flaw("response_types", f"`{one[:60]}` is none", f"There are {', '.join(f'`{name}`' for name in RESPONSE_TYPES)}")
        if "code" in parts and GrantType.AUTHORIZATION_CODE not in client.grants:
            yield Flaw("response_types", "`code` goes with the grant `authorization_code`", "Add the grant")
        if not parts.isdisjoint({"token", "id_token"}) and GrantType.IMPLICIT not in client.grants:
            yield Flaw("response_types", "`token` and `id_token` go with the grant `implicit`", "Add the grant, or use `code` (RFC 9700, section 2.1.2)")
    if GrantType.IMPLICIT in client.grants and all(set(one.split()) <= {"code"} for one in client.response_types):
        yield Flaw("grants", "`implicit` is of no use without a response type that has `token` or `id_token`", "Leave it out")


def _of_encryption(client: Client) -> Iterator[Flaw]:
    for stem in (*_ENCRYPTED, "introspection_encrypted_response"):
        alg, enc = getattr(client, f"{stem}_alg"), getattr(client, f"{stem}_enc")
        if alg is not None and alg not in ENCRYPTION_ALGS:
            yield Flaw(f"{stem}_alg", f"`{alg[:40]}` is not supported", f"There are {', '.join(ENCRYPTION_ALGS)}")
        if enc is not None and enc not in ENCRYPTION_ENCS:
            yield Flaw(f"{stem}_enc", f"`{enc[:40]}` is not supported", f"There are {', '.join(ENCRYPTION_ENCS)}")
        if enc is not None and alg is None:
            yield Flaw(f"{stem}_enc", f"goes with `{stem}_alg`", "Set both, or neither")
        if alg is not None and stem != "request_object_encryption" and not (client.jwks or client.jwks_uri):
            yield Flaw(f"{stem}_alg", "needs the client's public keys", "Give jwks or jwks_uri")


def _of_rest(client: Client) -> Iterator[Flaw]:
    if client.default_max_age is not None and not 0 <= client.default_max_age <= _LONGEST_AGE:
        yield Flaw("default_max_age", "is a number of seconds")
    if client.require_signed_request_object and not (client.jwks or client.jwks_uri):
        yield Flaw("require_signed_request_object", "needs the client's public keys", "Give jwks or jwks_uri")
    for name in ("software_id", "software_version", *TLS_SUBJECTS):
        text = getattr(client, name)
        if text is not None and (len(text) > _LONGEST_TEXT or not text.isprintable()):
            yield Flaw(name, f"is longer than {_LONGEST_TEXT} characters, or has control characters")
    hosts = {urlsplit(uri).hostname or "" for uri in client.redirect_uris}
    if client.subject_type is SubjectType.PAIRWISE and client.sector_identifier_uri is None and len(hosts) > 1:
        yield Flaw("sector_identifier_uri", "pairwise subjects need it where redirect_uris are on several hosts (OpenID Connect Core 1.0, 8.1)")
    if client.backchannel_user_code_parameter:
        yield Flaw("backchannel_user_code_parameter", "is not supported", "Leave it out")


def _of_delivery(client: Client) -> Iterator[Flaw]:
    mode, ciba = client.backchannel_token_delivery_mode, GrantType.CIBA in client.grants
    if ciba and mode is None:
        yield Flaw("backchannel_token_delivery_mode", "the back-channel grant needs it (CIBA Core 1.0, section 4)", "Write poll, ping or push")
    if mode is not None and not ciba:
        yield Flaw("backchannel_token_delivery_mode", "goes with the back-channel grant", f"Add {GrantType.CIBA.value}, or leave it out")
    called = mode in (Delivery.PING, Delivery.PUSH)
    if called != (client.backchannel_client_notification_endpoint is not None):
        yield Flaw("backchannel_client_notification_endpoint", "goes with the modes `ping` and `push`, which need it")
    if mode is Delivery.PUSH and (client.constrained or client.id_token_encrypted_response_alg is not None):
        why = "what is pushed is neither bound to a key, which no request shows, nor encrypted"
        yield Flaw("backchannel_token_delivery_mode", why, "Use poll or ping")


def _of_frame(client: Client) -> Iterator[Flaw]:
    """What a frame opens is the app's own (Front-Channel Logout 1.0, section 2)."""
    uri = client.frontchannel_logout_uri
    if uri is not None and _origin(uri) not in {_origin(one) for one in client.redirect_uris}:
        yield Flaw("frontchannel_logout_uri", "has not scheme, host and port of a redirect_uri", "Put the page beside the app, or register an address there")


def _origin(uri: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port; a port that is no number is the fault of another rule."""
    parts = urlsplit(uri)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.scheme, parts.hostname or "", port or {"http": 80, "https": 443}.get(parts.scheme)


def _of_fapi(client: Client) -> Iterator[Flaw]:
    """FAPI 2.0 Security Profile, sections 5.3.2 and 5.4; Message Signing, section 5."""
    if client.public or client.auth_method not in FAPI_METHODS:
        yield Flaw("auth_method", "FAPI 2.0 takes private_key_jwt and mutual TLS only (section 5.3.2.1)", "Choose one of them")
    if not client.constrained:
        yield Flaw(
            "dpop_bound_access_tokens", "FAPI 2.0 wants sender-constrained tokens (section 5.3.2.1)", "Set it, or tls_client_certificate_bound_access_tokens"
        )
    if GrantType.IMPLICIT in client.grants or any(one != "code" for one in client.types):
        yield Flaw("response_types", "FAPI 2.0 knows `code` only", "Leave them out")
    if client.legacy or not client.pkce_required:
        yield Flaw("legacy" if client.legacy else "pkce_required", "FAPI 2.0 makes no exceptions", "Leave it out")
    yield from _of_fapi_messages(client)


def _of_fapi_messages(client: Client) -> Iterator[Flaw]:
    for name in _SIGNED:
        alg = getattr(client, name)
        if alg is not None and alg not in FAPI_ALGS:
            yield Flaw(name, f"`{alg.value}` is not for FAPI 2.0 (section 5.4.1)", "Use PS256, ES256 or Ed25519")
    if client.backchannel_token_delivery_mode is Delivery.PUSH:
        yield Flaw("backchannel_token_delivery_mode", "`push` is not for FAPI (FAPI-CIBA, section 5.2.2)", "Use poll or ping")
    if client.profile is Profile.FAPI2_MESSAGE_SIGNING and not (client.jwks or client.jwks_uri):
        yield Flaw("jwks", "FAPI 2.0 Message Signing needs the keys that sign requests", "Give jwks or jwks_uri")
