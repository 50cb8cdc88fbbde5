"""What tracing costs nobody, whom it believes, and what is wrong enough to refuse."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from limen.app import settings
from limen.app.reading import Misconfigured
from limen.platform.telemetry import TRACES, Log, RequestLog, Traced
from limen.platform.telemetry.settings import BadTraces
from limen.platform.telemetry.traces import called
from tests.platform.telemetry.test_logs import _restored, written
from tests.rig.spans import recorded

__all__ = ["_restored"]
pytestmark = pytest.mark.anyio

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
GIVEN = (b"traceparent", f"00-{TRACE}-{SPAN}-01".encode())
UNSAMPLED = (b"traceparent", f"00-{TRACE}-{SPAN}-00".encode())


def test_whose_word_says_what_is_recorded() -> None:
    """A stranger's flag changes nothing, in either direction; a trusted proxy's is followed where that is set, and its absence leaves it to the ratio."""
    for follows, trusted, headers, ratio, expected in (
        (True, False, [GIVEN], 0.0, False),
        (True, False, [UNSAMPLED], 1.0, True),
        (True, True, [GIVEN], 0.0, True),
        (True, True, [UNSAMPLED], 1.0, False),
        (False, True, [GIVEN], 0.0, False),
        (False, True, [UNSAMPLED], 1.0, True),
        (True, True, [], 1.0, True),
        (True, True, [], 0.0, False),
    ):
        with recorded(ratio=ratio, follows=follows):
            token = TRACES.arrive(headers, lambda trusted=trusted: trusted)
            assert TRACES.recording is expected, (follows, trusted, headers, ratio)
            assert TRACES.trace == (TRACE if headers else TRACES.trace)
            if token is not None:
                TRACES.leave(token)
            assert not TRACES.recording


def test_the_share_that_is_recorded() -> None:
    """Of many requests the share recorded is the ratio, whatever trace ids they come with."""
    count = 4_000
    with recorded(ratio=0.25) as spans:
        for _ in range(count):
            if (token := TRACES.arrive([GIVEN], lambda: False)) is not None:
                TRACES.leave(token)
        assert 0.2 < len(spans.take()) / count < 0.3


def test_what_traceparent_may_be() -> None:
    """W3C Trace Context, section 3.2.2: two fields are none, later versions may say more, the flags are bits."""
    assert called([GIVEN, UNSAMPLED]) is None
    assert called([(b"tracestate", b"a=b")]) is None
    later = called([(b"traceparent", f"cc-{TRACE}-{SPAN}-03-what-may-come".encode())])
    assert later is not None
    assert (later.trace, later.span, later.sampled) == (TRACE, SPAN, True)
    for wrong in ("", "00", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-{SPAN}-1", f"00-{TRACE}-{SPAN}-01\n", f"00-{TRACE}-{SPAN}-01-", f"00_{TRACE}-{SPAN}-01"):
        assert called([(b"traceparent", wrong.encode())]) is None, wrong


async def test_what_outlives_a_request_is_no_part_of_it() -> None:
    """A task that a request left behind is not recorded once the request is over, and its log lines name no trace."""
    over = asyncio.Event()

    async def later() -> tuple[bool, str]:
        await over.wait()
        return TRACES.recording, TRACES.trace

    with recorded():
        token = TRACES.arrive([GIVEN], lambda: False)
        assert token is not None
        task = asyncio.create_task(later())
        TRACES.leave(token)
        over.set()
        assert await task == (False, "")


async def test_log_lines_name_their_trace(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines of a request carry its trace's id, the caller's too where nothing is recorded; others have no such word."""
    stream = written()
    logger = structlog.stdlib.get_logger("limen.test")
    requests = RequestLog(Log(), dev=False)
    with recorded(ratio=0.0):
        logger.warning("outside")
        token = TRACES.arrive([GIVEN], lambda: False)
        assert token is not None
        logger.warning("inside")
        requests.note("GET", "/signin", 200, 0.001, "acme")
        TRACES.leave(token)
        requests.note("GET", "/signin", 200, 0.001, "acme")
        requests.flush()
    outside, inside = map(json.loads, stream.getvalue().splitlines())
    assert "trace_id" not in outside
    assert inside["trace_id"] == TRACE
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first.pop("trace_id") == TRACE
    assert first.keys() == second.keys()


