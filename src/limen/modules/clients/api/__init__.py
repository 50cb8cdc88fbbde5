"""Clients over HTTP, in the words of RFC 7591, section 2, and RFC 7592."""

from __future__ import annotations

from limen.modules.clients.api.endpoints import ENDPOINTS
from limen.modules.clients.api.metadata import MoreMetadata, more_of

__all__ = ["ENDPOINTS", "MoreMetadata", "more_of"]
