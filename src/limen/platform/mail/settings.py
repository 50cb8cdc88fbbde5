"""`[mail]` of limen.toml."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import SplitResult, unquote, urlsplit

from limen.kernel.secrets import Secret
from limen.platform.duties import BadSetting
from limen.platform.mail.errors import MailRejected
from limen.platform.mail.message import mailbox

_PORTS: Final = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_SHAPE: Final = 'write it as "smtps://user@host:465" or "smtp+starttls://user@host:587"'
_LONGEST_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """`url` taken apart."""

    host: str
    port: int
    user: str
    tls: bool
    starttls: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`[mail]`: how messages leave. In dev mode they never do: they land in the mailbox under `/dev/mailbox`."""

    section: ClassVar[str] = "mail"

    url: str = ""
    """`smtps://user@host:465`, `smtp+starttls://user@host:587`, or `smtp://` on loopback only. Empty: messages wait in the outbox."""
    password: Secret[str] | None = None
    """For the user of `url`; `env:NAME` keeps it out of the file."""
    sender: str = "no-reply@localhost"
    """The address messages come from; the name beside it is the tenant's."""
    ca_file: str = ""
    """Certificates to trust in place of the system's, for a relay with a private one (PEM)."""
    timeout: int = 20
    """Seconds for a whole delivery, from connecting to the relay's last word."""

    def __post_init__(self) -> None:
        if self.url:
            relay(self.url)
            try:
                mailbox(self.sender)
            except MailRejected:
                raise BadSetting("mail.sender", f"{self.sender!r} is no address", 'write it as "no-reply@example.com"') from None
        if not 0 < self.timeout <= _LONGEST_SECONDS:
            raise BadSetting("mail.timeout", f"must lie between 1 and {_LONGEST_SECONDS} seconds", "20 is usual")


def relay(url: str) -> Relay:
    """Take `url` apart; BadSetting says what is wrong with it. Plain SMTP never leaves loopback, with a password or without."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in _PORTS:
        raise BadSetting("mail.url", f"{parts.scheme or url!r} is not smtps, smtp+starttls or smtp", _SHAPE)
    if not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise BadSetting("mail.url", "it names no relay", _SHAPE)
    if parts.password is not None:
        raise BadSetting("mail.url", "a password does not belong here", 'set mail.password = "env:NAME"')
    if parts.scheme == "smtp" and not _is_loopback(host):
        raise BadSetting("mail.url", "smtp:// would send codes in clear; it is for loopback only", "use smtps:// or smtp+starttls://")
    return Relay(host=host, port=_port(parts), user=unquote(parts.username or ""), tls=parts.scheme == "smtps", starttls=parts.scheme == "smtp+starttls")


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or _PORTS[parts.scheme]
    except ValueError:
        raise BadSetting("mail.url", "the port is not a number up to 65535", _SHAPE) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
