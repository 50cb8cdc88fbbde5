"""Trouble that repeats itself is told once, then every ten seconds with its number."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from limen.platform.telemetry import Repeats


class Log:
    """Keeps what was logged, and a clock that is turned."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.lines: list[dict[str, object]] = []
        monkeypatch.setattr("limen.platform.telemetry.repeats.time", SimpleNamespace(monotonic=lambda: self.now))

    def warning(self, event: str, **words: object) -> None:
        assert event == "trouble"
        self.lines.append(words)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """A log to look into."""
    return Log(monkeypatch)


def test_a_thousand_times_the_same(log: Log) -> None:
    """The first is told at once; what came within ten seconds is the number of the next line, and of a last one at the end."""
    trouble = Repeats(log.warning, "trouble")
    for _ in range(1000):
        trouble.say(("away", "nobody answers"), route="/a")
    assert log.lines == [{"route": "/a"}]
    log.now += 10
    trouble.say(("away", "nobody answers"), route="/b")
    assert log.lines[1:] == [{"route": "/b", "again": 999}]
    trouble.say(("away", "nobody answers"), route="/c")
    trouble.close()
    assert log.lines[2:] == [{"route": "/c", "again": 1}]
    trouble.close()
    assert len(log.lines) == 3


def test_another_trouble_is_told_beside_it(log: Log) -> None:
    """A reason of its own is a line of its own."""
    trouble = Repeats(log.warning, "trouble")
    for _ in range(3):
        for reason in ("away", "full"):
            trouble.say(("code", reason), reason=reason)
    assert log.lines == [{"reason": "away"}, {"reason": "full"}]


def test_reasons_without_end_do_not_fill_memory_or_log(log: Log) -> None:
    """From two hundred kinds on all others are one."""
    trouble = Repeats(log.warning, "trouble")
    for number in range(10_000):
        trouble.say(("code", str(number)), number=number)
    assert [line["number"] for line in log.lines] == list(range(201))
    trouble.close()
    assert log.lines[-1] == {"number": 9999, "again": 9799}
