"""Distinguished names as text (RFC 4514), read into one form in which two spellings of one name are equal."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, TypeAlias

from limen.platform.wire.jose.errors import Malformed

Name: TypeAlias = tuple[tuple[tuple[str, str], ...], ...]
"""Its relative names in the order of the text, each its attributes in order of kind: (dotted OID, value made comparable)."""

NAME_LIMIT: Final = 2_048
"""Characters of a name that are read at most."""

_ATTRIBUTE: Final = re.compile(
    r" *+(?P<kind>[A-Za-z][A-Za-z0-9-]*+|[0-9]++(?:\.[0-9]++)++) *+= *+"
    r'(?P<value>#(?:[0-9A-Fa-f]{2})++|(?!#)(?:\\[0-9A-Fa-f]{2}|\\[ "#+,;<=>\\]|[^"+,;<>\\\0])*+)'
    r" *+(?P<end>[,+]|\Z)"
)
_ESCAPED: Final = re.compile(rb"\\([0-9A-Fa-f]{2}|.)", re.DOTALL)
_STRINGS: Final = {0x0C: "utf-8", 0x12: "ascii", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1C: "utf-32-be", 0x1E: "utf-16-be"}
"""The string types of ASN.1 by their tags (X.680, section 8.4)."""
_SHORT_LENGTH: Final = 0x80
_SHORT: Final = {
    "cn": "2.5.4.3",
    "sn": "2.5.4.4",
    "c": "2.5.4.6",
    "l": "2.5.4.7",
    "st": "2.5.4.8",
    "s": "2.5.4.8",
    "street": "2.5.4.9",
    "o": "2.5.4.10",
    "ou": "2.5.4.11",
    "t": "2.5.4.12",
    "gn": "2.5.4.42",
    "uid": "0.9.2342.19200300.100.1.1",
    "dc": "0.9.2342.19200300.100.1.25",
    "e": "1.2.840.113549.1.9.1",
}
"""RFC 4514, section 3, and what tools write beside it."""


def read_name(text: str) -> Name:
    """Return a name in its comparable form; Malformed if the text is none, names an unknown attribute, or is empty.

    Kinds of attribute are known by any of their names, values compare without regard to case, form of Unicode and the number of blanks
    (RFC 4518; every attribute of RFC 4519 that stands in certificates compares so), the parts of one relative name in any order.
    """
    if not text or len(text) > NAME_LIMIT:
        raise Malformed(f"a distinguished name has 1 to {NAME_LIMIT} characters")
    found: list[tuple[tuple[str, str], ...]] = []
    together: list[tuple[str, str]] = []
    at, end = 0, ","
    while end:
        match = _ATTRIBUTE.match(text, at)
        if match is None:
            raise Malformed("no distinguished name as RFC 4514 writes it: CN=shop,O=Example,C=DE")
        together.append((_kind(match["kind"]), _comparable(match["value"])))
        at, end = match.end(), match["end"]
        if end != "+":
            found.append(tuple(sorted(together)))
            together = []
    return tuple(found)


def same_name(registered: str, subject: str) -> bool:
    """Whether two names as text are one (RFC 8705, section 2.1.2). What is no name is equal to nothing, itself included."""
    try:
        return read_name(registered) == read_name(subject)
    except Malformed:
        return False


def _kind(name: str) -> str:
    if name[0].isdigit():
        return name
    low = name.lower()
    found = _SHORT.get(low) or _long_names().get(low)
    if found is None:
        raise Malformed(f"`{name[:40]}` is no known attribute of a distinguished name: write its number")
    return found


@lru_cache(1)
def _long_names() -> dict[str, str]:
    from cryptography.x509.oid import NameOID  # noqa: PLC0415 - 20 ms that only clients with certificates cost

    return {name.replace("_", "").lower(): oid.dotted_string for name, oid in vars(NameOID).items() if name.isupper()}


def _comparable(value: str) -> str:
    text = _of_hex(value) if value.startswith("#") else _unescaped(value)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


def _unescaped(value: str) -> str:
    try:
        return _ESCAPED.sub(lambda match: bytes.fromhex(match[1].decode()) if len(match[1]) > 1 else match[1], value.encode()).decode()
    except ValueError:
        raise Malformed("a distinguished name is not UTF-8") from None


def _of_hex(value: str) -> str:
    """Read the BER of a string (RFC 4514, section 2.4); anything else stays hexadecimal, comparable with itself."""
    octets = bytes.fromhex(value[1:])
    encoding = _STRINGS.get(octets[0])
    if encoding is None or len(octets) < 2 or octets[1] >= _SHORT_LENGTH or octets[1] != len(octets) - 2:  # noqa: PLR2004 - tag and length
        return value
    try:
        return octets[2:].decode(encoding)
    except ValueError:
        return value
