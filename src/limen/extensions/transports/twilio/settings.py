"""An account with Twilio, or with a provider that answers like it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import urlsplit

from limen.kernel.secrets import Secret
from limen.platform.duties import BadSetting

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
SERVICE: Final = re.compile(r"MG[0-9a-f]{32}")
NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`[twilio]`: messages and calls by Twilio's API of 2010-04-01, or one of its shape."""

    section: ClassVar[str] = "twilio"
    account: str = ""
    """The account's SID (`AC...`). Empty: not set up."""
    key: str = ""
    """SID of an API key (`SK...`), whose secret `secret` is then; empty: the account's own."""
    secret: Secret[str] | None = None
    """The account's auth token, or the key's secret; `env:NAME` keeps it out of the file."""
    sender: str = ""
    """What text messages come from: a number in E.164, a sender's name, or a messaging service (`MG...`)."""
    caller: str = ""
    """The number calls come from, in E.164; empty: `sender`, where that is a number."""
    origin: str = "https://api.twilio.com"
    """Where the API is; another provider's, or on this machine in dev mode a trial's."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.origin)
        local = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if not parts.hostname or not (parts.scheme == "https" or local) or parts.path.strip("/") or parts.query:
            raise BadSetting("twilio.origin", "is no https:// address without a path", 'Leave it out, or write "https://api.example.com"')
        for name in ("account", "key"):
            if (value := getattr(self, name)) and not _SID.fullmatch(value):
                raise BadSetting(f"twilio.{name}", "is no SID", "Copy it from the provider's console")
        if self.account and (self.secret is None or not self.sender):
            raise BadSetting("twilio.sender" if self.secret else "twilio.secret", "is missing", 'Write secret = "env:NAME" and sender = "+15550001111"')
        if self.caller and not NUMBER.fullmatch(self.caller):
            raise BadSetting("twilio.caller", "is no number in E.164", 'Write "+15550001111"')
