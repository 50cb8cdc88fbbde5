"""The steps of signing in and of recovering, and the tables that order them."""

from __future__ import annotations

from typing import Final

from limen.modules import factors
from limen.modules.journey import AnyStep, Journey
from limen.modules.signin.model import RECOVER, SIGN_IN
from limen.modules.signin.steps.arrive import CREATE, RESUME, SELECT_ACCOUNT
from limen.modules.signin.steps.begin import IDENTIFY
from limen.modules.signin.steps.enter import ENTER
from limen.modules.signin.steps.identify import RECOVER_IDENTIFY
from limen.modules.signin.steps.prove import PROVE, RECOVER_PROVE, SECOND, SEND_CODE
from limen.modules.signin.steps.recover import ADMIT, NEW_PASSWORD, REPLACE_PASSWORD

STEPS: Final[tuple[AnyStep, ...]] = (
    CREATE,
    RESUME,
    SELECT_ACCOUNT,
    IDENTIFY,
    SEND_CODE,
    PROVE,
    ENTER,
    RECOVER_IDENTIFY,
    RECOVER_PROVE,
    SECOND,
    ADMIT,
    NEW_PASSWORD,
    REPLACE_PASSWORD,
)

_FIT: Final = ("signin.admit", "signin.replace_password")
"""What stands after the proofs: a password that attackers know is changed before she is in."""
_FRESH: Final = ("signin.resume", "signin.identify", "signin.send_code", "signin.prove", *_FIT, "signin.enter")
"""What stands before a change of what a person signs in with: she signs in anew, unless she has just done so."""

JOURNEYS: Final = (
    Journey(kind=factors.ADD, steps=(*_FRESH, "factors.pick", "factors.add")),
    Journey(kind=factors.REMOVE, steps=(*_FRESH, "factors.remove")),
    Journey(
        kind=SIGN_IN,
        opens="/signin",
        steps=(
            "signin.create",
            "signin.resume",
            "signin.select_account",
            "signin.identify",
            "signin.send_code",
            "signin.prove",
            *_FIT,
            "consents.terms",
            "signin.enter",
            "consents.note_terms",
            "consents.consent",
        ),
    ),
    Journey(
        kind=RECOVER,
        opens="/recover",
        steps=(
            "signin.recover_identify",
            "signin.send_code",
            "signin.recover_prove",
            "signin.second",
            "signin.admit",
            "signin.new_password",
            "consents.terms",
            "signin.enter",
            "consents.note_terms",
            "consents.consent",
        ),
    ),
)
