"""Signing in: it leads a person from her address to a session, and judges when what she proved is enough.

It owns the steps and tables of the journeys `sign_in` and `recover`, the cookie of browsers it knows, and the step `signin.enter`, with which
every journey ends that ends signed in: only it mints `Passed`. How a factor works, `factors` knows; what a session is, `sessions`.
"""

from __future__ import annotations

from limen.modules.signin.facts import PasswordRecovered, SignInRefused
from limen.modules.signin.model import RECOVER, SIGN_IN, SIGN_UP, falls_short, is_fresh, judge, reaches
from limen.modules.signin.service import resend_in, still_holds
from limen.modules.signin.steps.arrive import past_create
from limen.modules.signin.steps.identify import TYPED, Identify, app_of, identified, prefill, typed
from limen.modules.signin.steps.identify import check as check_address
from limen.modules.signin.steps.prove import ENTERED, MAILBOX, check, fields_of, no_mailbox_yet, nobody, proved, resend
from limen.modules.signin.steps.recover import PASSWORD, NewPassword, advice, prepare_password, unfit

__all__ = [
    "ENTERED",
    "MAILBOX",
    "PASSWORD",
    "RECOVER",
    "SIGN_IN",
    "SIGN_UP",
    "TYPED",
    "Identify",
    "NewPassword",
    "PasswordRecovered",
    "SignInRefused",
    "advice",
    "app_of",
    "check",
    "check_address",
    "falls_short",
    "fields_of",
    "identified",
    "is_fresh",
    "judge",
    "no_mailbox_yet",
    "nobody",
    "past_create",
    "prefill",
    "prepare_password",
    "proved",
    "reaches",
    "resend",
    "resend_in",
    "still_holds",
    "typed",
    "unfit",
]
