"""One request, as an endpoint sees it. What costs something is read when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from limen.kernel.facts import Actor, ActorKind, Origin
from limen.kernel.ids import AccountId, SessionId, TenantId
from limen.platform.duties import Settings
from limen.platform.http.browser import Browser
from limen.platform.http.certificate import FIELD, certificate_in
from limen.platform.http.cookies import Cookies, full_name
from limen.platform.http.endpoint import Endpoint
from limen.platform.http.errors import CertificateUnreadable, NotSignedIn
from limen.platform.http.gate import Access
from limen.platform.http.headers import RequestHeaders
from limen.platform.http.site import Place, Site
from limen.platform.wire import forms
from limen.platform.wire.forms import Form

if TYPE_CHECKING:
    from limen.platform.http.house import House
    from limen.platform.sql import Database, Read, Work

T = TypeVar("T")

LANGUAGE: Final = "l"
"""Name of the cookie that keeps the language chosen."""

_LONGEST_AGENT: Final = 512
NO_PARTS: Final[Mapping[str, str]] = MappingProxyType({})
"""Of a path without parameters."""


class Call:
    """A request to one endpoint of one tenant. Endpoints read it; only `language` and `actor` may be set, by who knows better."""

    __slots__ = (
        "_actor", "_body", "_browser", "_cookies", "_form", "_headers", "_language", "_origin", "_query", "_query_struct", "_raw", "_session",
        "access", "endpoint", "house", "method", "nonce", "parts", "path", "peer", "place", "query_string", "raw_headers", "site",
    )  # fmt: skip

    def __init__(self, house: House, place: Place, endpoint: Endpoint, raw_headers: dict[bytes, bytes], path: str) -> None:
        self.house = house
        self.place = place
        self.site: Site = place.site
        self.endpoint = endpoint
        self.raw_headers = raw_headers
        self.path = path
        """As in the address bar, with the tenant's prefix, percent-encoded."""
        self.method = endpoint.method
        self.parts = NO_PARTS
        """The path's parameters, decoded."""
        self.peer = ""
        self.query_string = b""
        self.access: Access | None = None
        """Who the bearer of the access token is, where the endpoint asks for a scope."""
        self.nonce = ""
        self._raw = b""
        self._form: Form | None = None
        self._body: object = None
        self._query: Form | None = None
        self._query_struct: object = None
        self._headers: RequestHeaders | None = None
        self._cookies: Cookies | None = None
        self._browser: Browser | None = None
        self._language = ""
        self._origin: Origin | None = None
        self._actor: Actor | None = None
        self._session: tuple[AccountId, SessionId] | bool | None = None

    @property
    def db(self) -> Database:
        """The database; most want `work()` or `read()`."""
        return self.house.db

    @property
    def settings(self) -> Settings:
        """The server's settings."""
        return self.house.settings

    @property
    def tenant(self) -> TenantId:
        """The tenant's id."""
        return self.site.tenant

    def work(self) -> AbstractAsyncContextManager[Work]:
        """Open a Work of this tenant in the name of `actor`."""
        return self.house.db.work(self.site.tenant, self.actor)

    def read(self) -> AbstractAsyncContextManager[Read]:
        """Open a read of this tenant's committed rows."""
        return self.house.db.read(self.site.tenant)

    def url(self, path: str) -> str:
        """Return a path of the tenant as an absolute address under its issuer."""
        return self.site.issuer + path

    @property
    def headers(self) -> Mapping[str, str]:
        """Header fields by lower-case name."""
        if self._headers is None:
            self._headers = RequestHeaders(self.raw_headers)
        return self._headers

    @property
    def query(self) -> Form:
        """The query; BadForm if it is malformed."""
        if self._query is None:
            self._query = forms.read(self.query_string, repeatable=self.endpoint.repeatable)
        return self._query

    def asked(self, kind: type[T]) -> T:
        """Return the query as the Struct the endpoint names."""
        if not isinstance(self._query_struct, kind):
            raise TypeError(f"{self.endpoint.path} does not ask for {kind.__name__}")
        return self._query_struct

    @property
    def form(self) -> Form:
        """The body as a form, where the endpoint takes one; the CSRF token is checked and gone."""
        return forms.EMPTY if self._form is None else self._form

    @property
    def body(self) -> msgspec.Struct | None:
        """The body as the Struct the endpoint takes; `taken(Kind)` gives it its type."""
        return self._body if isinstance(self._body, msgspec.Struct) else None

    def taken(self, kind: type[T]) -> T:
        """Return the body as the Struct the endpoint takes."""
        if not isinstance(self._body, kind):
            raise TypeError(f"{self.endpoint.path} does not take {kind.__name__}")
        return self._body

    @property
    def raw(self) -> bytes:
        """The body's octets."""
        return self._raw

    @property
    def cookies(self) -> Cookies:
        """The tenant's cookies."""
        if self._cookies is None:
            self._cookies = Cookies(self.raw_headers.get(b"cookie", b"").decode("latin-1"), self.place)
        return self._cookies

    def cookie_name(self, name: str) -> str:
        """Return what a cookie is called in the browser, for a script that reads it."""
        return full_name(name, self.place)

    @property
    def browser(self) -> Browser:
        """What journeys and forms are bound to."""
        if self._browser is None:
            self._browser = Browser(self.cookies, self.site.tenant)
        return self._browser

    def bring(self, *, form: Form | None = None, raw: bytes = b"", struct: type[msgspec.Struct] | None = None, value: object = None) -> None:
        """Take what the edge read from the body."""
        self._form = form
        self._raw = raw
        self._body = form.into(struct) if form is not None and struct is not None else value

    def bring_query(self, value: object) -> None:
        """Take what the edge read from the query."""
        self._query_struct = value

    @property
    def binds(self) -> bool:
        """Whether something was bound to this browser, which therefore has to keep its cookie."""
        return self._browser is not None and self._browser.asked

    @property
    def language(self) -> str:
        """The language to speak: `ui_locales` of the query, the cookie, Accept-Language, the tenant's first; or as set."""
        if not self._language:
            kept = self.cookies.get(LANGUAGE)
            self._language = self.place.languages.choose(
                ui_locales=self._wanted_now(),
                cookie=kept.reveal() if kept is not None else "",
                accept_language=self.raw_headers.get(b"accept-language", b"").decode("latin-1"),
            )
        return self._language

    @language.setter
    def language(self, tag: str) -> None:
        self._language = self.place.languages.choose(ui_locales=tag, cookie=self.language)

    def _wanted_now(self) -> str:
        try:
            return self.query.text("ui_locales")
        except forms.BadForm:
            return ""

    @property
    def origin(self) -> Origin:
        """The client's address and user agent. Personal data."""
        if self._origin is None:
            agent = self.raw_headers.get(b"user-agent", b"")[:_LONGEST_AGENT].decode("latin-1")
            self._origin = Origin(self.house.addresses.client(self.peer, self.raw_headers), agent)
        return self._origin

    @property
    def certificate(self) -> bytes | None:
        """The DER of the certificate the client showed to a trusted proxy (RFC 9440); what anybody else says of one is not heard.

        The chain is the proxy's affair: it lets through what it has checked, and what is self-signed. So its names are believed only where issuer and
        subject differ; of a self-signed one nothing but the key is. CertificateUnreadable where the proxy sent it in another form; the operator is told.
        """
        field = self.raw_headers.get(FIELD)
        if field is None or not self.house.addresses.trusts(self.peer):
            return None
        try:
            return certificate_in(field)
        except CertificateUnreadable as trouble:
            self.house.failures.say((trouble.code, trouble.operator), route=self.endpoint.path, tenant=self.tenant, error=trouble.code, reason=trouble.operator)
            raise

    @property
    def actor(self) -> Actor:
        """Who acts: the client of the access token, the signed-in account, else nobody known."""
        if self._actor is None:
            if self.access is not None:
                self._actor = Actor(ActorKind.CLIENT, self.access.client, self.origin)
            elif isinstance(self._session, tuple):
                self._actor = Actor(ActorKind.CUSTOMER, self._session[0], self.origin)
            else:
                return Actor(ActorKind.ANONYMOUS, "", self.origin)
        return self._actor

    def acts(self, kind: ActorKind, name: str) -> None:
        """Say who acts from here on: a door does, once it knows its client."""
        self._actor = Actor(kind, name, self.origin)

    async def session_now(self) -> tuple[AccountId, SessionId] | None:
        """Return who is signed in here, asked once per request; None if nobody."""
        if self._session is None:
            self._session = await self.house.gate.session(self) or False
        return self._session if isinstance(self._session, tuple) else None

    @property
    def account(self) -> AccountId | None:
        """The signed-in account, once `session_now` has asked (or `who` is SESSION)."""
        return self._session[0] if isinstance(self._session, tuple) else None

    @property
    def session(self) -> SessionId | None:
        """The session, likewise."""
        return self._session[1] if isinstance(self._session, tuple) else None

    def signed_in(self) -> tuple[AccountId, SessionId]:
        """Return account and session of an endpoint whose `who` is SESSION."""
        if not isinstance(self._session, tuple):
            raise NotSignedIn("Sign in first.")
        return self._session

    async def refused(self, reason: str) -> None:
        """Count a refusal before anybody was identified; it becomes a fact with its like, and makes the source slower."""
        await self.house.refusals.note(self, reason)