def test_a_failure_is_told_by_its_type() -> None:
    """What an exception says may hold what somebody entered: the span has its type alone."""
    with recorded() as spans:
        with pytest.raises(LookupError), TRACES.root("job x", "consumer", {}), TRACES.span("inside", "client", {}):
            raise LookupError("ada@example.com")
        assert "ada" not in spans.raw()
        inside, job = spans.take()
    assert (inside.failed, inside.attributes, job.failed, inside.parent) == (True, {"error.type": "LookupError"}, True, job.id)


def test_where_spans_go() -> None:
    """An address without a path gets OTLP's; off is the default."""
    assert Traced().address == ""
    assert Traced(endpoint="http://127.0.0.1:4318").address == "http://127.0.0.1:4318/v1/traces"
    assert Traced(endpoint="http://127.0.0.1:4318/").address == "http://127.0.0.1:4318/v1/traces"
    assert Traced(endpoint="https://otel.example/in/traces").address == "https://otel.example/in/traces"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('endpoint = "127.0.0.1:4318"', "no web address"),
        ('endpoint = "grpc://127.0.0.1:4317"', "no web address"),
        ('endpoint = "http://127.0.0.1:notaport"', "no web address"),
        ('endpoint = "https://user:hunter2@otel.example"', "OTEL_EXPORTER_OTLP_HEADERS"),
        ("ratio = 1.5", "between 0 and 1"),
        ("ratio = -0.1", "between 0 and 1"),
        ("ratio = nan", "between 0 and 1"),
        ('service = ""', "must be a name"),
        ('endpiont = "http://127.0.0.1:4318"', "nearest known name is `endpoint`"),
    ],
)
def test_what_cannot_be_meant_is_refused(lines: str, said: str, tmp_path: Path) -> None:
    """Each mistake in [traces] ends the start with what to write, and never shows a password."""
    file = tmp_path / "limen.toml"
    file.write_text(f'[server]\nmode = "dev"\n[traces]\n{lines}\n')
    with pytest.raises(Misconfigured) as refused:
        settings.load(file, {})
    assert said in str(refused.value.operator)
    assert "hunter2" not in str(refused.value.operator)


def test_an_endpoint_without_a_path_is_checked_when_made() -> None:
    """The dataclass refuses it too, whoever makes it."""
    with pytest.raises(BadTraces):
        Traced(endpoint="nowhere")


_WITHOUT_SDK = """
import sys

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[:2] in (["opentelemetry", "sdk"], ["opentelemetry", "exporter"]):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Gone())
from limen.app.cli import main
main()
"""


def test_a_server_told_to_trace_without_the_sdk_does_not_start(tmp_path: Path) -> None:
    """One sentence names the extra; nothing is served. Without [traces] the same server has no need of it."""
    config = tmp_path / "limen.toml"
    config.write_text('[server]\nmode = "dev"\nlisten = "127.0.0.1:0"\n[traces]\nendpoint = "http://127.0.0.1:4318"\n')
    program = [sys.executable, "-c", _WITHOUT_SDK]
    made = subprocess.run([*program, "init", "--config", str(config)], capture_output=True, text=True, timeout=60, check=False)
    assert made.returncode == 0, made.stderr
    served = subprocess.run([*program, "serve", "--config", str(config)], capture_output=True, text=True, timeout=60, check=False)
    assert served.returncode != 0
    assert "limen[otel]" in served.stderr
    assert "Traceback" not in served.stderr


def test_a_server_that_does_not_trace_imports_nothing_for_it() -> None:
    """Neither the API nor the SDK: they cost a tenth of a second."""
    code = "import sys, limen.app.compose; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
