"""How long the documents that everybody may read can be kept by whoever asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from limen.platform.http.answers import Headers

if TYPE_CHECKING:
    from limen.platform.http.call import Call

_KEPT: Final[Headers] = (("cache-control", "public, max-age=300"),)
_KEPT_IN_DEV: Final[Headers] = (("cache-control", "public, max-age=5"),)


def kept_for_all(call: Call) -> Headers:
    """Return the header of what everybody may read and keep for five minutes, in dev mode five seconds: metadata and public keys."""
    return _KEPT_IN_DEV if call.site.dev else _KEPT
