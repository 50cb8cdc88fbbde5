"""`commands.md`: every command with its words and options."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Final

from limen.app import cli, groups
from limen.app.arguments import Parameter, Spec
from tools.reference.markdown import code, page, table

_LEAD: Final = f"""\
A command ends with 0 when it did what it says, {cli.FAILED} where it was refused or failed, {cli.MISSPELT} where it was misspelt, {cli.INTERRUPTED}
where it was interrupted. What went wrong stands on standard error, with its [code](errors.md). Where the output is no terminal, tables are plain lines
with tabs."""


def commands() -> str:
    """Return the page."""
    lines: list[str] = []
    for entry in cli.entries().values():
        if entry.group:
            lines += [f"## limen {entry.name}", "", entry.words, ""]
            for spec, _ in groups.verbs_of(entry).values():
                lines += _command(spec, "###")
        else:
            lines += _command(Spec.of(entry.name, getattr(importlib.import_module(entry.path), entry.name)), "##")
    return page("Commands", _LEAD, lines)


def _command(spec: Spec, level: str) -> Iterator[str]:
    yield from (f"{level} limen {spec.name}", "", spec.summary, "", "```", spec.usage, "```", "")
    told = [one for one in spec.parameters if one.words]
    if told:
        yield from table(("", "default", "meaning"), ((_spelled(one), _default(one), one.words) for one in told))


def _spelled(one: Parameter) -> str:
    if one.flag:
        return code(one.spelled)
    shape = f" {one.shape}" if one.option or "|" in one.shape else ""
    return code(f"{one.spelled}{shape}{' ...' if one.many else ''}")


def _default(one: Parameter) -> str:
    if one.needed:
        return "must be given"
    return "" if one.flag or one.default in (None, "", ()) else code(str(one.default))
