"""Delivers messages, after the Work that ordered them. Each channel has jobs and places of its own, so that none waits for another's relay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from limen.modules import keys
from limen.modules.notices.jobs.mail import MAIL
from limen.modules.notices.jobs.order import Order
from limen.modules.notices.jobs.texts import SMS_JOB, VOICE_JOB
from limen.modules.notices.model import COUNTS, EMAIL, SMS, VOICE
from limen.platform.outbox import JobKind

__all__ = ["BY_CHANNEL", "JOBS", "KEPT", "MAIL", "Order"]

BY_CHANNEL: Final[Mapping[str, JobKind[Order]]] = {EMAIL: MAIL, SMS: SMS_JOB, VOICE: VOICE_JOB}
JOBS: Final = tuple(BY_CHANNEL.values())
KEPT: Final[keys.Keeping] = {COUNTS: None}
