"""What logs hold, and what they never do."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from limen.kernel.secrets import Secret
from limen.platform.telemetry import HIDDEN, Log, RequestLog, clean, set_up

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Leave the process's loggers as they were."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    before = structlog.get_config()
    chain = list(before["processors"])
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    before["processors"][:] = chain
    structlog.configure(**before)


def written(*, dev: bool = False, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    set_up(Log(level=level), dev=dev, stream=stream)  # type: ignore[arg-type]  # one of its levels
    return stream


@pytest.mark.parametrize(
    "text",
    [
        "lmn_rt_0123456789abcdef",
        "bearer lmn_at_AbCdEf-_12345 was refused",
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhY2NfMSJ9.c2lnbmF0dXJl",
        "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d",
        "from ada.lovelace+shop@example.co.uk to",
        "identifier=ada%40example.com",
        "GET /cb?code=hunter2&state=x",
        "https://app.example/cb?code=hunter2",
        "postgresql://limen:hunter2@db/limen",
        "<Ada@Example.com>",
        "ärger@bücher.example",
    ],
)
def test_secrets_and_addresses_are_taken_out_of_texts(text: str) -> None:
    """Tokens by prefix and by look, e-mail addresses, queries, passwords in addresses."""
    cleaned = clean(text)
    assert HIDDEN in cleaned
    for secret in ("0123456789", "AbCdEf", "c2lnbmF0dXJl", "ada", "lovelace", "Example.com", "hunter2", "bücher"):
        assert secret not in cleaned


@pytest.mark.parametrize(
    "text", ["listening on http://127.0.0.1:8400", "limen_token is no key", "acc_01jd", "what? why", "5 @ 3", "a.b.c", "eyJ", "/t/acme/oauth/token"]
)
def test_other_texts_stay(text: str) -> None:
    """What an operator needs is left alone."""
    assert clean(text) == text


def test_values_are_hidden_by_their_key() -> None:
    """Whatever a key like password, email or authorization holds, however deep; a Secret and bytes under any key."""
    stream = written()
    structlog.get_logger("x").info(
        "sent", password="p1-value", Client_Secret="p2-value", email="p3-value", tenant="acme", count=3, blob=b"p4-value", held=Secret("p5-value"),
        inner={"Authorization": "p6-value", "list": [{"access_token": "p7-value", "route": "/x"}]}, token_type="Bearer", **{"set-cookie": "p8-value"},
    )  # fmt: skip
    line = json.loads(stream.getvalue())
    assert "-value" not in stream.getvalue()
    assert (line["tenant"], line["count"], line["token_type"], line["level"], line["event"]) == ("acme", 3, "Bearer", "info", "sent")
    assert line["inner"]["list"][0]["route"] == "/x"


def test_libraries_write_into_the_same_stream() -> None:
    """The standard library's loggers, uvicorn's among them, come out as the same lines, redacted, arguments too."""
    stream = written()
    logging.getLogger("uvicorn.error").warning("Started for %s", "ada@example.com")
    logging.getLogger("uvicorn.access").info("GET /signin?journey=x")
    logging.getLogger("some.library").warning("token lmn_rt_0123456789abcdef")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == [f"Started for {HIDDEN}", f"token {HIDDEN}"]
    assert [line["logger"] for line in lines] == ["uvicorn.error", "some.library"]


@pytest.mark.parametrize("dev", [True, False])
def test_a_trace_is_logged_without_its_secrets(*, dev: bool) -> None:
    """Traces carry no local variables, and messages of exceptions are cleaned like any text."""
    stream = written(dev=dev)

    def fail(local: str) -> None:
        raise RuntimeError(f"for ada@example.com: {len(local)}")

    try:
        fail("local" + "-value")
    except RuntimeError:
        structlog.get_logger("x").exception("broken", reference="123")
    assert "Traceback" in stream.getvalue()
    assert "RuntimeError" in stream.getvalue()
    assert "ada@" not in stream.getvalue()
    assert "local-value" not in stream.getvalue()


def test_levels_and_looks() -> None:
    """Below the level nothing is written; dev mode is for eyes, production for machines."""
    stream = written(level="warning")
    structlog.get_logger("x").info("quiet")
    structlog.get_logger("x").warning("loud")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]
    stream = written(dev=True)
    structlog.get_logger("x").info("hello", tenant="acme")
    assert not stream.getvalue().startswith("{")
    assert "tenant=acme" in stream.getvalue()


async def test_a_line_for_each_request() -> None:
    """Route, status, time and tenant, soon after; the setting leaves out the good ones or all."""
    stream = io.StringIO()
    log = RequestLog(Log(), dev=False, stream=stream)
    log.note("POST", "/oauth/token", 200, 0.0123, "acme")
    assert stream.getvalue() == ""
    await asyncio.sleep(0.3)
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "event": "request", "method": "POST", "route": "/oauth/token", "status": 200, "ms": 12.3, "tenant": "acme"}
    for requests, expected in (("all", [200, 500]), ("failures", [500]), ("none", [])):
        stream = io.StringIO()
        log = RequestLog(Log(requests=requests), dev=False, stream=stream)  # type: ignore[arg-type]  # one of its words
        log.note("GET", "/a", 200, 0.0, "acme")
        log.note("GET", "/a", 500, 0.0, "acme")
        log.flush()
        assert [json.loads(one)["status"] for one in stream.getvalue().splitlines()] == expected


async def test_many_lines_are_written_before_they_pile_up() -> None:
    """A burst does not wait for the clock."""
    stream = io.StringIO()
    log = RequestLog(Log(), dev=True, stream=stream)
    for _ in range(700):
        log.note("GET", "/a", 200, 0.0, "acme")
    assert len(stream.getvalue().splitlines()) >= 500
    log.flush()
    assert len(stream.getvalue().splitlines()) == 700
