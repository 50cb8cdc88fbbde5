"""The members that the record takes over as they are, as JSON: from the very fields of the record, so that none is forgotten."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Final, get_type_hints

import msgspec

from limen.modules.clients.model import NAMES, Client, Metadata

_JSON: Final = msgspec.json.Encoder()
_HINTS: Final = get_type_hints(Metadata)
_JWKS: Final = "jwks"
"""The one member that is another thing in JSON than in the record, where it is text."""
_LIST: Final = Annotated[tuple[str, ...], msgspec.Meta(max_length=50)]


def _type(name: str) -> object:
    if name == _JWKS:
        return dict[str, object] | None
    return _LIST if _HINTS[name] == tuple[str, ...] else _HINTS[name]


if TYPE_CHECKING:

    class _Members(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        pass
else:
    _Members = msgspec.defstruct(
        "_Members",
        [(one.name, _type(one.name), one.default) for one in fields(Metadata)],
        frozen=True,
        forbid_unknown_fields=True,
        kw_only=True,
    )


class MoreMetadata(_Members, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an application says of itself beyond its first members; each has the default of its specification."""

    def more(self) -> dict[str, object]:
        """Return the members as the record has them."""
        found = {name: getattr(self, name) for name in NAMES}
        return found if found[_JWKS] is None else {**found, _JWKS: _JSON.encode(found[_JWKS]).decode()}


def more_of(client: Client) -> dict[str, object]:
    """Return the members of a record as JSON has them."""
    return {**{name: getattr(client, name) for name in NAMES}, _JWKS: None if client.jwks is None else json.loads(client.jwks)}
