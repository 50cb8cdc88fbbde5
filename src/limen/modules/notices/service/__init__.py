"""Use cases of notices."""

from __future__ import annotations

from limen.modules.notices.service.sending import may_send, send

__all__ = ["may_send", "send"]
