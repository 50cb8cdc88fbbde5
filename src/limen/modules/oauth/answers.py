"""How the door says yes and no in JSON (RFC 6749, sections 5.1 and 5.2), with the headers that belong to it."""

from __future__ import annotations

from typing import Final

from limen.modules.oauth import advice
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.model import ErrorBody
from limen.platform.http import Call, Json

_STATUS: Final = {
    Code.INVALID_CLIENT: 401,
    Code.INVALID_TOKEN: 401,
    Code.INSUFFICIENT_SCOPE: 403,
    Code.TEMPORARILY_UNAVAILABLE: 503,
    Code.SERVER_ERROR: 500,
}


def refused(refusal: Refused, issuer: str, headers: tuple[tuple[str, str], ...] = ()) -> Json:
    """Return the answer to a request of a client that is refused; the log has a line that says what to do."""
    advice.tell(refusal)
    if refusal.code is Code.INVALID_CLIENT:
        headers = (("www-authenticate", f'Basic realm="{issuer}"'), *headers)
    return Json(ErrorBody(refusal.code.value, refusal.why), _STATUS.get(refusal.code, 400), headers)


async def turned_away(call: Call, refusal: Refused, headers: tuple[tuple[str, str], ...] = ()) -> Json:
    """Return the same, the refusal counted with its like."""
    await call.refused(refusal.reason)
    return refused(refusal, call.site.issuer, headers)


def describes(code: str, text: str) -> ErrorBody:
    """Return an error whose description has only letters that its specification allows (RFC 6749, section 5.2)."""
    return ErrorBody(code, "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "'" for letter in text))
