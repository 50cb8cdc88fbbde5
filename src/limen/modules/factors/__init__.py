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
from limen.modules.factors.port import Answer, Challenge, Chosen, Factor, Match, Mismatch, Sending, Unfit
from limen.modules.factors.service import attempt, challenge, confirm, enrol, factor, install, kinds, list_of, prepare, remove

__all__ = [
    "MOST_FAILURES",
    "Answer",
    "Challenge",
    "Checked",
    "Chosen",
    "Claim",
    "Context",
    "Enrolled",
    "Factor",
    "Match",
    "Matched",
    "Mismatch",
    "NotSent",
    "Order",
    "Over",
    "Prepared",
    "Purpose",
    "Sending",
    "Sent",
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
    "prepare",
    "remove",
    "wait_after",
]
