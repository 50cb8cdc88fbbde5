"""Use cases of signing in."""

from __future__ import annotations

from limen.modules.signin.service.answering import AGAIN, SENT, Misfit, answered, check, resend_in, send
from limen.modules.signin.service.browser import DEVICE, device_of, forgetting_cookie, open_session
from limen.modules.signin.service.standing import identifiers, is_enough, methods, owes_second, seconds, still_holds

__all__ = [
    "AGAIN",
    "DEVICE",
    "SENT",
    "Misfit",
    "answered",
    "check",
    "device_of",
    "forgetting_cookie",
    "identifiers",
    "is_enough",
    "methods",
    "open_session",
    "owes_second",
    "resend_in",
    "seconds",
    "send",
    "still_holds",
]
