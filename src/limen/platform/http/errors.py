"""What is wrong with a request before any module sees it, and the HTTP status of every error."""

from __future__ import annotations

from typing import ClassVar, Final

from limen.kernel.errors import Kind, LimenError

_STATUS: Final = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.LIMITED: 429,
    Kind.UNAVAILABLE: 503,
    Kind.BROKEN: 500,
}


class HttpError(LimenError):
    """A request that HTTP itself refuses. `headers` go out with the answer."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "bad_request"
    status: ClassVar[int] = 400

    def __init__(self, public: str = "", *, operator: str = "", retry_after: int | None = None, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(public, operator=operator, retry_after=retry_after)
        self.headers = headers


class BadRequest(HttpError):
    """Malformed: a header given twice, a path that is no text, a missing Host."""


class CertificateUnreadable(HttpError):
    """A trusted proxy sent a `Client-Cert` that is not as RFC 9440 wants it, or two: the proxy's settings are to be mended."""

    code: ClassVar[str] = "certificate_unreadable"


class NotSignedIn(HttpError):
    """The endpoint is for signed-in people, and nobody is."""

    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    code: ClassVar[str] = "not_signed_in"
    status: ClassVar[int] = 401


class BearerRefused(HttpError):
    """No access token, or one that does not do (RFC 6750, section 3); `error` is empty where none was shown."""

    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    code: ClassVar[str] = "invalid_token"
    status: ClassVar[int] = 401

    def __init__(self, public: str, *, error: str, headers: tuple[tuple[str, str], ...]) -> None:
        super().__init__(public, headers=headers)
        self.error = error


class ScopeMissing(BearerRefused):
    """The access token is good, and not for this (RFC 6750, section 3.1: insufficient_scope)."""

    kind: ClassVar[Kind] = Kind.FORBIDDEN
    code: ClassVar[str] = "insufficient_scope"
    status: ClassVar[int] = 403


class Forged(HttpError):
    """A form that this browser was not given by us, or that is too old."""

    kind: ClassVar[Kind] = Kind.FORBIDDEN
    code: ClassVar[str] = "forged"
    status: ClassVar[int] = 403


class NoSuchPlace(HttpError):
    """No endpoint has this path."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code: ClassVar[str] = "not_found"
    status: ClassVar[int] = 404


class MethodRefused(HttpError):
    """The path is known, the method is not for it; `Allow` goes with it."""

    code: ClassVar[str] = "method_not_allowed"
    status: ClassVar[int] = 405


class TooSlow(HttpError):
    """The body did not come in time."""

    code: ClassVar[str] = "request_timeout"
    status: ClassVar[int] = 408


class TooLarge(HttpError):
    """The body is longer than this endpoint takes."""

    code: ClassVar[str] = "content_too_large"
    status: ClassVar[int] = 413


class WrongMedia(HttpError):
    """The body is of a media type this endpoint does not take."""

    code: ClassVar[str] = "unsupported_media_type"
    status: ClassVar[int] = 415


class Misdirected(HttpError):
    """Nobody is served under this Host."""

    code: ClassVar[str] = "misdirected_request"
    status: ClassVar[int] = 421


class SlowDown(HttpError):
    """Too many refusals from one source."""

    kind: ClassVar[Kind] = Kind.LIMITED
    code: ClassVar[str] = "slow_down"
    status: ClassVar[int] = 429


class HeadersTooLarge(HttpError):
    """More or longer header fields than any honest client sends."""

    code: ClassVar[str] = "headers_too_large"
    status: ClassVar[int] = 431


class Unexpected(HttpError):
    """A defect of ours. The client learns the reference under which the log has the rest."""

    kind: ClassVar[Kind] = Kind.BROKEN
    code: ClassVar[str] = "unexpected"
    status: ClassVar[int] = 500

    def __init__(self, reference: str) -> None:
        super().__init__(f"Something went wrong on our side. Reference: {reference}")
        self.reference = reference


class ClientGone(Exception):
    """The client hung up; there is nobody to answer."""


def status_of(error: LimenError) -> int:
    """Return the HTTP status of an error: its own, or that of its kind."""
    return error.status if isinstance(error, HttpError) else _STATUS[error.kind]


def status_of_kind(kind: type[LimenError]) -> int:
    """Return the status that errors of a class are answered with; for the description of the API."""
    return kind.status if issubclass(kind, HttpError) else _STATUS[kind.kind]
