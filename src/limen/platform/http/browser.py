"""The browser: a secret of its own in cookie `j`, to which journeys and forms are bound, signed in or not."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from limen.kernel import secrets
from limen.kernel.ids import TenantId
from limen.kernel.secrets import Secret
from limen.platform.http.answers import SetCookie
from limen.platform.http.cookies import Cookies

BROWSER: Final = "j"
"""Name of the cookie."""

_KEPT_FOR: Final = 30 * 86_400
_SHORTEST: Final = 40
_MASK: Final = 32


class Browser:
    """What the browser proves by cookie `j`. A browser without one gets one when it is first asked for."""

    __slots__ = ("_cookies", "_secret", "_tenant", "asked", "fresh")

    def __init__(self, cookies: Cookies, tenant: TenantId) -> None:
        self._cookies = cookies
        self._tenant = tenant
        self._secret = ""
        self.fresh = False
        self.asked = False

    def _own(self) -> str:
        if not self._secret:
            brought = self._cookies.get(BROWSER)
            self._secret = brought.reveal() if brought is not None else ""
            if len(self._secret) < _SHORTEST:
                self._secret, self.fresh = secrets.token(), True
        return self._secret

    def digest(self) -> bytes:
        """Return the 32 octets by which a journey or request remembers this browser."""
        self.asked = True
        return secrets.digest(f"{self._tenant} {self._own()}")

    def csrf(self) -> str:
        """Return the token for this response's forms, masked so that compression tells nothing about it."""
        mask = secrets.octets(_MASK)
        proof = secrets.mac(self._own().encode(), b"csrf " + self._tenant.encode())
        return urlsafe_b64encode(mask + _masked(proof, mask)).rstrip(b"=").decode()

    def made(self, token: str) -> bool:
        """Whether `csrf` gave this token to this very browser."""
        proof = secrets.mac(self._own().encode(), b"csrf " + self._tenant.encode())
        try:
            brought = urlsafe_b64decode(f"{token}==") if token.isascii() else b""
        except (binascii.Error, ValueError):
            return False
        if self.fresh or len(brought) != 2 * _MASK:
            return False
        return secrets.same(_masked(brought[_MASK:], brought[:_MASK]), proof)

    def cookie(self) -> SetCookie:
        """Return the cookie that keeps the secret in the browser."""
        return SetCookie(BROWSER, Secret(self._own()), _KEPT_FOR)


def _masked(octets: bytes, mask: bytes) -> bytes:
    return (int.from_bytes(octets) ^ int.from_bytes(mask)).to_bytes(_MASK)
