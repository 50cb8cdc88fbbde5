"""`facts.md` and `errors.md`: every class of ours that is a fact or an error."""

from __future__ import annotations

import enum
import importlib
import inspect
import pkgutil
import re
import types
import typing
from collections.abc import Iterator
from typing import ClassVar, Final, TypeVar

import limen
from limen.kernel.errors import LimenError
from limen.kernel.facts import Fact
from limen.modules.oauth import errors as oauth
from limen.modules.oauth.advice import ADVICE
from limen.platform.http.errors import status_of_kind
from tools.reference.markdown import WORDS, Row, code, one_of, page, said, sentence, table

T = TypeVar("T")

_SCRIPTS: Final = re.compile(r"\.(migrations|__main__)(\.|$)")
_MEMBER: Final = re.compile(r'\s+[A-Z_]+ = "(\w+)"(?:\s+# (?!noqa)(.*?))?(?:\s+# noqa.*)?')
_LEAD: Final = """\
What the log holds. Each fact has its position, tenant, instant, actor (`customer:acc_...`, `client:shop`, `operator:command:apply`), its subject (the
account it concerns) where there is one, and the data below. A name never changes its meaning and is never used again. Personal detail stands sealed beside
the data, under the subject's own key."""
_LEAD_OF_ERRORS: Final = """\
A code is stable and for programs; the sentence beside it is for people and may change. The API answers it as `code` of problem+json with the status named,
a command prints it in brackets behind its sentence; some are met in one of the two only, some in the
log only."""
_LEAD_OF_REASONS: Final = """\
Why the OAuth door refused stands in the facts as `reason` (`oauth.token_refused`, `oauth.authorization_refused`, `http.refusals_counted`), and in the log as
the line `oauth.refused` with the same sentence in `do`, every ten seconds at most for each reason. What begins with "Nothing" makes no line."""


def facts() -> str:
    """Return every fact: its wire name, what it means and its fields."""
    by_owner: dict[str, list[Row]] = {}
    for kind in sorted(_kinds(Fact), key=lambda kind: kind.name):
        fields = "; ".join(_fields(kind))
        by_owner.setdefault(kind.name.partition(".")[0], []).append((code(kind.name), sentence(kind), fields))
    lines: list[str] = []
    for owner, rows in by_owner.items():
        lines += [f"## {owner}", "", *table(("fact", "meaning", "data"), rows)]
    return page("Facts", _LEAD, lines)


def errors() -> str:
    """Return every stable code: of the API and of commands, then of the protocols."""
    rows: dict[str, tuple[set[str], list[str]]] = {}
    for kind in _kinds(LimenError):
        if "code" in vars(kind):
            statuses, meanings = rows.setdefault(kind.code, (set(), []))
            statuses.add(str(status_of_kind(kind)))
            meanings.append(sentence(kind))
    lines = ["## API and commands", ""]
    told = ((code(name), ", ".join(sorted(statuses)), " ".join(dict.fromkeys(meanings))) for name, (statuses, meanings) in sorted(rows.items()))
    lines += table(("code", "status", "meaning"), told)
    lines += ["## OAuth and OpenID Connect", "", "`error` of protocol endpoints and of answers to apps; `error_description` is for the app's developer.", ""]
    lines += table(("code", "defined in"), _protocol_codes())
    lines += ["## Reasons and what to do", "", _LEAD_OF_REASONS, "", *table(("reason", "what to do"), [(code(one), ADVICE[one]) for one in sorted(ADVICE)])]
    return page("Errors", _LEAD_OF_ERRORS, lines)


def _kinds(root: type[T]) -> list[type[T]]:
    """Return every class of ours below `root`, in the order of their names."""
    for file in pkgutil.walk_packages(limen.__path__, "limen."):
        if not _SCRIPTS.search(file.name):
            importlib.import_module(file.name)
    found: dict[str, type[T]] = {}
    left = root.__subclasses__()
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind.__module__.startswith("limen."):
            found[f"{kind.__module__}.{kind.__qualname__}"] = kind
    return [found[name] for name in sorted(found)]


def _fields(kind: type[Fact]) -> Iterator[str]:
    """Yield the fact's own fields: name, type, and what is said of it."""
    told = said(kind)
    own: dict[str, object] = inspect.get_annotations(kind, eval_str=True)
    for name, hint in own.items():
        if typing.get_origin(hint) is not ClassVar:
            words = told.get(name, "").rstrip(".")
            yield f"{code(name)} {_type(hint)}" + (f", {words[0].lower()}{words[1:]}" if words else "")


def _type(hint: object) -> str:
    """Return what stands in the JSON."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return f"{_type(next(one for one in inner if one is not types.NoneType))} or null"
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return one_of(str(one.value) for one in hint)
    return WORDS[getattr(hint, "__supertype__", hint)]  # an id is text


def _protocol_codes() -> Iterator[Row]:
    """Yield the codes of the protocols, each with the document named beside it or beside one above it."""
    where = ""
    for line in inspect.getsource(oauth.Code).splitlines():
        if member := _MEMBER.fullmatch(line):
            where = member[2] or where
            yield code(member[1]), where
