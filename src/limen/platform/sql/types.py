"""Column types that mean the same on both databases: each value goes in and comes out as one Python type."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

E = TypeVar("E", bound=enum.Enum)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

_NAIVE: Final = "an instant without a zone is refused: take it from work.now or the clock"
_NUL: Final = b"\\u0000"
_NUL_ESCAPE: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def micros(instant: datetime) -> int:
    """Return the microseconds since 1970 of an aware instant; ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError(_NAIVE)
    return (instant - EPOCH) // MICROSECOND


def _aware(value: datetime | None) -> datetime | None:
    if value is not None and value.tzinfo is None:
        raise ValueError(_NAIVE)
    return value


@lru_cache(maxsize=256)
def _number(value: datetime | None) -> int | None:
    """Return what SQLite stores; one statement binds the instant of its Work again and again."""
    return None if value is None else micros(value)


def _instant(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + timedelta(microseconds=value)


def clean_json(encoded: bytes) -> str:
    """Return JSON text with U+0000 replaced by U+FFFD: PostgreSQL's jsonb cannot hold it, and one such row would fail the whole group."""
    if _NUL in encoded:
        encoded = _NUL_ESCAPE.sub(rb"\1\\ufffd", encoded)
    return encoded.decode()


class Id(TypeDecorator[str]):
    """Text ordered octet by octet on both databases, so that keyset pages agree whatever the locale."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        return sa.Text(collation="C") if dialect.name == "postgresql" else sa.Text()


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC: `timestamptz` on PostgreSQL, microseconds since 1970 as INTEGER on SQLite."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return sa.DateTime(timezone=True) if dialect.name == "postgresql" else sa.Integer()

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], object]:
        return _aware if dialect.name == "postgresql" else _number

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None] | None:
        del coltype
        if dialect.name == "postgresql":
            return None
        return _instant


class Choice(TypeDecorator[E]):
    """A member of `kind`, stored as its value, which is text."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, kind: type[E]) -> None:
        super().__init__()
        self.kind = kind

    def bind_processor(self, dialect: Dialect) -> Callable[[E | None], str | None]:
        del dialect
        kind = self.kind
        return lambda value: None if value is None else str(kind(value).value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], E | None]:
        del dialect, coltype
        kind = self.kind
        return lambda value: None if value is None else kind(value)


class Json(TypeDecorator[object]):
    """A value encoded by msgspec, `jsonb` on PostgreSQL; decoded as `kind` where one is given (a Struct, a dataclass, `dict[str, int]`)."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, kind: object = None) -> None:
        super().__init__()
        self.kind = kind

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return JSONB() if dialect.name == "postgresql" else sa.Text()

    def bind_processor(self, dialect: Dialect) -> Callable[[object], str | None]:
        del dialect
        encode = msgspec.json.Encoder().encode
        return lambda value: None if value is None else clean_json(encode(value))

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], object]:
        del dialect, coltype
        decode: Callable[[str], object] = msgspec.json.Decoder(object if self.kind is None else self.kind).decode
        return lambda value: None if value is None else decode(value)


class TransactionId(UserDefinedType[int]):
    """PostgreSQL's `xid8`; plain INTEGER elsewhere."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "XID8"


class Several(TypeDecorator[Sequence[object]]):
    """The list behind `one_of`: an array on PostgreSQL, JSON text on SQLite (octets as hexadecimal digits)."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return sa.Text()
        item = self.item.dialect_impl(dialect)
        plain = item.load_dialect_impl(dialect) if isinstance(item, TypeDecorator) else item
        return ARRAY(sa.Text() if isinstance(plain, sa.String) else plain)  # a collation has no place in an array's cast

    def bind_processor(self, dialect: Dialect) -> Callable[[Sequence[object] | None], object]:
        convert = self.item.dialect_impl(dialect).bind_processor(dialect)
        encode = msgspec.json.Encoder().encode
        as_text = dialect.name != "postgresql"

        def several(values: Sequence[object] | None) -> object:
            items = [convert(value) for value in values or ()] if convert else list(values or ())
            if not as_text:
                return items
            return encode([item.hex() if isinstance(item, bytes) else item for item in items]).decode()

        return several
