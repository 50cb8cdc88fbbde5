"""The customer's pages that belong to no single subject: the start page, and the questions apps put to her while she is not at them."""

from __future__ import annotations

from typing import Final

from limen.modules.portal.pages import approvals, start

RESUMES: Final = start.RESUMES
CARDS: Final = (*start.CARDS, *approvals.CARDS)
PLACES: Final = start.PLACES
ENDPOINTS: Final = (*start.ENDPOINTS, *approvals.ENDPOINTS)

__all__ = ["CARDS", "ENDPOINTS", "PLACES", "RESUMES"]
