"""What is wrong with an expression, found when it is written, or when it is used."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class BadExpression(LimenError):
    """An expression that cannot be used: where (both count from 1), why, and what to write instead."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "bad_expression"

    def __init__(self, reason: str, suggestion: str = "", *, line: int = 0, column: int = 0) -> None:
        where = f"line {line}, " if line > 1 else ""
        super().__init__(f"{where}column {column}: {reason}" if column else reason)
        self.suggestion = suggestion
        self.line = line
        self.column = column


class ExpressionFailed(LimenError):
    """An expression gave no value this time. `public` says what went wrong without any of the values; `operator` may hold some."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "expression_failed"
