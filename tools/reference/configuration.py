"""`configuration.md`: every section and key of `limen.toml` and of the tenant file."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, Literal

from limen.app import settings, wanted
from limen.app.reading import key_of, table_of
from limen.app.writing import toml
from limen.kernel.errors import LimenError
from limen.kernel.secrets import Secret
from limen.platform.pages import Brand, FooterLink
from tools.reference.markdown import WORDS, Row, code, one_of, page, said, sentence, table

_EXTREMES: Final[Mapping[object, tuple[object, ...]]] = {int: (-1, 10**9), timedelta: (timedelta(seconds=-1), timedelta(days=10**6)), tuple: ((),)}
_LEAD: Final = """\
A duration is text of one number and one unit of ms, s, m, h, d, w: `"90s"`, `"10m"`, `"24h"`, `"30d"`. An unknown key, section or variable, or a value
out of bounds, ends the start with the line, the key, the reason and what to write. Of the bounds, what is written here is what the program then says."""


def configuration() -> str:
    """Return the page."""
    lines = [
        "## limen.toml",
        "",
        f"Any key may come from the environment as `{settings.PREFIX}<SECTION>_<KEY>` (`{settings.PREFIX}SERVER_WORKERS=4`), which goes before the file;",
        f"{one_of(sorted(settings.ELSEWHERE))} is the master key itself, in base64. Relative paths are relative to the file's folder.",
        "",
    ]
    for name, kind in settings.sections().items():
        lines += [f"### [{name}]", "", *_keys(kind)]
    lines += ["## The tenant file", "", "For `limen apply`. It has `[[tenant]]` tables only; those below belong to the `[[tenant]]` above them.", ""]
    tables: dict[str, type] = {"[[tenant]]": wanted.TenantTable, "[tenant.brand]": Brand, "links of [tenant.brand]": FooterLink}
    tables |= {"[[tenant.resource]]": wanted.ResourceTable, "[[tenant.client]]": wanted.ClientTable}
    tables |= {f"[tenant.{name}]": kind for name, kind in sorted(wanted.sections().items())}
    tables |= {f"{heading[:-1]}.{name}.NAME]": inner for heading, kind in list(tables.items()) for name, inner in _by_name(kind)}
    for heading, kind in tables.items():
        lines += [f"### {heading}", "", *_keys(kind)]
    return page("Configuration", _LEAD, lines)


def _by_name(kind: type) -> Iterator[tuple[str, type]]:
    """Yield the keys that hold tables by name."""
    for name, hint in typing.get_type_hints(kind).items():
        if inner := table_of(hint):
            yield key_of(name), inner


def _keys(kind: type) -> Iterator[str]:
    """Yield what a settings dataclass says of itself and of each of its keys."""
    yield from (sentence(kind), "")
    told, hints = said(kind), typing.get_type_hints(kind)
    rows: list[Row] = []
    for field in dataclasses.fields(kind):
        if field.name not in told:
            raise SystemExit(f"{kind.__module__}.{kind.__name__}.{field.name} has no sentence under it")
        hint = hints[field.name]
        rows.append((code(key_of(field.name)), _type(hint), _default(field), _bounds(kind, field.name, hint), told[field.name]))
    yield from table(("key", "type", "default", "bounds", "meaning"), rows)


def _type(hint: object) -> str:
    """Return in words what a key takes."""
    hint = _present(hint)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return one_of(str(one) for one in inner)
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"table of {_type(inner[1])}"
    if hint is Secret or origin is Secret:
        return "text, `env:NAME` or `file:PATH`"
    return _of_class(hint) if isinstance(hint, type) and hint not in WORDS else WORDS[hint]


def _present(hint: object) -> object:
    """Return the type of a key that may be left out, as it is where it is there."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(one for one in typing.get_args(hint) if one is not types.NoneType)
    return hint


def _of_class(kind: type) -> str:
    if issubclass(kind, enum.Enum):
        return one_of(str(one.value) for one in kind)
    names = [one.name for one in dataclasses.fields(kind)]  # type: ignore[arg-type] # the classes left are dataclasses
    return f"tables of {one_of(names)}"


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return code(toml(field.default_factory()))
    if field.default is dataclasses.MISSING:
        return "must be given"
    return "" if field.default is None else code(toml(field.default))


def _bounds(kind: type, name: str, hint: object) -> str:
    """Return what the program answers to too little and too much of one key; nothing where it takes both."""
    answers = []
    needed = {one.name: "x" for one in dataclasses.fields(kind) if _default(one) == "must be given"}
    hint = _present(hint)
    for extreme in _EXTREMES.get(typing.get_origin(hint) or hint, ()):
        try:
            kind(**{**needed, name: extreme})
        except (ValueError, LimenError) as error:
            field, _, reason = str(error).partition(": ")
            if field.rpartition(".")[2] == name:
                answers.append(reason)
    return "; ".join(dict.fromkeys(answers))
