"""Hands a message to the configured relay by SMTP (RFC 5321), over TLS, and says whether a failure may pass."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from functools import lru_cache
from typing import Final

import aiosmtplib

from limen.platform.duties import Settings
from limen.platform.mail.errors import MailDeferred, MailRejected
from limen.platform.mail.message import Mail, composed, mailbox
from limen.platform.mail.settings import Relay, Server, relay

_ENHANCED: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_GOODBYE_SECONDS: Final = 2.0


async def send(settings: Settings, mail: Mail) -> None:
    """Deliver `mail` to the relay of `[mail]`; returns once the relay has taken it over.

    Errors: MailDeferred (try again), MailRejected (never as it is). After MailDeferred the relay may nevertheless have the message, when
    the connection broke before its last word: the next attempt carries the same Message-ID.
    """
    server = settings.of(Server)
    if not server.url:
        raise MailDeferred("no_relay_configured")
    message = composed(mail, _from(server.sender))
    try:
        async with asyncio.timeout(server.timeout):
            await _deliver(relay(server.url), server, message)
    except TimeoutError:
        raise MailDeferred("timed_out") from None


def _from(sender: str) -> Address:
    try:
        return mailbox(sender)
    except MailRejected:
        raise MailDeferred("malformed_sender") from None  # the operator's mistake: mended, the message still leaves


async def _deliver(way: Relay, server: Server, message: EmailMessage) -> None:
    client = aiosmtplib.SMTP(
        hostname=way.host,
        port=way.port,
        local_hostname=server.sender.rpartition("@")[2],
        timeout=server.timeout,
        use_tls=way.tls,
        start_tls=way.starttls,
        tls_context=_trust(server.ca_file) if way.tls or way.starttls else None,
    )
    try:
        await client.connect()
        if way.user:
            await client.login(way.user, server.password.reveal() if server.password else "")
        await client.send_message(message)
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await client.quit(timeout=_GOODBYE_SECONDS)  # it has the message: a relay that does not say goodbye changes nothing
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise _verdict(error) from error
    finally:
        client.close()


@lru_cache(maxsize=8)
def _trust(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)  # reads every certificate of the system: once, not per message
    except OSError as error:
        raise MailDeferred("ca_file_unreadable") from error


def _verdict(error: Exception) -> MailDeferred | MailRejected:
    """Judge a failure. What concerns this message (sender, recipient, content) and is 5xx is final; what concerns the relay passes."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return _verdict(error.recipients[0])
        case aiosmtplib.SMTPAuthenticationError():
            return MailDeferred(f"sign_in_refused {error.code}")
        case aiosmtplib.SMTPRecipientRefused() | aiosmtplib.SMTPDataError() if error.code >= 500:  # noqa: PLR2004 RFC 5321, 4.2.1
            return MailRejected(_reason(error))
        case aiosmtplib.SMTPResponseException():
            return MailDeferred(_reason(error))
        case aiosmtplib.SMTPNotSupported():
            return MailDeferred("relay_lacks_feature")
        case aiosmtplib.SMTPTimeoutError():
            return MailDeferred("timed_out")
        case _:
            return MailDeferred("tls_refused" if _is_tls(error) else "unreachable")


def _reason(error: aiosmtplib.SMTPResponseException) -> str:
    """`smtp 550 5.1.1`: the two codes only, since the text beside them tends to quote the address."""
    enhanced = _ENHANCED.match(error.message)
    return f"smtp {error.code} {enhanced[1]}" if enhanced else f"smtp {error.code}"


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
