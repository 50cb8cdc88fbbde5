"""What a person is asked on her way: the tenant's terms, and what an app may have."""

from __future__ import annotations

from typing import Final

from limen.modules.consents.steps.consent import CONSENT
from limen.modules.consents.steps.terms import NOTE_TERMS, TERMS
from limen.modules.journey import AnyStep

STEPS: Final[tuple[AnyStep, ...]] = (TERMS, NOTE_TERMS, CONSENT)
