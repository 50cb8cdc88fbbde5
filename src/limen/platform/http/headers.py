"""Header fields of a request: bounded, each once unless it is a list, read on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from limen.platform.http.errors import BadRequest, HeadersTooLarge

_MOST_OCTETS: Final = 32_768
_MOST_FIELDS: Final = 100
_LISTS: Final = {
    b"cookie": b"; ",
    b"dpop": b", ",  # no list, but joined it is read as no proof, and refused in the words of RFC 9449
    **dict.fromkeys((b"accept", b"accept-encoding", b"accept-language", b"cache-control", b"connection", b"forwarded", b"via", b"x-forwarded-for"), b", "),
    b"client-cert": b", ",  # no list, so that two of them cannot be read as one
}
_ALONE: Final = frozenset({
    b"authorization", b"content-encoding", b"content-length", b"content-type", b"host", b"origin", b"referer", b"sec-fetch-dest", b"sec-fetch-mode",
    b"sec-fetch-site", b"transfer-encoding", b"user-agent",
})  # fmt: skip


class RequestHeaders(Mapping[str, str]):
    """Header fields by lower-case name."""

    __slots__ = ("_raw",)

    def __init__(self, raw: dict[bytes, bytes]) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        return self._raw[name.encode("latin-1")].decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._raw)

    def __len__(self) -> int:
        return len(self._raw)


def gathered(raw: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the fields by name. HeadersTooLarge where they are too many or too long, BadRequest where one that must be alone comes twice."""
    found = dict(raw)
    if len(found) != len(raw):
        found = _joined(raw)
    if len(raw) > _MOST_FIELDS or sum(map(len, found.values())) > _MOST_OCTETS:
        raise HeadersTooLarge(f"more than {_MOST_FIELDS} header fields or {_MOST_OCTETS} octets of them")
    return found


def _joined(raw: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Join the lists (RFC 9110, section 5.3); of fields nobody here reads the last stays."""
    if len(raw) > _MOST_FIELDS:
        raise HeadersTooLarge(f"more than {_MOST_FIELDS} header fields")
    found: dict[bytes, bytes] = {}
    for name, value in raw:
        if name not in found or name not in _LISTS:
            if name in found and name in _ALONE:
                raise BadRequest(f"the header {name.decode('latin-1')} is given twice")
            found[name] = value
        else:
            found[name] += _LISTS[name] + value
    return found
