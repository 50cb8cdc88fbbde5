"""Use cases of notices."""

from __future__ import annotations

from limen.modules.notices.service.limiting import may_send
from limen.modules.notices.service.sending import send
from limen.modules.notices.service.transports import flaws, install

__all__ = ["flaws", "install", "may_send", "send"]
