"""The transport for gateways of any make: JSON by POST with a bearer secret, its members as the operator wrote them.

The identity of a message goes along as `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), so that a gateway that knows the
field sends one message for several attempts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from limen.extensions.transports.generic_http.settings import PLACE, Server
from limen.kernel.secrets import Secret
from limen.modules.notices import SMS, VOICE, Post, Text, Transport, TryLater

__all__ = ["EXTENSION"]

_Members: TypeAlias = "dict[str, str | _Members]"


def _write(text: Text, settings: object) -> Post | TryLater:
    if not isinstance(settings, Server) or not settings.url or settings.secret is None:
        return TryLater("not_configured")
    values = {"to": text.to, "text": text.text, "channel": text.channel, "language": text.language, "service": text.service, "id": text.id}
    headers = {"authorization": f"Bearer {settings.secret.reveal()}", "idempotency-key": f'"{text.id}"'}
    return Post(url=settings.url, body=msgspec.json.encode(_members(settings.fields, values)), media_type="application/json", headers=headers)


def _members(fields: Mapping[str, str], values: Mapping[str, str]) -> _Members:
    """Fill the fields; every place is filled once, so that nothing a value holds is taken for a place."""
    made: _Members = {}
    for name, pattern in fields.items():
        *way, last = name.split(".")
        inner = made
        for step in way:
            deeper = inner.setdefault(step, {})
            if not isinstance(deeper, dict):
                break  # the settings refuse such names
            inner = deeper
        inner[last] = PLACE.sub(lambda place: values[place[1]], pattern)
    return made


EXTENSION: Final = Transport(
    name="generic_http",
    channels=frozenset({SMS, VOICE}),
    settings=Server,
    trial=lambda origin: Server(url=f"{origin}/messages", secret=Secret("trial-secret")),
    write=_write,
)
