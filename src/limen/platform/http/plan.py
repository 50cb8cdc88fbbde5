"""An endpoint, prepared: everything that can be known before a request comes."""

from __future__ import annotations

import msgspec

from limen.platform.http.endpoint import FORM_MEDIA, Endpoint, WhoKind
from limen.platform.http.policy import Fields, document_fields
from limen.platform.http.refusing import speaks_pages, translator
from limen.platform.telemetry import Traffic
from limen.platform.wire.forms import Form

_SAFE: frozenset[str] = frozenset({"GET", "HEAD"})


class Plan:
    """What the edge does for an endpoint, as values that are looked at rather than worked out."""

    __slots__ = (
        "csrf", "dev", "document", "endpoint", "guarded", "json", "limit", "media", "paced", "packs", "pages", "posts_page", "query", "reads", "reads_form",
        "repeatable", "scope", "session", "struct", "traffic", "translate",
    )  # fmt: skip

    def __init__(self, endpoint: Endpoint, traffic: Traffic, *, production: bool) -> None:
        kind = endpoint.who.kind
        takes = endpoint.takes
        self.endpoint = endpoint
        self.traffic = traffic
        self.translate = translator(endpoint)
        self.pages = speaks_pages(endpoint)
        self.session = kind is WhoKind.SESSION
        self.scope = endpoint.who.scope
        self.dev = kind is WhoKind.DEV
        self.paced = kind in (WhoKind.PROTOCOL, WhoKind.SCOPE)
        """Whether a source that was refused too often has to wait; people behind one address are not made to."""
        changes = endpoint.method not in _SAFE
        self.csrf = changes and (self.pages or self.session) if endpoint.csrf is None else endpoint.csrf
        self.guarded = self.csrf or self.session or self.dev or bool(self.scope)
        """Whether anything has to be checked before the body is read; beside the pace, where somebody was refused."""
        self.posts_page = self.pages and endpoint.method == "POST"
        self.reads = takes is not None
        self.media = tuple(media.encode("ascii") for media in endpoint.media_taken)
        self.reads_form = FORM_MEDIA in endpoint.media_taken and takes is not bytes
        self.struct: type[msgspec.Struct] | None = takes if takes is not None and issubclass(takes, msgspec.Struct) else None
        self.limit = endpoint.limit_taken
        self.repeatable = endpoint.repeatable
        self.query = endpoint.query
        self.packs = kind in (WhoKind.PUBLIC, WhoKind.SESSION, WhoKind.DEV)
        """Whether the answer may be compressed: not where a secret of ours and a word of the client's stand side by side unmasked."""
        self.document: Fields = document_fields(endpoint.cors, production=production)
        old: Fields = [(b"pragma", b"no-cache")] if kind is WhoKind.PROTOCOL else []  # RFC 6749, section 5.1
        self.json: Fields = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *old, *self.document]
        if takes is Form and not self.reads_form:
            raise ValueError(f"{endpoint.path}: a form is {FORM_MEDIA}")
        if self.struct is not None and self.reads_form != (self.media == (FORM_MEDIA.encode(),)):
            raise ValueError(f"{endpoint.path}: one Struct is read from forms or from JSON, not from both")
