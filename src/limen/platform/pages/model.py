"""What a page is (`Page`), for whom it is drawn (`Look`), and the small values modules hand to shells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias
from urllib.parse import urlencode

from limen.kernel.secrets import Secret
from limen.platform.pages.brand import Brand
from limen.platform.pages.languages import direction, own_name

if TYPE_CHECKING:
    from limen.kernel.ids import AccountId
    from limen.platform.sql import Reader


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence to be said later in the reader's language; it can be stored. `values` fill `{name}`; `count` picks the plural.

    `kind` is that of the notice it stands in, where it is a remark.
    """

    text: str
    values: Mapping[str, str | int] = field(default_factory=dict)
    plural: str = ""
    count: int = 0
    kind: str = "success"


def counted(text: str, plural: str, count: int, /, **values: str | int) -> Message:
    """Return a sentence that depends on a number, as `{count}`: `counted("{count} try left.", "{count} tries left.", 3)`."""
    return Message(text, values, plural, count)


def _m(text: str, /) -> str:
    """Mark a literal English text for translation where it is written; it is translated where it is shown."""
    return text


class Cookie(Protocol):
    """A cookie that goes out with a page; the HTTP edge builds the header (`http.SetCookie`)."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> Secret[str]: ...
    @property
    def max_age(self) -> int | None: ...
    @property
    def readable(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page to be drawn. `template` is `<package>/<file>.html`; `title` an English text marked with `_m`, or a `Message`.

    `values` are what the template reads. The name `errors` is special: a mapping from field name to English text or `Message`,
    "" for the page as a whole; every field shows its own, and the summary on top shows all.
    """

    template: str
    title: str | Message
    values: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    form_targets: tuple[str, ...] = ()
    """Origins or schemes (`https://app.example`, `com.example.app:`) that a form of this page may lead to, for the CSP."""
    script_origins: tuple[str, ...] = ()
    """Origins of a challenge script and of the frames and calls it makes, for the CSP of this page alone."""
    frame_origins: tuple[str, ...] = ()
    """Origins of other sites' pages in frames of this one, for its CSP."""
    cookies: tuple[Cookie, ...] = ()
    stamps: Mapping[str, str] = field(default_factory=dict)
    """More values, each an id of the visitor's own: letters, digits, `_` and `-`."""
    common: bool = False
    """Nothing but the stamps differs from visitor to visitor, so it is drawn once for each brand and language; `values` are hashable then."""
    personal: bool = True
    """A person or a token is on it: `Cache-Control: no-store`."""
    retry_after: int | None = None
    """Seconds, for 429 and 503."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """For whom and where a page is drawn; made by the HTTP edge for each request."""

    brand: Brand
    language: str = "en"
    languages: tuple[str, ...] = ("en",)
    """Those the tenant offers, in its order."""
    nonce: str = ""
    """Of this response, for the page's one style and its scripts."""
    csrf: str = ""
    """The masked token of this response."""
    path: str = "/"
    """As in the address bar, with the tenant's prefix."""
    keep: tuple[tuple[str, str], ...] = ()
    """Query parameters that a change of language keeps, such as ("journey", "jny_...")."""
    prefix: str = ""
    """Of the tenant: "" or `/t/<tenant>`."""

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return direction(self.language)

    def url(self, path: str) -> str:
        """Return a path of this tenant (`/signin`) as a link on this host."""
        return self.prefix + path

    def switch(self) -> tuple[tuple[str, str, str], ...]:
        """Return (language, its own name, link) for each language offered."""
        keep = [pair for pair in self.keep if pair[0] != "ui_locales"]
        return tuple((tag, own_name(tag), f"{self.path}?{urlencode([*keep, ('ui_locales', tag)])}") for tag in self.languages)


Glance: TypeAlias = "Callable[[Reader, AccountId], Awaitable[str | Message]]"
"""Says in a few words what stands behind a card for this person; empty where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Card:
    """One entry of a shell's start page and menu: a path of the tenant, English texts for title and summary, its place, and its `glance`."""

    path: str
    title: str
    order: int
    summary: str = ""
    glance: Glance | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A file served under its own hash, so that it can be kept for ever."""

    path: str
    body: bytes
    packed: bytes
    """The body as gzip."""
    media_type: str
