"""An app that has a key and makes DPoP proofs with it (RFC 9449, section 4.2), good ones and bent ones."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from limen.kernel import secrets
from limen.kernel.clock import Clock, SystemClock
from limen.platform.wire.jose import Alg, SigningKey, b64url

LEFT_OUT: Final = object()
"""A change to this leaves a member out."""


class Prover:
    """Holds a key. `clock` is the app's."""

    def __init__(self, alg: Alg = Alg.ES256, clock: Clock | None = None) -> None:
        self.key = SigningKey.generate(Alg.ED25519 if alg is Alg.EDDSA else alg)
        self.alg = alg
        self.clock: Clock = clock or SystemClock()
        self.jkt = self.key.kid

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as it stands in a proof's header."""
        made: dict[str, Any] = msgspec.to_builtins(self.key.public.jwk)
        return {name: value for name, value in made.items() if name not in {"kid", "use", "alg"}}

    def proof(self, method: str, url: str, token: str = "", header: dict[str, Any] | None = None, **changes: Any) -> str:
        """Return a proof for a request; `token` is the access token beside it, `header` and `changes` bend members of header and claims."""
        claims = {"jti": secrets.token(), "htm": method, "htu": url, "iat": int(self.clock.now().astimezone(UTC).timestamp())}
        if token:
            claims["ath"] = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        return self.signed({"typ": "dpop+jwt", "alg": self.alg.value, "jwk": self.jwk} | (header or {}), claims | changes)

    def signed(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """Return a compact JWS of these."""
        message = b".".join(b64url(json.dumps({name: value for name, value in part.items() if value is not LEFT_OUT}).encode()) for part in (header, claims))
        return (message + b"." + b64url(self.key.sign(message))).decode()


class At:
    """A clock that stands still."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def now(self) -> datetime:
        """Return the instant."""
        return datetime.fromtimestamp(self.seconds, UTC)
