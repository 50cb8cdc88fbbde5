"""What a command prints: plain for a file, in columns and colours for somebody who watches, and never what a terminal would obey."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from limen.platform.commands import Console, Style


class Terminal(io.StringIO):
    """A text that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asked for no colours."""
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_lines_and_their_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A style is seen on a terminal, and there only unless NO_COLOR says no."""
    plain, watched = io.StringIO(), Terminal()
    for file in (plain, watched):
        Console(file).say("it is ", ("open", Style.BOLD), ".")
    assert plain.getvalue() == "it is open.\n"
    assert watched.getvalue() == "it is \x1b[1mopen\x1b[0m.\n"
    monkeypatch.setenv("NO_COLOR", "1")
    again = Terminal()
    Console(again).say(("open", Style.BOLD))
    assert again.getvalue() == "open\n"


def test_tables() -> None:
    """Tabs for scripts, columns as wide as their widest cell for people."""
    plain, watched = io.StringIO(), Terminal()
    for file in (plain, watched):
        Console(file).table(("Client", "Kind"), [("shop", "web"), ("a-long-one", "service")])
    assert plain.getvalue() == "shop\tweb\na-long-one\tservice\n"
    assert watched.getvalue() == "\x1b[1mClient      Kind\x1b[0m\nshop        web\na-long-one  service\n"


@pytest.mark.parametrize("name", ["\x1b[2J", "a\rb", "a\nb", "a\tb", "\x9b2J"])
def test_a_name_commands_no_terminal(name: str) -> None:
    """What a stranger called an application is shown, not obeyed, and does not make two lines or cells of one."""
    for file in (io.StringIO(), Terminal()):
        Console(file).say(name)
        Console(file).table(("Name",), [(name,)])
        said = file.getvalue().replace("\x1b[1mName\x1b[0m\n", "")
        assert said.count("\ufffd") == 2
        assert said.count("\n") == 2


def test_progress_is_for_those_who_watch_and_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the first second, then one line that is written anew and gone at the end; a file hears nothing."""
    now = 100.0
    monkeypatch.setattr("limen.platform.commands.console.time", SimpleNamespace(monotonic=lambda: now))
    plain, watched = io.StringIO(), Terminal()
    for file in (plain, watched):
        now = 100.0
        with Console(io.StringIO(), file).status("copying") as status:
            now = 100.5
            status.update("copying: 1")
            assert file.getvalue() == ""
            now = 101.5
            status.update("copying: 2")
            now = 101.51
            status.update("copying: 3")
    assert plain.getvalue() == ""
    assert watched.getvalue() == "\r\x1b[Kcopying: 2\r\x1b[K"
