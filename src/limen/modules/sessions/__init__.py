"""Sessions: owns who is signed in with which browser, since when, how strongly, and until when.

It knows no factor and no journey's steps: it asks for `Passed`, the proof that somebody had enough of them. What follows from a session
(grants, tokens) listens to its facts. A session is asked for in the database each time, never in a cache. The edge's question who is
signed in is answered by `signed_in` in `api`, apart, so that commands need no HTTP.
"""

from __future__ import annotations

from limen.modules.sessions.errors import NoSuchSession
from limen.modules.sessions.facts import AllEnded, SessionEnded, SessionOpened, SessionRenewed
from limen.modules.sessions.model import COOKIE, STATE, EndReason, Listed, Opened, Place, Session
from limen.modules.sessions.service import by_secret, end, end_all, find, is_due, keep, list_of, open, renew, touch  # noqa: A004 - sessions.open
from limen.modules.sessions.store import living

__all__ = [
    "COOKIE",
    "STATE",
    "AllEnded",
    "EndReason",
    "Listed",
    "NoSuchSession",
    "Opened",
    "Place",
    "Session",
    "SessionEnded",
    "SessionOpened",
    "SessionRenewed",
    "by_secret",
    "end",
    "end_all",
    "find",
    "is_due",
    "keep",
    "list_of",
    "living",
    "open",
    "renew",
    "touch",
]
