"""Any walk through the engine keeps its promises: a state machine played against the real one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limen.kernel.ids import JourneyId
from limen.modules.journey import Ask, Return, begin, finished
from limen.modules.journey.service import Goes, Lost, Shows, advance, show
from tests.conftest import World
from tests.modules.journey import toys
from tests.modules.journey.toys import visitor

pytestmark = pytest.mark.anyio

STEPS = ("toy.colour", "toy.count", "toy.word", "toy.enter", "")
moves = st.lists(
    st.one_of(
        st.tuples(st.just("get"), st.sampled_from(["/signin", "/signup", "/recover"]), st.sampled_from(["mine", "other"])),
        st.tuples(st.just("post"), st.sampled_from(STEPS), st.sampled_from(["blue", "", "open sesame", "guess"])),
        st.tuples(st.just("steal"), st.sampled_from(STEPS), st.sampled_from(["blue", "open sesame"])),
        st.tuples(st.just("take"), st.just(""), st.sampled_from(["mine", "other"])),
    ),
    max_size=14,
)


@pytest.fixture(autouse=True)
def toy_tables() -> Iterator[None]:
    """Walk by the toy tables."""
    with toys.installed():
        yield


@dataclass
class Model:
    """Where a journey must stand: colour, then word, then the end; taken once."""

    at: str = "toy.colour"
    taken: bool = False
    seen: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return {"toy.colour": "/signin?", "toy.word": "/signup?", "end": "/toy/resume?"}[self.at]

    def post(self, step: str, value: str) -> None:
        """Move on where the step in hand gets what it wants."""
        if step == self.at == "toy.colour" and value:
            self.at = "toy.word"
        elif step == self.at == "toy.word" and value == "open sesame":
            self.at = "end"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves)
async def test_every_walk_ends_where_it_should(world: World, walk: list[tuple[str, str, str]]) -> None:
    """Whatever is opened, posted, repeated or stolen in whatever order: the journey stands where its own browser's right answers led it."""
    async with world.work() as work:
        journey = await begin(work, "long", Ask(), Return("toy", "req_1"), b"mine".ljust(32))
    model = Model()
    for move, what, value in walk:
        await _play(world, journey, model, (move, what, value))
    shown = await show(world.db, visitor("mine", journey), "/recover")
    assert isinstance(shown, Goes)
    assert shown.path.startswith(model.path)


async def _play(world: World, journey: JourneyId, model: Model, move: tuple[str, str, str]) -> None:
    kind, what, value = move
    match kind:
        case "get":
            answer = await show(world.db, visitor(value, journey), what)
            if value == "other":
                assert answer == Lost(expired=False)
            elif model.at != "end" and model.path == what + "?":
                assert isinstance(answer, Shows)
                assert answer.page.values["step"] == model.at
            else:
                assert isinstance(answer, Goes)
                assert answer.path.startswith(model.path)
        case "post":
            answer = await advance(world.db, visitor("mine", journey), {"step": what, "colour": value, "word": value})
            model.post(what, value)
            assert isinstance(answer, Goes)
            assert answer.path.startswith(model.path)
        case "steal":
            assert await advance(world.db, visitor("other", journey), {"step": what, "colour": value, "word": value}) == Lost(expired=False)
        case _:
            async with world.work() as work:
                got = await finished(work, journey, value.encode().ljust(32))
            due = value == "mine" and model.at == "end" and not model.taken
            assert (got is not None) == due
            model.taken = model.taken or due
