"""Back-channel authentication requests (CIBA Core 1.0, section 7): an app names a person who is not at it, and she is asked where she is."""

from __future__ import annotations

from typing import Final

from limen.modules.oauth.backchannel_authentication import approve, endpoint

ENDPOINTS: Final = (*endpoint.ENDPOINTS, *approve.ENDPOINTS)

__all__ = ["ENDPOINTS"]
