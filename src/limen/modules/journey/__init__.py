"""The engine of journeys: it owns the record of a journey, its steps' order, and the pages' coming and going.

A door or the portal begins a journey with an `Ask` and a `Return`; the engine shows the first step of the journey's table that applies, takes
the answer, settles it in one transaction and goes on until no step applies; then it sends the browser back to the door, which takes what came
of it, once, with `finished`. It knows no account, no session and no factor: they are ids that the steps hand on.
"""

from __future__ import annotations

from limen.modules.journey.errors import Stuck, UnknownStep
from limen.modules.journey.model import Ask, Elsewhere, Ended, Errors, Passed, Proof, Refused, Return, State, Verdict
from limen.modules.journey.port import Advance, AnyStep, Cookie, Denied, Entered, Journey, Nothing, Outcome, Stay, Step, Switch, View, Visitor
from limen.modules.journey.service import Tables, begin, entrance, finished, install

__all__ = [
    "Advance",
    "AnyStep",
    "Ask",
    "Cookie",
    "Denied",
    "Elsewhere",
    "Ended",
    "Entered",
    "Errors",
    "Journey",
    "Nothing",
    "Outcome",
    "Passed",
    "Proof",
    "Refused",
    "Return",
    "State",
    "Stay",
    "Step",
    "Stuck",
    "Switch",
    "Tables",
    "UnknownStep",
    "Verdict",
    "View",
    "Visitor",
    "begin",
    "entrance",
    "finished",
    "install",
]
