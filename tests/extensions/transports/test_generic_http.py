"""The transport for gateways of any make."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from limen.extensions.transports.generic_http import EXTENSION
from limen.extensions.transports.generic_http.settings import Server
from limen.kernel.secrets import Secret
from limen.modules.notices import SMS, Post, Text
from limen.platform.duties import BadSetting

TEXT = Text(id="job_1", to="+4915112345678", channel=SMS, text='say "{to}"', language="de", service="Acme", at=datetime(2026, 3, 1, tzinfo=UTC))
URL = "https://sms.example.com/send"


def posted(fields: dict[str, str] | None = None) -> Post:
    usual = Server(url=URL, secret=Secret("s3cret"))
    found = EXTENSION.write(TEXT, replace(usual, fields=fields) if fields else usual)
    assert isinstance(found, Post)
    return found


def test_fields_are_the_operator_s() -> None:
    """Texts with places, objects by dots; what a value holds is no place again."""
    body = msgspec.json.decode(posted(fields={"message.to": "{to}", "message.body": "{text}", "from": "Acme", "ref": "{channel}/{id}"}).body)
    assert body == {"message": {"to": "+4915112345678", "body": 'say "{to}"'}, "from": "Acme", "ref": "sms/job_1"}


def test_the_usual_fields_and_headers() -> None:
    """Without a word of the operator: number, words, channel, language and identity, under the bearer secret."""
    post = posted()
    assert msgspec.json.decode(post.body) == {"to": "+4915112345678", "text": 'say "{to}"', "channel": "sms", "language": "de", "id": "job_1"}
    assert post.headers == {"authorization": "Bearer s3cret", "idempotency-key": '"job_1"'}
    assert "s3cret" not in repr(post)
    assert "15112345678" not in repr(post)


WRONG = (
    ({"url": "http://sms.example.com/send"}, "https"),
    ({"url": "ftp://sms.example.com"}, "https"),
    ({"fields": {"to": "{number}"}}, "number"),
    ({"fields": {"a": "{to}", "a.b": "{text}"}}, "at once"),
    ({"fields": {"a..b": "{to}"}}, "empty"),
)


@pytest.mark.parametrize(("own", "why"), WRONG)
def test_what_cannot_work_is_refused_at_start(own: dict[str, object], why: str) -> None:
    """Clear text over the network, values there are not, names that contradict each other."""
    with pytest.raises(BadSetting, match=why):
        Server(**{"url": URL, "secret": Secret("s3cret"), **own})  # type: ignore[arg-type] # the wrong values are of the right types


def test_a_gateway_needs_its_secret() -> None:
    """And one that a header can carry."""
    for secret in (None, Secret("a\r\nb"), Secret("\u00fc")):
        with pytest.raises(BadSetting, match="secret"):
            Server(url=URL, secret=secret)
