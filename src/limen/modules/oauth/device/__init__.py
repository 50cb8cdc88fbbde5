"""The device authorization grant (RFC 8628): a device without a browser shows a code, and a person types it on her phone.

Three parts: the device asks (`endpoint`), the person answers (`pages`), the device fetches what she allowed (`token.device_code`).
Nothing is allowed by opening a link: the person presses a button, sees which app asks from where, and says yes.
"""

from __future__ import annotations

from limen.modules.oauth.device import endpoint, pages, qr

DOOR = pages.DOOR
RESUMES = {pages.DOOR: pages.RESUME}
"""Where journeys come back to that began with a code."""
ENDPOINTS = (*endpoint.ENDPOINTS, *pages.ENDPOINTS, *qr.ENDPOINTS)

__all__ = ["DOOR", "ENDPOINTS", "RESUMES"]
