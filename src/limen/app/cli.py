"""The command `limen`. Imports nothing heavy: a verb's code is loaded when the verb is called, so that `--help` answers at once."""

from __future__ import annotations

import ast
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

from cyclopts import App

import limen

_ROOT: Final = Path(limen.__path__[0])

_VERBS: Final = {
    "init": "Write limen.toml where there is none; make the master key and the database.",
    "serve": "Serve.",
    "demo": "Open the demo: server, sample shop, portal, mailbox.",
    "apply": "Bring tenants, brands, resources and clients to what a file says.",
    "export": "Print the configuration as a file that `apply` takes.",
    "check": "Look at settings, keys, database and interpreter, and say what to mend.",
    "upgrade": "Bring the database's schema to this version.",
    "backup": "Write a consistent copy while serving.",
    "restore": "Put a backup back.",
}


def _groups() -> list[tuple[str, str, str]]:
    """Return (group, import path, help) of every package's `commands.py`, read from the docstring without importing it."""
    found = []
    for file in sorted([*_ROOT.glob("modules/*/commands.py"), *_ROOT.glob("platform/*/commands.py")]):
        said = ast.get_docstring(ast.parse(file.read_text())) or ""
        name, _, words = said.split("\n", 1)[0].removeprefix("limen ").partition(": ")
        found.append((name, f"limen.{file.parent.parent.name}.{file.parent.name}.commands", words))
    return found


def build() -> App:
    """Return the whole command; groups of modules are opened when one of them is called."""
    app = App(name="limen", help="Limen, a customer identity platform.", version=version("limen"))
    for verb, words in _VERBS.items():
        app.command(f"limen.app.commands.{verb}:{verb}", name=verb, help=words)
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    for name, path, words in _groups():
        if asked == name:
            from limen.app.running import group_of  # noqa: PLC0415 only the group that is called is loaded

            app.command(group_of(name, path, words))
        else:
            app.command(App(name=name, help=words))
    return app


def main() -> None:
    """Run the command line; an error with a stable code becomes one clear line and exit code 1."""
    from limen.kernel.errors import LimenError  # noqa: PLC0415 as above

    try:
        build()()
    except LimenError as error:
        print(f"limen: {error.operator or error.public} [{error.code}]", file=sys.stderr)  # noqa: T201 the terminal is where a command speaks
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
