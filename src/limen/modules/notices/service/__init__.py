"""Use cases of notices."""

from __future__ import annotations

from limen.modules.notices.service.limiting import may_send
from limen.modules.notices.service.sending import send
from limen.modules.notices.service.transports import check, install

__all__ = ["check", "install", "may_send", "send"]
