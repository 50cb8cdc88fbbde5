"""The transport for Twilio and providers of its shape: a form by POST with basic authentication, answered 201 and JSON.

What the provider refuses for good has a number of its own beside status 400, which is the reason the log gets.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import msgspec

from limen.extensions.transports.twilio.settings import NUMBER, SERVICE, Server
from limen.kernel.secrets import Secret
from limen.modules.notices import SMS, VOICE, Answer, Never, Outcome, Post, Text, Transport, TryLater, by_status

__all__ = ["EXTENSION"]

_API: Final = "/2010-04-01/Accounts"
_FULL: Final = frozenset({14107, 20429, 21611, 30001, 63018})
"""Numbers of refusals that pass: its queue is full, or too many at once."""
_VOICES: Final = {"en": "en-GB", "de": "de-DE", "ar": "arb"}
"""What it calls the languages that pages speak."""


class _Trouble(msgspec.Struct, frozen=True):
    """What it says of a refusal; its words are not read, since they quote the number."""

    code: int = 0


_decode: Final = msgspec.json.Decoder(_Trouble).decode


def _write(text: Text, settings: object) -> Post | TryLater:
    if not isinstance(settings, Server) or not settings.account or settings.secret is None:
        return TryLater("not_configured")
    fields: Mapping[str, str]
    if text.channel == VOICE:
        caller = settings.caller or settings.sender
        if not NUMBER.fullmatch(caller):
            return TryLater("no_caller_configured")
        path, fields = "Calls", {"To": text.to, "From": caller, "Twiml": _said(text)}
    else:
        of = "MessagingServiceSid" if SERVICE.fullmatch(settings.sender) else "From"
        path, fields = "Messages", {"To": text.to, of: settings.sender, "Body": text.text}
    shown = base64.b64encode(f"{settings.key or settings.account}:{settings.secret.reveal()}".encode()).decode()
    return Post(
        url=f"{settings.origin.rstrip('/')}{_API}/{settings.account}/{path}.json",
        body=urlencode(fields).encode(),
        media_type="application/x-www-form-urlencoded",
        headers={"authorization": f"Basic {shown}", "accept": "application/json"},
    )


def _said(text: Text) -> str:
    """Return what its voice is to say (TwiML); the words are text there, whatever they hold."""
    voice = text.language if "-" in text.language else _VOICES.get(text.language, "")
    attribute = f' language="{escape(voice, {chr(34): "&quot;"})}"' if voice else ""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response><Pause length="1"/><Say{attribute}>{escape(text.text)}</Say></Response>'


def _judge(answer: Answer) -> Outcome:
    verdict = by_status(answer)
    if not isinstance(verdict, Never):
        return verdict
    try:
        code = _decode(answer.body).code
    except (msgspec.DecodeError, RecursionError):
        return verdict
    if code in _FULL:
        return TryLater(f"twilio {code}")
    return Never(f"twilio {code}") if code else verdict


EXTENSION: Final = Transport(
    name="twilio",
    channels=frozenset({SMS, VOICE}),
    settings=Server,
    trial=lambda origin: Server(account="ACtrial", secret=Secret("trial-secret"), sender="+15005550006", origin=origin),
    write=_write,
    judge=_judge,
)
