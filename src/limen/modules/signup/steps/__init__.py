"""The steps of signing up, and their order."""

from __future__ import annotations

from typing import Final

from limen.modules import signin
from limen.modules.journey import AnyStep, Journey
from limen.modules.signup.steps.address import CREATE, EXISTING, IDENTIFY, PROVE
from limen.modules.signup.steps.person import NAME, PASSWORD

STEPS: Final[tuple[AnyStep, ...]] = (IDENTIFY, PROVE, EXISTING, CREATE, PASSWORD, NAME)

JOURNEYS: Final = (
    Journey(
        kind=signin.SIGN_UP,
        opens="/signup",
        steps=(
            "signup.identify",
            "signin.send_code",
            "signup.prove",
            "signup.existing",
            "signup.create",
            "signup.password",
            "signup.name",
            "signin.enter",
            "consents.consent",
        ),
    ),
)
