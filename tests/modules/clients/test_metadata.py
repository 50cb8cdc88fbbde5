"""What a client says of itself beyond its first fields: nothing contradicts itself, and nothing of it is lost on the way."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from limen.kernel.ids import ClientId
from limen.modules import clients, tenants
from limen.modules.clients import AuthMethod, Client, ClientKind, Delivery, GrantType, Metadata, Profile, RefreshRotation, SubjectType
from limen.platform.wire.jose import Alg
from tests.conftest import World

KEYS = '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
WEB = Client(id=ClientId("shop"), kind=ClientKind.WEB, auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=KEYS, redirect_uris=("https://shop.example/cb",))
FULL = replace(
    WEB,
    grants=(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.CIBA),
    token_endpoint_auth_signing_alg=Alg.ES256,
    dpop_bound_access_tokens=True,
    response_types=("code",),
    request_uris=("https://shop.example/request.jwt",),
    request_object_signing_alg=Alg.ES256,
    require_signed_request_object=True,
    require_pushed_authorization_requests=True,
    authorization_signed_response_alg=Alg.ES256,
    authorization_encrypted_response_alg="ECDH-ES",
    authorization_encrypted_response_enc="A256GCM",
    authorization_details_types=("payment",),
    default_max_age=3600,
    default_acr_values=("aal2",),
    id_token_encrypted_response_alg="RSA-OAEP-256",
    subject_type=SubjectType.PAIRWISE,
    refresh_rotation=RefreshRotation.NEVER,
    frontchannel_logout_uri="https://shop.example/out",
    backchannel_logout_uri="https://shop.example/back",
    backchannel_logout_session_required=True,
    backchannel_token_delivery_mode=Delivery.PING,
    backchannel_client_notification_endpoint="https://shop.example/ciba",
    software_id="shop-2",
    profile=Profile.FAPI2_MESSAGE_SIGNING,
)

PUSH: dict[str, object] = {
    "grants": (GrantType.AUTHORIZATION_CODE, GrantType.CIBA),
    "backchannel_token_delivery_mode": Delivery.PUSH,
    "backchannel_client_notification_endpoint": "https://shop.example/ciba",
}

WRONG = (
    ({"jwks_uri": "https://shop.example/jwks"}, "jwks_uri"),
    ({"jwks": '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}'}, "jwks"),
    ({"jwks": '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"x","d":"d"}]}'}, "jwks"),
    ({"jwks": "{}"}, "jwks"),
    ({"jwks": "no json"}, "jwks"),
    ({"jwks": None}, "jwks"),
    ({"auth_method": AuthMethod.TLS}, "auth_method"),
    ({"auth_method": AuthMethod.TLS, "tls_client_auth_san_dns": "a.example", "tls_client_auth_subject_dn": "CN=a"}, "auth_method"),
    ({"tls_client_auth_san_dns": "a.example"}, "tls_client_auth_san_dns"),
    ({"auth_method": AuthMethod.TLS, "tls_client_auth_san_ip": "300.1.1.1"}, "tls_client_auth_san_ip"),
    ({"auth_method": AuthMethod.SELF_SIGNED_TLS, "jwks": None}, "jwks"),
    ({"auth_method": AuthMethod.SELF_SIGNED_TLS, "token_endpoint_auth_signing_alg": Alg.ES256}, "token_endpoint_auth_signing_alg"),
    ({"auth_method": AuthMethod.PRIVATE_KEY_JWT, "token_endpoint_auth_signing_alg": Alg.HS256}, "token_endpoint_auth_signing_alg"),
    ({"auth_method": AuthMethod.SECRET_JWT, "token_endpoint_auth_signing_alg": Alg.ES256}, "token_endpoint_auth_signing_alg"),
    ({"auth_method": AuthMethod.PRIVATE_KEY_JWT, "request_object_signing_alg": Alg.HS256}, "request_object_signing_alg"),
    ({"backchannel_authentication_request_signing_alg": Alg.HS256}, "backchannel_authentication_request_signing_alg"),
    ({"response_types": ("token",)}, "response_types"),
    ({"response_types": ("code id_token",)}, "response_types"),
    ({"grants": (GrantType.IMPLICIT,), "response_types": ("code",)}, "response_types"),
    ({"grants": (GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT)}, "grants"),
    ({"id_token_encrypted_response_alg": "RSA1_5"}, "id_token_encrypted_response_alg"),
    ({"id_token_encrypted_response_enc": "A128GCM"}, "id_token_encrypted_response_enc"),
    ({"subject_type": SubjectType.PAIRWISE, "redirect_uris": ("https://a.example/", "https://b.example/")}, "sector_identifier_uri"),
    ({"backchannel_token_delivery_mode": Delivery.POLL}, "backchannel_token_delivery_mode"),
    ({"grants": (GrantType.CIBA,), "redirect_uris": ()}, "backchannel_token_delivery_mode"),
    ({**PUSH, "profile": Profile.FAPI2}, "backchannel_token_delivery_mode"),
    ({**PUSH, "dpop_bound_access_tokens": True}, "backchannel_token_delivery_mode"),
    ({**PUSH, "id_token_encrypted_response_alg": "RSA-OAEP-256"}, "backchannel_token_delivery_mode"),
    ({"backchannel_logout_uri": "http://shop.example/back"}, "backchannel_logout_uri"),
    ({"backchannel_logout_uri": "https://shop.example/back#x"}, "backchannel_logout_uri"),
    ({"frontchannel_logout_uri": "https://shop.example/out#x"}, "frontchannel_logout_uri"),
    ({**PUSH, "backchannel_client_notification_endpoint": "http://shop.example/ciba"}, "backchannel_client_notification_endpoint"),
    ({"jwks": None, "jwks_uri": "ftp://shop.example/keys"}, "jwks_uri"),
    ({"frontchannel_logout_uri": "https://other.example/out"}, "frontchannel_logout_uri"),
    ({"frontchannel_logout_uri": "https://shop.example:8443/out"}, "frontchannel_logout_uri"),
    ({"default_max_age": -1}, "default_max_age"),
    ({"profile": Profile.FAPI2}, "dpop_bound_access_tokens"),
    ({"profile": Profile.FAPI2, "dpop_bound_access_tokens": True, "id_token_signed_response_alg": Alg.RS256}, "id_token_signed_response_alg"),
    ({"profile": Profile.FAPI2, "dpop_bound_access_tokens": True, "legacy": True}, "legacy"),
    ({"profile": Profile.FAPI2, "dpop_bound_access_tokens": True, "auth_method": None}, "auth_method"),
    ({"profile": Profile.FAPI2, "dpop_bound_access_tokens": True, "kind": ClientKind.SPA, "auth_method": None, "jwks": None}, "auth_method"),
    ({"profile": Profile.FAPI2, "dpop_bound_access_tokens": True, "auth_method": AuthMethod.SECRET_JWT}, "auth_method"),
)


@pytest.mark.parametrize(("change", "field"), WRONG)
def test_what_contradicts_itself_is_refused(change: dict[str, object], field: str) -> None:
    """Each contradiction is said at its field."""
    found = clients.flaws(clients.completed(replace(WEB, **change)), dev=False)  # type: ignore[arg-type] # fields of the record
    assert field in {flaw.field for flaw in found}, found


def test_a_public_client_keeps_no_refresh_token_unbound() -> None:
    """What is not replaced has to be bound to a key."""
    spa = Client(id=ClientId("spa"), kind=ClientKind.SPA, redirect_uris=("https://spa.example/",), refresh_rotation=RefreshRotation.NEVER)
    assert {flaw.field for flaw in clients.flaws(clients.completed(spa), dev=False)} == {"refresh_rotation"}
    assert not clients.flaws(clients.completed(replace(spa, dpop_bound_access_tokens=True)), dev=False)


async def test_all_of_it_is_stored_and_read(world: World) -> None:
    """Every field comes back from the database as it went."""
    async with world.work() as work:
        await tenants.save(work, tenants.plain(world.tenant))
        assert set(await clients.save(work, FULL)) >= {one.name for one in fields(Metadata) if getattr(FULL, one.name) != getattr(Metadata(), one.name)}
    async with world.read() as read:
        found = await clients.find(read, FULL.id)
    assert found is not None
    assert {one.name: getattr(found, one.name) for one in fields(Metadata)} == {one.name: getattr(FULL, one.name) for one in fields(Metadata)}
