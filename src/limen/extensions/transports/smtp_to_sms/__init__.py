"""The transport for gateways that take mail: the number is in the address, the message is the text."""

from __future__ import annotations

from typing import Final

from limen.extensions.transports.smtp_to_sms.settings import Server
from limen.modules.notices import SMS, Text, Transport, TryLater
from limen.platform.mail import Mail

__all__ = ["EXTENSION"]


def _write(text: Text, settings: object) -> Mail | TryLater:
    if not isinstance(settings, Server) or not settings.address:
        return TryLater("not_configured")
    to = settings.address.replace("{number}", text.to.removeprefix("+")).replace("{to}", text.to)
    return Mail(id=text.id, date=text.at, to=to, subject=settings.subject, text=text.text, sender=text.service, language=text.language)


EXTENSION: Final = Transport(
    name="smtp_to_sms",
    channels=frozenset({SMS}),
    settings=Server,
    trial=lambda _: Server(address="{number}@sms.example.com"),
    write=_write,
)
