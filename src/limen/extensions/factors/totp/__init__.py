"""The factor TOTP: a code an authenticator app makes every half minute (RFC 6238 on RFC 4226). Pure; the host stores, counts and records.

A code is taken once: what is kept has the step of the last one, and the host stores it anew under the version that was compared with, so of
two that come at once in two processes one is too late. Clocks may be a step apart.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from limen.kernel import secrets
from limen.modules.factors import Answer, Context, Factor, Making, Match, Means, Mismatch, Trial, typed_digits
from limen.platform.pages import _m, qr_code

__all__ = ["DIGITS", "EXTENSION", "STEP", "CodeAnswer", "hotp", "step_of"]

DIGITS: Final = 6
STEP: Final = 30
"""Seconds (RFC 6238, section 4)."""
OCTETS: Final = 20
"""Of a secret: as many as SHA-1 gives (RFC 4226, section 4, R6)."""
_DRIFT: Final = (-1, 0, 1)
"""Steps that a clock may be away (RFC 6238, section 5.2)."""
_NEVER: Final = -1
_FOUR: Final = 4


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A secret, and the step of the last code that was taken."""

    secret: bytes
    step: int = _NEVER


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Kept).decode
_NOTHING: Final = Kept(bytes(OCTETS))


class CodeAnswer(Answer, frozen=True):
    """A code as typed."""

    code: str = ""

    def said(self) -> str:
        """Return the code."""
        return self.code


def hotp(secret: bytes, counter: int, digits: int = DIGITS, algorithm: str = "sha1") -> str:
    """Return the code of a counter (RFC 4226, section 5.3; RFC 6238, section 1.2, for other algorithms)."""
    mac = hmac.digest(secret, counter.to_bytes(8), algorithm)
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4]) & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def step_of(now: datetime) -> int:
    """Return the step an instant lies in."""
    return int(now.timestamp()) // STEP


def make() -> bytes:
    """Make a secret."""
    return secrets.octets(OCTETS)


def keep(secret: bytes) -> bytes:
    """Return a secret as it is kept."""
    return _encode(Kept(secret))


def present(secret: bytes, context: Context) -> Mapping[str, object]:
    """Show a secret as a picture to be scanned, as a link, and as letters to be typed."""
    account, service = (*context.words, "", "")[:2]
    letters = base64.b32encode(secret).decode()
    label = quote(f"{service}:{account}" if account else service)
    uri = f"otpauth://totp/{label}?{urlencode({'secret': letters, 'issuer': service}, quote_via=quote)}"
    grouped = " ".join(letters[place : place + _FOUR] for place in range(0, len(letters), _FOUR))
    return {"letters": grouped, "uri": uri, "picture": qr_code(uri, fills=True)}


def check(trial: Trial) -> Match | Mismatch:
    """Compare with the codes of this step and its neighbours that are newer than the last one taken; each time with all of them."""
    kept = _NOTHING if trial.kept is None else _decode(trial.kept)
    said, now = typed_digits(trial.said).encode("utf-8", "replace"), step_of(trial.now)
    fits = [now + away for away in _DRIFT if secrets.same(hotp(kept.secret, now + away).encode(), said) and now + away > kept.step]
    return Match(_encode(Kept(kept.secret, fits[-1]))) if fits and trial.kept is not None else Mismatch()


EXTENSION: Final = Factor(
    name="totp",
    words=_m("Authenticator app"),
    offer=_m("Use my authenticator app"),
    amr=("otp",),
    acr="aal1",
    means=Means.HELD,
    ask="totp/ask.html",
    fields=CodeAnswer,
    field="code",
    wrong=_m("This code is not right. Each code works once: wait for the next one if you have used it."),
    check=check,
    making=Making(
        why=_m("An app on your phone shows a code that you type when you sign in. Whoever has your password alone cannot get in."),
        make=make,
        present=present,
        show="totp/show.html",
        keep=keep,
    ),
)
