"""Use cases of grants: codes, refreshing, access tokens, ending."""

from __future__ import annotations

from limen.modules.grants.service.codes import Made, Terms, issue_code, limits, make, make_now, use_code
from limen.modules.grants.service.ending import end, end_all, end_of_client, end_of_session
from limen.modules.grants.service.refresh import Held, by_refresh, family_of, prolong, rotate, take_refresh
from limen.modules.grants.service.tokens import add_opaque, by_opaque, clients_of_session, drop_opaque, find, is_revoked, list_of, revoke_id, standing

__all__ = [
    "Held",
    "Made",
    "Terms",
    "add_opaque",
    "by_opaque",
    "by_refresh",
    "clients_of_session",
    "drop_opaque",
    "end",
    "end_all",
    "end_of_client",
    "end_of_session",
    "family_of",
    "find",
    "is_revoked",
    "issue_code",
    "limits",
    "list_of",
    "make",
    "make_now",
    "prolong",
    "revoke_id",
    "rotate",
    "standing",
    "take_refresh",
    "use_code",
]
