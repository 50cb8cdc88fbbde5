"""Column types: each value comes back as it went in, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from limen.platform.sql import bind, insert_row, statement
from limen.platform.sql.types import clean_json
from tests.conftest import World
from tests.platform.sql.things import EVERYTHING, Colour

_C = EVERYTHING.c
_ADD = statement(insert_row(EVERYTHING))
_GET = statement(sa.select(*list(_C)[1:]).where(_C.tenant == bind("tenant"), _C.id == bind("id")))
_NULLS = dict.fromkeys(("text", "number", "truth", "octets", "at", "colour", "json", "counts"))


async def test_values_come_back(world: World) -> None:
    """Text, numbers, truth, octets, instants, choices and JSON keep type and value (trap 9)."""
    values = {
        "text": "Grüße, 世界 🌍",
        "number": -(2**62),
        "truth": True,
        "octets": bytes(range(256)),
        "at": datetime(2026, 11, 22, 17, 0, 0, 123456, UTC),
        "colour": Colour.BLUE,
        "json": {"a": [1, "two", None, True], "b": 1.5},
        "counts": {"x": 1},
    }
    async with world.work() as work:
        await work.run(_ADD, id="a", **values)
        await work.run(_ADD, id="n", **_NULLS)
    async with world.read() as read:
        found = await read.one(_GET, id="a")
        assert found == ("a", *values.values())
        assert await read.one(_GET, id="n") == ("n", *_NULLS.values())
    assert found is not None
    assert [type(value) for value in found] == [str, *(type(value) for value in values.values())]


async def test_instants_are_aware_and_utc(world: World) -> None:
    """A naive instant is refused; one of another zone comes back as the same moment in UTC."""
    berlin = datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    async with world.work() as work:
        await work.run(_ADD, id="a", **(_NULLS | {"at": berlin}))
        found = await work.one(_GET, id="a")
        assert found is not None
        assert found[5] == berlin
        assert found[5].utcoffset() == timedelta(0)
    with pytest.raises(ValueError, match="zone"):
        async with world.work() as work:
            await work.run(_ADD, id="b", **(_NULLS | {"at": datetime(2026, 7, 1)}))  # noqa: DTZ001 -- that is the point


async def test_json_with_a_nul_is_kept_without_it(world: World) -> None:
    """PostgreSQL's jsonb cannot hold U+0000, so both databases store U+FFFD instead (trap 16)."""
    async with world.work() as work:
        await work.run(_ADD, id="a", **(_NULLS | {"json": {"k\0": "v\0\\u0000"}}))
        found = await work.one(_GET, id="a")
        assert found is not None
        assert found[7] == {"k\ufffd": "v\ufffd\\u0000"}


@given(st.text())
def test_cleaning_touches_nothing_but_nul(text: str) -> None:
    """Cleaned JSON decodes to the same text with U+0000 replaced, backslashes and all."""
    assert msgspec.json.decode(clean_json(msgspec.json.encode(text))) == text.replace("\0", "\ufffd")
