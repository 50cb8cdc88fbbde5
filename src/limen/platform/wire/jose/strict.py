"""base64url and JSON objects as the specifications write them, and nothing else: one value has one spelling."""

from __future__ import annotations

import binascii
import json
import math
from typing import Final, NoReturn, TypeAlias

from limen.platform.wire.jose.errors import Malformed

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_LONGEST_NUMBER: Final = 32


def b64url(octets: bytes) -> bytes:
    """Return base64url without padding (RFC 7515, section 2)."""
    return binascii.b2a_base64(octets, newline=False).rstrip(b"=").translate(_TO_URL)


def unb64url(text: bytes) -> bytes:
    """Decode the one canonical base64url spelling; padding, other letters, blanks or stray bits are Malformed."""
    try:
        octets = binascii.a2b_base64(text.translate(_FROM_URL) + b"=" * (-len(text) % 4))
    except ValueError:
        raise Malformed("a part is not base64url") from None
    if b64url(octets) != text:
        raise Malformed("a part is not base64url in its one canonical spelling")
    return octets


def json_object(raw: bytes) -> dict[str, JsonValue]:
    """Decode a JSON object (RFC 8259; I-JSON of RFC 7493): no name twice at any depth, no NaN, no lone surrogate, no NUL."""
    try:
        text = raw.decode()
        value = _DECODE(text)
        if "\\u" in text:
            _check_text(json.dumps(value, ensure_ascii=False))
    except (ValueError, RecursionError):
        raise Malformed("a part is not well-formed JSON") from None
    if not isinstance(value, dict):
        raise Malformed("a part is not a JSON object")
    return value


def _once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a number JSON can hold")
    return number


def _bounded(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("a number of absurd length")
    return int(text)


_DECODE: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse, parse_float=_finite, parse_int=_bounded).decode


def _check_text(text: str) -> None:
    text.encode()  # a lone surrogate is an error here, instead of wherever the text is used
    if "\\u0000" in text:
        raise ValueError("NUL, which no database text can hold")
