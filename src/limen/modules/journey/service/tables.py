"""The tables of steps, put together once from what the modules contribute, and checked."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from limen.modules.journey.errors import UnknownStep
from limen.modules.journey.port import AnyStep, Journey


class Tables:
    """All steps by name, all journeys by kind, and where each door resumes. UnknownStep names what does not fit."""

    __slots__ = ("_doors", "_journeys", "_opened", "_steps")

    def __init__(self, steps: Iterable[AnyStep], journeys: Iterable[Journey], doors: Mapping[str, str]) -> None:
        steps, journeys = tuple(steps), tuple(journeys)
        _refuse_twice("step", [step.name for step in steps])
        _refuse_twice("journey", [journey.kind for journey in journeys])
        _refuse_twice("opening path", [journey.opens for journey in journeys if journey.opens])
        known = {step.name: step for step in steps}
        for journey in journeys:
            for name in journey.steps:
                if name not in known:
                    near = difflib.get_close_matches(name, known, 1)
                    hint = f"; did you mean {near[0]}?" if near else ""
                    raise UnknownStep(operator=f"the journey {journey.kind} names the step {name}, which no module has{hint}")
            _refuse_twice(f"step in the journey {journey.kind}", list(journey.steps))
        self._steps = known
        self._journeys = {journey.kind: tuple(known[name] for name in journey.steps) for journey in journeys}
        self._opened = {journey.opens: journey.kind for journey in journeys if journey.opens}
        self._doors = dict(doors)

    def steps(self, kind: str) -> tuple[AnyStep, ...]:
        """Return the steps of a journey in order."""
        try:
            return self._journeys[kind]
        except KeyError:
            raise UnknownStep(operator=f"there is no journey {kind!r}") from None

    def kinds(self) -> frozenset[str]:
        """Return the kinds of journeys."""
        return frozenset(self._journeys)

    def opened_at(self, path: str) -> str | None:
        """Return the kind of journey a visitor begins at a path, if any."""
        return self._opened.get(path)

    def resume(self, door: str) -> str:
        """Return the path at which a door takes the browser back."""
        try:
            return self._doors[door]
        except KeyError:
            raise UnknownStep(operator=f"there is no door {door!r} to end a journey at") from None


def _refuse_twice(what: str, names: list[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UnknownStep(operator=f"{what} {twice[0]} is there twice")


_INSTALLED: Final[list[Tables]] = []


def install(found: Tables) -> None:
    """Take the tables this process walks by; called at start-up, before the first request."""
    _INSTALLED[:] = [found]


def tables() -> Tables:
    """Return the tables installed."""
    if not _INSTALLED:
        raise UnknownStep(operator="no tables of steps are installed")
    return _INSTALLED[0]
