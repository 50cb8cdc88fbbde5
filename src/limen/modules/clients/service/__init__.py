"""Use cases of clients: saving and finding them, letting them register, and handing out tokens for that."""

from __future__ import annotations

from limen.modules.clients.service.documents import documented, save_document
from limen.modules.clients.service.policy import is_vouched_for, openness, policy, policy_of, refusals
from limen.modules.clients.service.records import Held, drop, every, find, hold, list_of, named, rotate_secret, save, sealing, shared_secret, take
from limen.modules.clients.service.registering import Proposal, change, drop_unused, keep, managed, propose, register, unused
from limen.modules.clients.service.statements import Vouched, vouched
from limen.modules.clients.service.tokens import drop_token, find_token, list_tokens, look_at_token, make_token

__all__ = [
    "Held",
    "Proposal",
    "Vouched",
    "change",
    "documented",
    "drop",
    "drop_token",
    "drop_unused",
    "every",
    "find",
    "find_token",
    "hold",
    "is_vouched_for",
    "keep",
    "list_of",
    "list_tokens",
    "look_at_token",
    "make_token",
    "managed",
    "named",
    "openness",
    "policy",
    "policy_of",
    "propose",
    "refusals",
    "register",
    "rotate_secret",
    "save",
    "save_document",
    "sealing",
    "shared_secret",
    "take",
    "unused",
    "vouched",
]
