"""The transport for gateways that take mail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from limen.extensions.transports.smtp_to_sms import EXTENSION
from limen.extensions.transports.smtp_to_sms.settings import Server
from limen.modules.notices import SMS, Text
from limen.platform.duties import BadSetting
from limen.platform.mail import Mail

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "to"),
    [
        ("{number}@sms.example.com", "4915112345678@sms.example.com"),
        ("{to}@sms.example.com", "+4915112345678@sms.example.com"),
        ("x.{number}@a.b", "x.4915112345678@a.b"),
    ],
)
def test_the_number_is_in_the_address(address: str, to: str) -> None:
    """Digits alone, or with the plus; the words are the mail's only body, and each attempt has the same identity."""
    text = Text(id="job_1", to="+4915112345678", channel=SMS, text="words", language="de", service="Acme", at=AT)
    assert EXTENSION.write(text, Server(address=address)) == Mail(id="job_1", date=AT, to=to, subject="", text="words", sender="Acme", language="de")


@pytest.mark.parametrize("address", ["sms@example.com", "{number}", "{number}@", "{phone}@sms.example.com", "{number}@a@b", "{number}@a\r\nb"])
def test_what_names_no_address_is_refused_at_start(address: str) -> None:
    """Without the number in it every message would go to one place."""
    with pytest.raises(BadSetting):
        Server(address=address)
