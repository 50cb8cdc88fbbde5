"""Compiling expressions, which finds their mistakes, and running them."""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from limen.platform.expressions import limits
from limen.platform.expressions.errors import BadExpression, ExpressionFailed
from limen.platform.expressions.values import JsonValue, json_value

if TYPE_CHECKING:
    from cel_expr_python import cel

MOST_LISTED: Final = 50
"""Items of a list that an expression gets to see; more are cut off."""
MOST_CHARACTERS: Final = 1_000
"""Of a text, likewise."""

_AT: Final = re.compile(r"<input>:(-?\d+):(-?\d+): (.*)")
_UNDECLARED: Final = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD: Final = re.compile(r"found no matching overload for '([^']*)' applied to '(.*)'")
_NO_JSON: Final = {
    "BYTES": "write the text itself",
    "TIMESTAMP": "int(...) makes seconds since 1970 of it, string(...) the text",
    "DURATION": "int(...) makes seconds of it",
}


class Kind(enum.Enum):
    """What a variable is."""

    TEXT = "string"
    NUMBER = "int"
    TRUTH = "bool"
    INSTANT = "timestamp"
    """An aware datetime."""
    TEXTS = "list"


class Expression:
    """A compiled expression; `uses` are the variables it may read."""

    __slots__ = ("_made", "text", "uses")

    def __init__(self, text: str, made: cel.Expression, uses: frozenset[str]) -> None:
        self.text = text
        self.uses = uses
        self._made = made

    def value(self, bindings: Mapping[str, object]) -> JsonValue:
        """Return the value with every variable in `uses` bound (others are not looked at); ExpressionFailed. Costs 5 to 50 us."""
        try:
            found = self._made.eval(data={name: _cut(bindings[name]) for name in self.uses})
        except (RuntimeError, MemoryError) as error:
            raise ExpressionFailed("the expression took too many steps", operator=f"the expression took too many steps: {error}") from None
        if found.type().name() == "ERROR":
            reason = str(found.plain_value())
            raise ExpressionFailed(f"the expression failed: {_without_values(reason)}", operator=f"the expression failed: {reason}")
        return json_value(found)


def compile(text: str, variables: Mapping[str, Kind]) -> Expression:  # noqa: A001 - what it does
    """Return an expression over variables, whose names may have dots (`profile.locale`); BadExpression with place, reason and what to do."""
    found = limits.tokens(text)
    limits.check(text, found)
    spaced = " ".join(token.text if token.kind not in ("text", "raw") else '""' for token in found).replace(" . ", ".")
    uses = frozenset(name for name in variables if re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", spaced))
    if asked := next((name for name in uses if f"has ( {name} )" in spaced), None):
        raise BadExpression(f"`{asked}` is always there", 'What is not known is empty: compare it with ""')
    try:
        made = _environment(tuple(variables.items())).compile(text)
    except RuntimeError as error:
        raise _told(str(error), variables) from None
    if hint := _NO_JSON.get(kind := made.return_type().name()):
        raise BadExpression(f"gives {kind.lower()}, which JSON has not", hint)
    return Expression(text, made, uses)


@lru_cache(maxsize=50)
def _environment(variables: tuple[tuple[str, Kind], ...]) -> cel.Env:
    from cel_expr_python import cel  # noqa: PLC0415 - 14 MB of machine code, for those who have expressions

    return cel.NewEnv(variables={name: cel.Type.List(cel.Type.STRING) if kind is Kind.TEXTS else cel.Type(kind.value) for name, kind in variables})


def _cut(value: Any) -> object:  # noqa: ANN401 - each is of its variable's kind
    if isinstance(value, str):
        return value[:MOST_CHARACTERS]
    return [_cut(one) for one in value[:MOST_LISTED]] if isinstance(value, (list, tuple)) else value


def _told(error: str, variables: Mapping[str, Kind]) -> BadExpression:
    """Return the language's first complaint in our words."""
    found = _AT.search(error)
    if found is None or "recursion" in error:
        return BadExpression("is nested too deeply", "Split it, or compute it elsewhere")
    line, column, reason = max(int(found[1]), 0), max(int(found[2]), 0), found[3].removesuffix(" (in container '')")
    suggestion = ""
    if named := _UNDECLARED.search(reason):
        near = difflib.get_close_matches(named[1], list(variables), n=1, cutoff=0.0)
        reason, suggestion = f"there is no `{named[1]}`", f"The nearest known name is `{near[0]}`" if near else ""
    elif applied := _OVERLOAD.search(reason):
        reason = f"`{applied[1].strip('_')}` cannot be applied to {applied[2]}"
    elif reason.startswith("Syntax error"):
        reason = reason.partition(" expecting ")[0].replace("Syntax error: ", "").replace("mismatched input '<EOF>'", "ends too early")
    return BadExpression(reason, suggestion, line=line, column=column)


def _without_values(reason: str) -> str:
    """Return an error without what it was about, which may be personal: the language quotes keys and texts."""
    code, _, rest = reason.partition(": ")
    return f"{code.lower()}: {rest.partition(':')[0]}" if rest else code.lower()
