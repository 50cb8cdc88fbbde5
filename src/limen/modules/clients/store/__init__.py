"""Tables of clients, of how they came, and of the tokens with which they may come."""

from __future__ import annotations

from limen.modules.clients.store import clients, registrations, tokens

__all__ = ["clients", "registrations", "tokens"]
