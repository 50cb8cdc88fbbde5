"""What the foreign clients of the newer features need: keys of their own, and a tenant that knows them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc.jwk import ECKey, KeySet

CALLBACK: Final = "https://app.example/callback"
SECRET: Final = "a secret of an older client that only tests know"

TENANT: Final = """
[[tenant]]
name = "acme"
default = true
[tenant.brand]
name = "Acme"
[tenant.approvals]
pause = "0s"
[tenant.oauth]
mtls_base = "{mtls}"
dpop_nonces = "required"
[[tenant.client]]
id = "bank"
kind = "web"
profile = "fapi2_message_signing"
auth_method = "private_key_jwt"
jwks = '{jwks}'
dpop_bound_access_tokens = true
authorization_signed_response_alg = "ES256"
id_token_encrypted_response_alg = "ECDH-ES+A256KW"
id_token_encrypted_response_enc = "A256GCM"
introspection_signed_response_alg = "ES256"
redirect_uris = ["https://app.example/callback"]
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "email", "offline_access"]
[[tenant.client]]
id = "vault"
kind = "web"
profile = "fapi2"
auth_method = "tls_client_auth"
tls_client_auth_subject_dn = "CN=vault"
tls_client_certificate_bound_access_tokens = true
redirect_uris = ["https://app.example/callback"]
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "email", "offline_access"]
[[tenant.client]]
id = "web"
kind = "web"
auth_method = "private_key_jwt"
jwks = '{jwks}'
legacy = true
id_token_encrypted_response_alg = "ECDH-ES+A256KW"
id_token_encrypted_response_enc = "A256GCM"
redirect_uris = ["https://app.example/callback"]
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "email", "offline_access"]
[[tenant.client]]
id = "older"
kind = "web"
secret = "a secret of an older client that only tests know"
response_types = ["code", "code id_token", "id_token"]
redirect_uris = ["https://app.example/callback"]
grants = ["authorization_code", "implicit"]
scopes = ["openid", "email"]
[[tenant.client]]
id = "till"
kind = "web"
auth_method = "private_key_jwt"
jwks = '{jwks}'
grants = ["urn:openid:params:grant-type:ciba", "refresh_token"]
backchannel_token_delivery_mode = "poll"
scopes = ["openid", "email"]
[[tenant.client]]
id = "tv"
kind = "device"
grants = ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]
scopes = ["openid", "email", "offline_access"]
"""


@dataclass(frozen=True)
class Keys:
    """What a client signs with, and what is encrypted to it."""

    sign: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "sign", "use": "sig", "alg": "ES256"}))
    open: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "open", "use": "enc", "alg": "ECDH-ES+A256KW"}))

    @property
    def public(self) -> str:
        """The JWK Set as it is registered."""
        return json.dumps(KeySet([self.sign, self.open]).as_dict(private=False))

    @property
    def private(self) -> dict[str, Any]:
        """Both as the scripts take them."""
        return {"sign": self.sign.as_dict(private=True), "open": self.open.as_dict(private=True)}
