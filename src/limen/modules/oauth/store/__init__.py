"""The tables of the door: requests that wait, what was shown once, and in files of their own `devices`, `backchannel` (people asked) and `watch`."""

from __future__ import annotations

from limen.modules.oauth.store import backchannel, devices, watch
from limen.modules.oauth.store.replays import REPLAYS, ReplayKind, drop_shown, show, show_first
from limen.modules.oauth.store.requests import LIFETIME, REQUESTS, RequestKind, Slot, add, add_named, any_left, drop_old, find, prolong, take

__all__ = [
    "LIFETIME",
    "REPLAYS",
    "REQUESTS",
    "ReplayKind",
    "RequestKind",
    "Slot",
    "add",
    "add_named",
    "any_left",
    "backchannel",
    "devices",
    "drop_old",
    "drop_shown",
    "find",
    "prolong",
    "show",
    "show_first",
    "take",
    "watch",
]
