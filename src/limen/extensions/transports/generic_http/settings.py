"""Where a gateway of any make is, and what it wants to be told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar, Final
from urllib.parse import urlsplit

from limen.kernel.secrets import Secret
from limen.platform.duties import BadSetting

VALUES: Final = ("to", "text", "channel", "language", "service", "id")
PLACE: Final = re.compile(r"\{(\w*)\}")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_USUAL: Final = {"to": "{to}", "text": "{text}", "channel": "{channel}", "language": "{language}", "id": "{id}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`[generic_http]`: a gateway that takes JSON by POST, with a secret as bearer token (RFC 6750)."""

    section: ClassVar[str] = "generic_http"
    url: str = ""
    """Where messages are posted, https; on this machine in dev mode also http. Empty: not set up."""
    secret: Secret[str] | None = None
    """Sent as `Authorization: Bearer ...`; `env:NAME` keeps it out of the file."""
    fields: dict[str, str] = field(default_factory=_USUAL.copy)
    """Members of the JSON, each a text with `{to}` (E.164), `{text}`, `{channel}` (sms or voice), `{language}`, `{service}` and `{id}` in it; a dot in a
    name leads into an object: `message.body`."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if self.url and not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK))):
            raise BadSetting("generic_http.url", "is no https:// address", 'Write "https://sms.example.com/messages"')
        if self.url and self.secret is None:
            raise BadSetting("generic_http.secret", "is missing", 'Write secret = "env:NAME"')
        if self.secret is not None and not (self.secret.reveal().isascii() and self.secret.reveal().isprintable()):
            raise BadSetting("generic_http.secret", "has signs that no header can carry", "It is printable ASCII")
        named = {name for text in self.fields.values() for name in PLACE.findall(text)}
        if strangers := sorted(named - set(VALUES)):
            raise BadSetting("generic_http.fields", f"there is no value `{strangers[0][:20]}`", f"There are {', '.join(VALUES)}")
        steps = {step for name in self.fields for step in name.split(".")}
        if "" in steps or any(other.startswith(f"{name}.") for name in self.fields for other in self.fields):
            raise BadSetting("generic_http.fields", "a name is a text and an object at once, or empty", 'Write for example { "message.to" = "{to}" }')
