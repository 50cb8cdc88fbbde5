"""Use cases of factors."""

from __future__ import annotations

from limen.modules.factors.service.attempt import attempt, confirm
from limen.modules.factors.service.enrolment import enrol, list_of, making, prepare, present, remove, shown
from limen.modules.factors.service.registry import factor, install, kinds
from limen.modules.factors.service.sending import challenge

__all__ = ["attempt", "challenge", "confirm", "enrol", "factor", "install", "kinds", "list_of", "making", "prepare", "present", "remove", "shown"]
