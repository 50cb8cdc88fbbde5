"""The command `limen`. Nothing heavy is imported until it is clear what is asked, so that `--help` answers at once.

A verb is a file of `limen/app/commands`, a group a package's `commands.py`; each begins with a line `limen <name>: <what it does>`,
which is read here without importing the file.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import limen
from limen.app import helping
from limen.app.arguments import Misspelt, Spec, meant, parse
from limen.kernel.errors import LimenError

_ROOT: Final = Path(limen.__path__[0])
_ORDER: Final = ("demo", "init", "serve", "apply", "export", "check", "upgrade", "backup", "restore")
FAILED, MISSPELT, INTERRUPTED = 1, 2, 130
"""What the command ends with where it does not end with 0."""
_HELP: Final = frozenset({"-h", "--help"})


class RefusedBySystem(LimenError):
    """The operating system refused something to a command: a folder that cannot be written to, a disk that is full."""

    code = "os_error"


@dataclass(frozen=True, slots=True)
class Entry:
    """A verb or a group: its name, the module with its code, and its line of help."""

    name: str
    path: str
    words: str

    @property
    def group(self) -> bool:
        """Whether it has verbs of its own."""
        return self.path.endswith(".commands")


def entries() -> dict[str, Entry]:
    """Return all commands: verbs in the order one meets them, then groups."""
    verbs = {file.stem: _entry(file) for file in _ROOT.glob("app/commands/*.py") if file.stem != "__init__"}
    groups = [_entry(file) for floor in ("modules", "platform", "extensions/*") for file in _ROOT.glob(f"{floor}/*/commands.py")]
    ordered = [verbs.pop(name) for name in _ORDER if name in verbs]
    return {one.name: one for one in (*ordered, *verbs.values(), *sorted(groups, key=lambda one: one.name))}


def _entry(file: Path) -> Entry:
    with file.open(encoding="utf-8") as lines:
        said = lines.readline().strip().strip('"')
    name, _, words = said.removeprefix("limen ").partition(": ")
    return Entry(name, ".".join(("limen", *file.relative_to(_ROOT).with_suffix("").parts)), words)


def run(words: list[str]) -> None:
    """Do what the words say. Misspelt, or a LimenError of the command's."""
    known = entries()
    if words and words[0] == "help":
        words = [*words[1:], "--help"]
    if not words or words[0] in _HELP:
        print(_overview(known))
    elif words[0] == "--version":
        from importlib.metadata import version  # noqa: PLC0415 - 20 ms that only this needs

        print(f"limen {version('limen')}")
    elif words[0].startswith("-"):
        raise Misspelt(f"{words[0][:60]} stands before the command: write limen COMMAND {words[0][:60]}. limen --help lists the commands")
    elif words[0] not in known:
        raise Misspelt(f"there is no command `{words[0][:60]}`{meant(words[0], known)} limen --help lists them")
    elif known[words[0]].group:
        _group(known[words[0]], words[1:])
    else:
        _verb(known[words[0]], words[1:])


def _verb(entry: Entry, words: list[str]) -> None:
    verb = getattr(importlib.import_module(entry.path), entry.name)
    spec = Spec.of(entry.name, verb)
    if _HELP & set(words):
        print(helping.page(spec))
        return
    parsed = parse(spec, words)
    verb(*parsed.args, **parsed.kwargs)


def _group(entry: Entry, words: list[str]) -> None:
    from limen.app import groups  # noqa: PLC0415 - only who names a group pays for opening the ground

    verbs = groups.verbs_of(entry)
    if not words or words[0] in _HELP:
        rows = [(name, spec.summary) for name, (spec, _) in verbs.items()]
        usage = f"limen {entry.name} VERB [options]"
        print(helping.overview(usage, entry.words, [("Verbs", rows)], f"limen {entry.name} VERB --help tells all of one."))
        return
    if words[0] not in verbs:
        raise Misspelt(f"`limen {entry.name}` has no verb `{words[0][:60]}`{meant(words[0], verbs)} There are {', '.join(verbs)}")
    spec, command = verbs[words[0]]
    if _HELP & set(words[1:]):
        print(helping.page(spec))
        return
    groups.run(command, parse(spec, words[1:]))


def _overview(known: dict[str, Entry]) -> str:
    verbs = [(one.name, one.words) for one in known.values() if not one.group]
    groups = [(one.name, one.words) for one in known.values() if one.group]
    lead = "Limen, a customer identity platform."
    return helping.overview("limen COMMAND [options]", lead, [("Commands", verbs), ("Groups", groups)], "limen COMMAND --help tells all of one.")


def main() -> None:
    """Run the command line. What goes wrong is one clear line: exit code 1 where it was refused or failed, 2 where it was misspelt."""
    try:
        run(sys.argv[1:])
        sys.stdout.flush()
    except Misspelt as error:
        _fail(str(error), MISSPELT)
    except LimenError as error:
        text = error.operator or error.public
        lines = text.splitlines() or [""]
        _fail("\n".join([*lines[:-1], f"{lines[-1]} [{error.code}]"]), FAILED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # who read has had enough: what is left goes nowhere
        sys.exit(FAILED)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one is enough: a second would leave a trace of Python
        sys.exit(INTERRUPTED)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{error.strerror or error} [{RefusedBySystem.code}]", FAILED)


def _fail(text: str, status: int) -> None:
    for line in text.splitlines():
        sys.stderr.write(f"limen: {line}\n")
    sys.exit(status)
