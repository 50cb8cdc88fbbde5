"""The transport for Twilio and its like."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import pytest

from limen.extensions.transports.twilio import EXTENSION
from limen.extensions.transports.twilio.settings import Server
from limen.kernel.secrets import Secret
from limen.modules.notices import SMS, VOICE, Answer, Never, Post, Sent, Text, TryLater
from limen.platform.duties import BadSetting

ACCOUNT = "AC0123456789abcdef0123456789abcdef"
SERVICE = "MG0123456789abcdef0123456789abcdef"


def posted(server: Server, channel: str = SMS, language: str = "de") -> Post | TryLater | object:
    text = Text(id="job_1", to="+4915112345678", channel=channel, text="a & <b>", language=language, service="Acme", at=datetime(2026, 3, 1, tzinfo=UTC))
    return EXTENSION.write(text, server)


def server(sender: str = "+15005550006", **own: str) -> Server:
    return Server(account=ACCOUNT, secret=Secret("t0ken"), sender=sender, **own)


def form(post: object) -> dict[str, str]:
    assert isinstance(post, Post)
    return {name: values[0] for name, values in parse_qs(post.body.decode(), strict_parsing=True).items()}


def test_a_message_is_a_form_under_the_account() -> None:
    """To, From and Body, with the account and its token; a messaging service and an API key where they are set."""
    post = posted(server())
    assert isinstance(post, Post)
    assert post.url == f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert form(post) == {"To": "+4915112345678", "From": "+15005550006", "Body": "a & <b>"}
    assert b64decode(post.headers["authorization"].removeprefix("Basic ")).decode() == f"{ACCOUNT}:t0ken"
    assert form(posted(server(SERVICE))) == {"To": "+4915112345678", "MessagingServiceSid": SERVICE, "Body": "a & <b>"}
    keyed = posted(server(key="SK1"))
    assert isinstance(keyed, Post)
    assert b64decode(keyed.headers["authorization"].removeprefix("Basic ")).decode() == "SK1:t0ken"


@pytest.mark.parametrize(("language", "voice"), [("de", "de-DE"), ("en", "en-GB"), ("ar", "arb"), ("pt-BR", "pt-BR"), ("xx", None)])
def test_a_call_says_the_words(language: str, voice: str | None) -> None:
    """In the language's voice, as text whatever signs it has."""
    said = ET.fromstring(form(posted(server(), VOICE, language))["Twiml"]).find("Say")  # noqa: S314 - our own
    assert said is not None
    assert (said.get("language"), said.text) == (voice, "a & <b>")


def test_a_call_comes_from_a_number() -> None:
    """A sender's name or service cannot call; `caller` can."""
    assert posted(server(SERVICE), VOICE) == TryLater("no_caller_configured")
    assert form(posted(server("Acme", caller="+15005550007"), VOICE))["From"] == "+15005550007"


def test_its_own_numbers_are_the_reason() -> None:
    """201 is taken over; a refusal's number is told, its words never; a full queue passes."""
    assert EXTENSION.judge(Answer(201, {}, b'{"sid": "SM1", "status": "queued"}')) == Sent()
    assert EXTENSION.judge(Answer(400, {}, b'{"code": 21211, "message": "The To number +49 is not valid"}')) == Never("twilio 21211")
    assert EXTENSION.judge(Answer(400, {}, b'{"code": 21611, "message": "queue"}')) == TryLater("twilio 21611")
    assert EXTENSION.judge(Answer(404, {}, b"<html>")) == Never("status 404")
    assert EXTENSION.judge(Answer(401, {}, b'{"code": 20003}')) == TryLater("sign_in_refused 401")


WRONG = ({"origin": "http://api.example.com"}, {"origin": "https://api.example.com/x"}, {"account": "AC/../x"}, {"caller": "Acme"}, {"sender": ""})


@pytest.mark.parametrize("own", WRONG)
def test_what_cannot_work_is_refused_at_start(own: dict[str, str]) -> None:
    """Clear text over the network, a path in the account, a caller without a number, no sender."""
    with pytest.raises(BadSetting):
        Server(**{"account": ACCOUNT, "sender": "+15005550006", **own}, secret=Secret("t0ken"))
