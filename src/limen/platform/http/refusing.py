"""How errors are told: problem+json (RFC 9457), OAuth's JSON (RFC 6749, section 5.2), or a page."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.kernel.errors import Kind, LimenError
from limen.platform.http.answers import Answer, Headers, Raw
from limen.platform.http.endpoint import Cors, Endpoint, Translate, WhoKind
from limen.platform.http.errors import HttpError, Unexpected, status_of
from limen.platform.pages import error_page
from limen.platform.wire.bodies import BadJson
from limen.platform.wire.forms import BadForm

_SHORTLY: Final = 5
"""Seconds after which what cannot be done right now is tried again, where nobody knows better."""
_SENTENCES: Final = {
    Kind.INVALID: "The request is not as it should be.",
    Kind.UNAUTHENTICATED: "Authentication is needed.",
    Kind.FORBIDDEN: "This is not allowed.",
    Kind.NOT_FOUND: "There is no such thing.",
    Kind.CONFLICT: "This does not fit what is there already.",
    Kind.LIMITED: "Too many requests; try again later.",
    Kind.UNAVAILABLE: "This cannot be done right now; try again later.",
    Kind.BROKEN: "Something went wrong on our side.",
}
_OAUTH: Final = {
    Kind.INVALID: "invalid_request",
    Kind.UNAUTHENTICATED: "invalid_client",
    Kind.FORBIDDEN: "access_denied",
    Kind.NOT_FOUND: "invalid_request",
    Kind.CONFLICT: "invalid_request",
    Kind.LIMITED: "slow_down",
    Kind.UNAVAILABLE: "temporarily_unavailable",
    Kind.BROKEN: "server_error",
}


class Problem(msgspec.Struct, frozen=True):
    """An error of the API (RFC 9457). `code` is stable and for programs; `detail` is for people; `title` goes with the code's kind."""

    status: int
    code: str
    title: str
    detail: str
    type: str = "about:blank"


class OAuthError(msgspec.Struct, frozen=True):
    """An error of a protocol endpoint (RFC 6749, section 5.2)."""

    error: str
    error_description: str


def public_text(error: LimenError) -> str:
    """Return what the client may read."""
    if error.kind is Kind.BROKEN and not isinstance(error, Unexpected):
        return _SENTENCES[Kind.BROKEN]
    return error.public or _SENTENCES[error.kind]


def error_headers(error: LimenError) -> Headers:
    """Return what goes out with an error beside its text: Retry-After, Allow, WWW-Authenticate."""
    own = error.headers if isinstance(error, HttpError) else ()
    seconds = _retry_after(error)
    return own if seconds is None else (*own, ("retry-after", str(seconds)))


def _retry_after(error: LimenError) -> int | None:
    """Return after how many seconds it is worth trying again; a 503 always says so."""
    return _SHORTLY if error.retry_after is None and error.kind is Kind.UNAVAILABLE else error.retry_after


def as_problem(error: LimenError) -> Answer:
    """Tell it as problem+json."""
    problem = Problem(status_of(error), error.code, _SENTENCES[error.kind], public_text(error))
    return Raw(msgspec.json.encode(problem), "application/problem+json", problem.status, error_headers(error))


def as_oauth(error: LimenError) -> Answer:
    """Tell it as OAuth does. The door knows better codes for its own refusals; these are for what the edge refuses."""
    text = "".join(letter if letter.isprintable() and letter.isascii() and letter not in '"\\' else "'" for letter in public_text(error))
    body = msgspec.json.encode(OAuthError(_OAUTH[error.kind], text))
    return Raw(body, "application/json", status_of(error), error_headers(error))


def as_page(error: LimenError) -> Answer:
    """Tell it as a page that says what to do next; what is malformed is told in plain words, not in ours."""
    technical = isinstance(error, (HttpError, BadForm, BadJson)) or error.kind in (Kind.BROKEN, Kind.UNAVAILABLE) or not error.public
    reference = error.reference if isinstance(error, Unexpected) else ""
    return error_page(status_of(error), text=None if technical else error.public, retry_after=_retry_after(error), reference=reference)


def translator(endpoint: Endpoint) -> Translate:
    """Return how an endpoint tells its errors."""
    if endpoint.refuse is not None:
        return endpoint.refuse
    if endpoint.who.kind is WhoKind.PROTOCOL:
        return as_oauth
    return as_page if speaks_pages(endpoint) else as_problem


def speaks_pages(endpoint: Endpoint) -> bool:
    """Whether people meet the endpoint in a browser, so that cookies count and the rules of pages hold."""
    by_program = endpoint.who.kind in (WhoKind.PROTOCOL, WhoKind.SCOPE) or endpoint.cors is not Cors.NEVER
    return not (by_program or endpoint.api or endpoint.takes_json or endpoint.path.endswith(".json"))
