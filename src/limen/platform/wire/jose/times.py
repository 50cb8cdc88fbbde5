"""The dates of a token against the instant of the command that reads it (RFC 7519, sections 4.1.4 to 4.1.6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from limen.platform.wire.jose.errors import Early, Expired, Malformed
from limen.platform.wire.jose.jws import Jwt

AHEAD: Final = timedelta(seconds=10)
"""How far `iat` and `nbf` may lie ahead: FAPI 2.0 asks for 10 s at least and 60 s at most."""


def check_times(token: Jwt, now: datetime, *, ahead: timedelta = AHEAD, needs_exp: bool = True) -> None:
    """Raise Expired, Early, or Malformed where `exp` is needed and missing."""
    moment = now.timestamp()
    exp = _date(token, "exp")
    if exp is None and needs_exp:
        raise Malformed("`exp` is missing")
    if exp is not None and moment >= exp:
        raise Expired("the token has expired")
    latest = moment + ahead.total_seconds()
    for begins in (_date(token, "nbf"), _date(token, "iat")):
        if begins is not None and begins > latest:
            raise Early("the token is not valid yet")


def audiences(token: Jwt) -> tuple[str, ...]:
    """Return `aud` as a tuple, whichever of its two forms it has; empty where absent."""
    found = token.claims.get("aud")
    if isinstance(found, str):
        return (found,)
    return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


def _date(token: Jwt, name: str) -> float | None:
    value = token.claims.get(name)
    return float(value) if isinstance(value, (int, float)) else None
