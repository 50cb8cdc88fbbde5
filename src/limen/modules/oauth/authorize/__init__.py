"""The authorization endpoint (RFC 6749, section 3.1; OpenID Connect Core 1.0, 3.1.2): by GET, by POST, and back from a journey.

A request from an unknown client or to an unregistered address ends at a page of ours and never leaves it. Everything else goes back to the
app: a code, or an error with its `state` and our `iss` (RFC 9207).
"""

from __future__ import annotations

from limen.modules.oauth.authorize.endpoint import DOOR, ENDPOINTS, RESUMES

__all__ = ["DOOR", "ENDPOINTS", "RESUMES"]
