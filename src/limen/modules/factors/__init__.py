"""How a person proves who she is: the host of all factors.

It owns what accounts have enrolled, the challenges in the air and the count of failures in a row. It counts every attempt before it checks
it, sends codes, closes a factor that failed too often, records what happened, and mints each `Proof`. What a password or a code *is*, an
extension in `extensions/factors` says with pure functions. It does not know when a factor is enough: that is for `signin` to judge.
"""

from __future__ import annotations

from limen.modules.factors.errors import UnknownFactor
from limen.modules.factors.model import (
    MOST_FAILURES,
    Checked,
    Claim,
    Context,
    Enrolled,
    Matched,
    NotSent,
    Order,
    Over,
    Prepared,
    Purpose,
    Sent,
    Wait,
    Wrong,
    wait_after,
)
from limen.modules.factors.port import Answer, Challenge, Chosen, Factor, Making, Match, Means, Mismatch, Sending, Trial, Unfit, typed_digits
from limen.modules.factors.service import attempt, challenge, confirm, enrol, factor, install, kinds, list_of, making, prepare, present, remove, shown
from limen.modules.factors.steps import ADD, REMOVE, SECURITY

__all__ = [
    "ADD",
    "MOST_FAILURES",
    "REMOVE",
    "SECURITY",
    "Answer",
    "Challenge",
    "Checked",
    "Chosen",
    "Claim",
    "Context",
    "Enrolled",
    "Factor",
    "Making",
    "Match",
    "Matched",
    "Means",
    "Mismatch",
    "NotSent",
    "Order",
    "Over",
    "Prepared",
    "Purpose",
    "Sending",
    "Sent",
    "Trial",
    "Unfit",
    "UnknownFactor",
    "Wait",
    "Wrong",
    "attempt",
    "challenge",
    "confirm",
    "enrol",
    "factor",
    "install",
    "kinds",
    "list_of",
    "making",
    "prepare",
    "present",
    "remove",
    "shown",
    "typed_digits",
    "wait_after",
]
