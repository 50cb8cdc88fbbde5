"""A message as a value, and its form on the wire (RFC 5322), in which no value can break out of its header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage

from email_validator import EmailNotValidError, validate_email

from limen.platform.mail.errors import MailRejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message to one person; both forms say the same."""

    id: str
    """Becomes the Message-ID. The same for every attempt, so that a second delivery after a crash can be told from a second message."""
    date: datetime
    to: str
    """An address alone (`anna@example.com`), no display name."""
    subject: str
    text: str
    html: str = ""
    sender: str = ""
    """Display name before the configured address; usually the name of the service."""
    language: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def mailbox(address: str) -> Address:
    """Parse an address (RFC 5321, 6531), its domain in ASCII form (IDNA 2008); MailRejected if it is none."""
    try:
        found = validate_email(address, check_deliverability=False, globally_deliverable=False, allow_display_name=False)
    except EmailNotValidError:
        raise MailRejected("malformed_address") from None
    return Address(username=found.local_part, domain=found.ascii_domain)


def composed(mail: Mail, sender: Address) -> EmailMessage:
    """Return the message from `sender`; MailRejected where a value does not fit its header (a line break, say)."""
    to = mailbox(mail.to)
    message = EmailMessage(policy=policy.SMTP)
    try:
        message["From"] = Address(mail.sender or sender.display_name, sender.username, sender.domain)
        message["To"] = to
        message["Subject"] = mail.subject
        message["Date"] = mail.date
        message["Message-ID"] = f"<{mail.id}@{sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers to a machine
        for name, value in mail.headers.items():
            message[name] = value
    except (ValueError, IndexError) as error:  # IndexError: how the parser meets some malformed values
        raise MailRejected("malformed_header") from error
    return _with_bodies(message, mail)


def _with_bodies(message: EmailMessage, mail: Mail) -> EmailMessage:
    message.set_content(mail.text, cte="quoted-printable")  # seven bits: no relay on the way has to re-encode it
    if mail.html:
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    if mail.language:
        message["Content-Language"] = mail.language  # set_content clears every header of that family: last
    return message
