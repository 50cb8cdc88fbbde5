"""Approvals: owns the questions that apps put to people who are not at them, how often that may be, and what was answered.

Knows no protocol, no session and no message: whoever asks tells the person, and whoever takes her answer knows how she is signed in. What
follows from an answer listens to its facts.
"""

from __future__ import annotations

from limen.modules.approvals.errors import AlreadySettled, NoSuchApproval
from limen.modules.approvals.facts import ApprovalAsked, ApprovalDenied, ApprovalExpired, ApprovalGiven, ApprovalsCleared, AskingLimited
from limen.modules.approvals.model import LATE, Answer, Approval, Misfit, Question, State, Unasked
from limen.modules.approvals.service import Listed, answer, ask, find, list_of, question, use, waiting

__all__ = [
    "LATE",
    "AlreadySettled",
    "Answer",
    "Approval",
    "ApprovalAsked",
    "ApprovalDenied",
    "ApprovalExpired",
    "ApprovalGiven",
    "ApprovalsCleared",
    "AskingLimited",
    "Listed",
    "Misfit",
    "NoSuchApproval",
    "Question",
    "State",
    "Unasked",
    "answer",
    "ask",
    "find",
    "list_of",
    "question",
    "use",
    "waiting",
]
