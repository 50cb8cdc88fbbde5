"""What is typed at `limen`: every mistake is told in one line that says what to write instead."""

from __future__ import annotations

import enum
import subprocess
import sys
import time
from pathlib import Path

import pytest

from limen.app import cli, helping
from limen.app.arguments import Misspelt, Spec, parse
from limen.kernel.errors import LimenError


class Colour(enum.Enum):
    """Some values."""

    RED = "red"
    GREEN = "green"


def paint(
    thing: str, times: int = 1, /, *more: Path, colour: Colour | None = None, dry_run: bool = False, layer: tuple[str, ...] = (), inside: str = ""
) -> None:
    """Paint a thing.

    And then another.

    Parameters
    ----------
    thing
        What to paint.
    times
        How often.
    more
        Files.
    colour
        Which colour; some
        prefer red.
    dry_run
        Paint nothing.
    layer
        A layer below.
    """


PAINT = Spec.of("paint", paint)


@pytest.mark.parametrize(
    ("words", "args", "kwargs"),
    [
        (["wall"], ["wall"], {}),
        (["wall", "3"], ["wall", 3], {}),
        (["wall", "3", "a", "b"], ["wall", 3, Path("a"), Path("b")], {}),
        (["--colour", "red", "wall"], ["wall"], {"colour": Colour.RED}),
        (["wall", "--colour=green", "--dry-run"], ["wall"], {"colour": Colour.GREEN, "dry_run": True}),
        (["wall", "--layer", "x", "--layer=y"], ["wall"], {"layer": ("x", "y")}),
        (["wall", "--inside", "z"], ["wall"], {"inside": "z"}),
        (["--", "--wall"], ["--wall"], {}),
        (["-"], ["-"], {}),
        (["wall", "-3"], None, "has no option -3"),
        (["wall", "--", "-3"], ["wall", -3], {}),
        ([], None, "needs THING: What to paint. Write limen paint THING"),
        (["wall", "often"], None, "TIMES: `often` is no whole number"),
        (["wall", "\u0663"], None, "no whole number"),
        (["wall", "--colr", "red"], None, "no option --colr. Did you mean --colour? See limen paint --help"),
        (["wall", "--colour", "rd"], None, "`rd` is none of red, green. Did you mean red?"),
        (["wall", "--colour"], None, "--colour needs a value: --colour red|green"),
        (["wall", "--colour", "--dry-run"], None, "--colour needs a value"),
        (["wall", "--colour=red", "--colour=red"], None, "--colour stands there twice"),
        (["wall", "--dry-run=yes"], None, "--dry-run takes no value"),
        (["wall", "--insid", "z"], None, "no option --insid. See"),
    ],
)
def test_words_and_options(words: list[str], args: list[object] | None, kwargs: dict[str, object] | str) -> None:
    """What a signature allows is read; anything else is refused with what would be right, and what is not explained is not suggested."""
    if args is None:
        with pytest.raises(Misspelt) as refused:
            parse(PAINT, words)
        assert str(kwargs) in str(refused.value)
        return
    parsed = parse(PAINT, words)
    assert (parsed.args, parsed.kwargs) == (args, kwargs)


def test_a_word_too_many() -> None:
    """A word nobody asked for is named, with how the command is written."""
    with pytest.raises(Misspelt, match=r"does not know what to do with `b`\. Write limen one THING"):
        parse(Spec("one", "", PAINT.parameters[:1]), ["a", "b"])


def test_help_of_a_command() -> None:
    """The docstring is the help: words, options with the shape of their values, nothing of what is the house's own."""
    page = helping.page(PAINT)
    assert page.startswith("Paint a thing. And then another.\n")
    assert "limen paint THING [TIMES] [MORE ...] [options]" in page
    assert "--colour red|green" in page
    assert "Which colour; some prefer red." in page
    assert "A layer below. May be given several times." in page
    assert "inside" not in page


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command and each verb of each group has a page of help, in which every word has its explanation."""
    known = cli.entries()
    assert {"init", "serve", "demo", "apply", "export", "check", "upgrade", "backup", "restore", "client", "account", "key", "audit", "outbox"} <= known.keys()
    cli.run([])
    overview = capsys.readouterr().out
    for name, entry in known.items():
        assert entry.words.endswith("."), name
        assert f"  {name} " in overview
        cli.run([name, "--help"])
        said = capsys.readouterr().out
        assert said.count("\n") >= 3
        if entry.group:
            from limen.app import groups  # noqa: PLC0415 - as the command itself does it

            for verb, (spec, _) in groups.verbs_of(entry).items():
                assert f"  {verb} " in said
                assert spec.summary.endswith(".")
                assert [one.spelled for one in spec.parameters if not one.words] == [], f"limen {name} {verb}"
                cli.run([name, verb, "--help"])
                assert "limen.toml" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["srve"], "there is no command `srve`. Did you mean serve?"),
        (["xyzzy"], "there is no command `xyzzy`. limen --help lists them"),
        (["client", "ad"], "`limen client` has no verb `ad`. Did you mean add? There are add, list"),
        (["serve", "--prot", "1"], "Did you mean --port?"),
        (["apply"], "needs FILE"),
        (["client", "add", "x", "wob"], "Did you mean web?"),
    ],
)
def test_what_is_nearest_is_suggested(words: list[str], says: str) -> None:
    """A typing error is answered with the nearest name."""
    with pytest.raises(Misspelt) as refused:
        cli.run(words)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("error", "status", "lines"),
    [
        (Misspelt("there is no command `x`."), 2, ["limen: there is no command `x`."]),
        (LimenError("public", operator="what happened: do this"), 1, ["limen: what happened: do this [broken]"]),
        (LimenError("one\ntwo"), 1, ["limen: one", "limen: two [broken]"]),
        (KeyboardInterrupt(), 130, []),
    ],
)
def test_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, status: int, lines: list[str]) -> None:
    """2 for what was misspelt, 1 for what was refused or failed, 130 for an interruption; one line for each thing to mend."""

    def fail(words: list[str]) -> None:
        del words
        raise error

    monkeypatch.setattr(cli, "run", fail)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == status
    assert capsys.readouterr().err.splitlines() == lines


def test_help_answers_at_once() -> None:
    """`limen --help` imports nothing heavy: it takes at most 300 ms, measured by the CPU it uses since others are at work here too."""
    words = [sys.executable, "-X", "importtime", "-m", "limen", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30)
    assert "Commands" in done.stdout
    heavy = {"sqlalchemy", "rich", "uvicorn", "starlette", "jinja2", "asyncio", "cryptography", "limen.modules", "limen.platform"}
    assert {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()} & heavy == set()
    took = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "limen", "--help"], capture_output=True, check=True, timeout=30)
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.3


def test_a_reader_that_has_enough_is_no_trouble(tmp_path: Path) -> None:
    """`limen --help | head -1` ends without a trace of Python."""
    done = subprocess.run(f"{sys.executable} -m limen --help | head -1", shell=True, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=30)  # noqa: S602 - a pipe is what is tried
    assert done.stderr == ""


def test_a_missing_configuration(tmp_path: Path) -> None:
    """Without a limen.toml the line says how to make one."""
    done = subprocess.run([sys.executable, "-m", "limen", "key", "list"], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "limen: there is no file limen.toml. `limen init --config limen.toml` makes a configuration [misconfigured]\n"
