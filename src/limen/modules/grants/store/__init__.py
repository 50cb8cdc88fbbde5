"""Tables of grants, codes and tokens, and all that is said to them."""

from __future__ import annotations

from limen.modules.grants.store import codes, grants, tokens

__all__ = ["codes", "grants", "tokens"]
