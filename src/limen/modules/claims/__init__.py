"""Claims: what an app is told of a person, and under which name (`sub`) it knows her. Owns pairwise subjects.

Knows no protocol: it is given scopes and what was asked for, and returns values; who the token is for, and whether it stands, is the door's.
"""

from __future__ import annotations

from limen.modules.claims.model import BY_SCOPE, Asking, Requested, Use, sector_of
from limen.modules.claims.service.planning import adds, covering, supported
from limen.modules.claims.service.releasing import of
from limen.modules.claims.service.subjects import account_of, subject
from limen.platform.expressions import JsonValue

__all__ = ["BY_SCOPE", "Asking", "JsonValue", "Requested", "Use", "account_of", "adds", "covering", "of", "sector_of", "subject", "supported"]
