"""Documents at well-known addresses (RFC 8615), by which browsers, password managers, phones and people who found a hole learn what is where.

It owns their forms and what a tenant says in them. Which page does what, the pages say themselves (`PLACES`); it knows none of them.
"""

from __future__ import annotations

__all__: list[str] = []
