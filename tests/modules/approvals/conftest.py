"""The door, and the API beside it."""

from __future__ import annotations

from tests.modules.oauth.conftest import door
from tests.modules.oauth.test_ciba import called

__all__ = ["called", "door"]
