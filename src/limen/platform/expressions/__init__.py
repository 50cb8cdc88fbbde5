"""Expressions: conditions and values that operators write, in Google's Common Expression Language (https://cel.dev), compiled and bounded.

An expression reads the variables it was compiled for and nothing else: no clock, no file, no network. What it may cost is bounded by what
may be written (`limits`) and by what it may return. The language is loaded with the first expression, not before.

    greeting = compile('given_name == "" ? "you" : given_name', {"given_name": Kind.TEXT})
    greeting.value({"given_name": "Ada"})
"""

from __future__ import annotations

from limen.platform.expressions.compiling import Expression, Kind, compile  # noqa: A004 - what it does
from limen.platform.expressions.errors import BadExpression, ExpressionFailed
from limen.platform.expressions.values import JsonValue

__all__ = ["BadExpression", "Expression", "ExpressionFailed", "JsonValue", "Kind", "compile"]
