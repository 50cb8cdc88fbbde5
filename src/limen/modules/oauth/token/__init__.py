"""The token endpoint (RFC 6749, section 3.2): the phases every grant shares stand in `endpoint`; a grant fills in only its own."""

from __future__ import annotations

from limen.modules.oauth.token.endpoint import ENDPOINTS, GRANTS

__all__ = ["ENDPOINTS", "GRANTS"]
