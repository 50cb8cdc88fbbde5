"""Clients over HTTP, in the words of RFC 7591, section 2, and RFC 7592."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from limen.modules.clients.api import endpoints, tokens
from limen.modules.clients.api.metadata import MoreMetadata, more_of

if TYPE_CHECKING:
    from limen.platform.http import Endpoint

ENDPOINTS: Final[tuple[Endpoint, ...]] = (*endpoints.ENDPOINTS, *tokens.ENDPOINTS)

__all__ = ["ENDPOINTS", "MoreMetadata", "more_of"]
