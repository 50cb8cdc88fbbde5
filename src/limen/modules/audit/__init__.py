"""Audit: the log of facts as people read it: searched by subject, kind, actor and time, page by page, or followed.

Knows no fact's meaning: whoever records a fact owns it, and the storage owns the table. What is sealed stays sealed here.
"""

from __future__ import annotations

from limen.modules.audit.errors import BadPosition, BadSearch
from limen.modules.audit.model import Entry, Page, Position, Search
from limen.modules.audit.service import search, settled, tail

__all__ = ["BadPosition", "BadSearch", "Entry", "Page", "Position", "Search", "search", "settled", "tail"]
