"""Expressions: what they give, how mistakes are told, and that none can cost much."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.platform.expressions import BadExpression, ExpressionFailed, JsonValue, Kind, compile  # noqa: A004 - what it does
from limen.platform.expressions.limits import tokens

VARIABLES = {"name": Kind.TEXT, "profile.locale": Kind.TEXT, "scopes": Kind.TEXTS, "now": Kind.INSTANT, "count": Kind.NUMBER, "known": Kind.TRUTH}
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
BINDINGS = {"name": "Ada", "profile.locale": "en-GB", "scopes": ("openid", "email"), "now": NOW, "count": 3, "known": True}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('name + " of " + profile.locale', "Ada of en-GB"),
        ('profile . locale == "" ? "?" : profile.locale // as told', "en-GB"),
        ('known && "email" in scopes', True),
        ("count * 2 - 1", 5),
        ("1.5", 1.5),
        ("null", None),
        ('scopes.filter(one, one.startsWith("e"))', ["email"]),
        ('{"a": [1, true], "b": {"c": null}}', {"a": [1, True], "b": {"c": None}}),
        ("int(now)", 1795608000),
        ('now - duration("24h") < timestamp("2026-11-25T00:00:00Z")', True),
        (r'name.matches(r"^[A-Z]\w+$")', True),
        ("\"it's // no comment\" + '''\n\"'''", "it's // no comment\n\""),
    ],
)
def test_an_expression_gives_a_value(text: str, value: JsonValue) -> None:
    """Texts, numbers, truth, lists and tables, from the variables it was compiled for."""
    assert compile(text, VARIABLES).value(BINDINGS) == value


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("nam", 1, 1, "there is no `nam`"),
        ("profile.local", 1, 8, "there is no `profile.local`"),
        ("name\n  + 1", 2, 3, "`+` cannot be applied to (string, int)"),
        ('known ? "a" : 1', 1, 7, "cannot be applied to"),
        ("name +", 1, 7, "ends too early"),
        ("open('/etc/passwd')", 1, 5, "there is no `open`"),
        ("", 1, 1, "ends too early"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, line: int, column: int, words: str) -> None:
    """When it is written, not when it is used."""
    with pytest.raises(BadExpression) as told:
        compile(text, VARIABLES)
    assert (told.value.line, told.value.column) == (line, column)
    assert words in str(told.value)


def test_a_mistake_comes_with_what_to_write() -> None:
    """The nearest name; what to make of what JSON has not; that nothing is absent."""
    for text, suggestion in (("profile.local", "`profile.locale`"), ("now", "int(...)"), ("has(profile.locale)", 'compare it with ""')):
        with pytest.raises(BadExpression) as told:
            compile(text, VARIABLES)
        assert suggestion in told.value.suggestion


@pytest.mark.parametrize(
    "text",
    [
        "name" + " " * 1000,
        "(" * 40 + "1" + ")" * 40,
        "scopes.all(a, scopes.all(b, scopes.all(c, true)))",
        "scopes . map (a, a) . filter(b, true).exists(c, true)",
        "[" + ",".join(["1"] * 102) + "]",
        "+".join(["count"] * 14),
        " == ".join(["name"] * 41),
        "name.matches(name)",
        "matches(name, 'a')",
        "name.matches('a' + 'b')",
        "name.matches('a{1000}')",
        r"name.matches('a\x7b1000}')",
        r"name.matches('\\pL')",
        "name.matches('" + "a?" * 60 + "')",
    ],
)
def test_what_could_cost_much_is_refused(text: str) -> None:
    """Loops within loops, doubling, large patterns: the language's own budget does not count what a round costs."""
    with pytest.raises(BadExpression):
        compile(text, VARIABLES)


def test_signs_within_texts_do_not_count() -> None:
    """Only what the language reads as a sign is one."""
    text = "'" + "+" * 50 + "," * 150 + ".map(.map(.map('"
    assert compile(text, VARIABLES).value({}) == text[1:-1]


_FULL = {**BINDINGS, "name": "x" * 5000, "scopes": ["y" * 5000] * 5000}


@pytest.mark.parametrize(
    "text",
    [
        "[name+name+name+name].exists(b, [b+b+b+b+b].exists(c, c+c+c+c+c+c == ''))",
        "(scopes+scopes+scopes+scopes+scopes+scopes+scopes+scopes+scopes+scopes+scopes+scopes).map(a, a).size() > 0",
        "(scopes+scopes+scopes+scopes+scopes+scopes).all(x, (scopes+scopes+scopes+scopes+scopes).map(y, y).size() > 0)",
        "scopes.map(x, scopes.map(y, [x, y, [x, y]])).size() > 0",
        "name.matches('(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)$z')",
        "name.matches('(x+x+)+y')",
    ],
)
def test_what_may_be_written_costs_little(text: str) -> None:
    """The worst that fits, on the largest values there are, ends within half a second of CPU, with a value or without."""
    made = compile(text, VARIABLES)
    began = time.thread_time()
    with contextlib.suppress(ExpressionFailed):
        assert made.value(_FULL) in (True, False)
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scopes", "larger than"),
        ("[name, name, name, name, name]", "larger than"),
        ("scopes.map(a, [1, 2, 3])", "larger than"),
        ("[[[[[1]]]]]", "nested deeper"),
        ("{1: 2}", "keys of a map"),
        ("1.0 / 0.0", "JSON has not"),
        ("[now]", "JSON has not"),
        ("[type(1)]", "JSON has not"),
        ("1 / (count - 3)", "divide by zero"),
        ("int(name)", "cannot convert"),
        ('{"a": 1}[name]', "Key not found"),
    ],
)
def test_no_value_is_an_error_that_tells_nothing(text: str, words: str) -> None:
    """Too large, none of JSON's, or failed: the public words have none of the values, which may be personal."""
    with pytest.raises(ExpressionFailed) as failed:
        compile(text, VARIABLES).value({**_FULL, "count": 3})
    assert words in failed.value.public
    assert "xxx" not in failed.value.public


def test_what_it_reads_is_known() -> None:
    """So that nobody reads a person's data for an expression that does not."""
    assert compile('profile.locale == "name" ? scopes : []', VARIABLES).uses == {"profile.locale", "scopes"}
    assert compile("1", VARIABLES).uses == frozenset()


@given(st.lists(st.sampled_from(['"', "'", '"""', "'''", "\\", "r", "b", "//", "\n", "+", ",", ".map(", "a", " ", "{"]), max_size=30))
def test_no_text_hides_a_loop(parts: list[str]) -> None:
    """Where the language takes what we read as texts, it reads the same texts: it compiles to the words we counted, or not at all."""
    text = "".join(parts)
    try:
        made = compile(f"[{text}].size() >= 0", {"a": Kind.NUMBER})
    except BadExpression:
        return
    loops = sum(token.text == "map" for token in tokens(text))
    assert made.value({"a": 1}) is True
    assert loops <= 2


def test_the_language_is_loaded_with_the_first_expression() -> None:
    """Who has none pays nothing."""
    code = "import sys; from limen.platform import expressions; assert 'cel_expr_python' not in sys.modules; print(expressions.compile('1 + 1', {}).value({}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "2\n"
