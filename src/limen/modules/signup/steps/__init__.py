"""The steps of signing up, and their order."""

from __future__ import annotations

from typing import Final

from limen.modules import signin
from limen.modules.journey import AnyStep, Journey
from limen.modules.signup.steps.address import EXISTING, IDENTIFY, PROVE
from limen.modules.signup.steps.person import CREATE, NAME, PASSWORD

STEPS: Final[tuple[AnyStep, ...]] = (IDENTIFY, PROVE, EXISTING, PASSWORD, NAME, CREATE)

JOURNEYS: Final = (
    Journey(
        kind=signin.SIGN_UP,
        opens="/signup",
        steps=(
            "signup.identify",
            "signin.send_code",
            "signup.prove",
            "signup.existing",
            "signup.password",
            "signup.name",
            "signup.create",
            "consents.terms",
            "signin.enter",
            "consents.note_terms",
            "consents.consent",
        ),
    ),
)
