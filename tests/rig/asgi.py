"""A browser without script, in process: it calls the ASGI application with real octets, keeps cookies as browsers do, follows 303, reads forms.

client = Client(app)
page = await client.get("/signin")
page = await client.submit(page, {"identifier": "ada@example.com"}, action="continue")
assert page.status == 200 and page.url == "http://localhost:8400/signin/code?journey=..."
"""

from __future__ import annotations

import gzip
import json as jsons
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlencode, urljoin, urlsplit

import msgspec

T = TypeVar("T")

App = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]
"""An ASGI application."""
Fields = Mapping[str, str] | Sequence[tuple[str, str]]

FORM: Final = "application/x-www-form-urlencoded"
_MOST_HOPS: Final = 20
_REDIRECTS: Final = {301, 302, 303, 307, 308}


@dataclass
class Form:
    """A form of a page: where it goes, what it holds already, which buttons it has (name, value)."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """The attributes of each input, by name."""
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._open: Form | None = None
        self._select = ""
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"script", "style"}:
            self._silent += 1
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            self._open = Form(given.get("method", "get").lower(), given.get("action", ""))
            self.forms.append(self._open)
        elif self._open is not None:
            self._part(self._open, tag, given)

    def _part(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if tag == "button" and given.get("type", "submit") == "submit":
            form.buttons.append((name, given.get("value", "")))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and (self._select not in form.fields or "selected" in given):
            form.fields[self._select] = given.get("value", "")
        elif tag in {"input", "textarea"} and name:
            form.inputs[name] = given
            if given.get("type") not in {"checkbox", "radio"} or "checked" in given:
                form.fields[name] = given.get("value", "on" if given.get("type") == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""
        elif tag in {"script", "style"}:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.words.append(" ".join(data.split()))


@dataclass
class Answer:
    """One answer. `headers` by lower-case name, the last of each; `cookies` as the raw Set-Cookie values."""

    url: str
    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes
    raw_headers: list[tuple[bytes, bytes]]

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON."""
        return jsons.loads(self.body)

    def into(self, kind: type[T]) -> T:
        """The body as a msgspec Struct."""
        return msgspec.json.decode(self.body, type=kind)

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.text)
        return reader

    def forms(self) -> list[Form]:
        """The page's forms, in order."""
        return self._read().forms

    def links(self) -> list[str]:
        """Where the page's links lead."""
        return self._read().links

    @property
    def words(self) -> str:
        """The page's text without markup."""
        return " ".join(self._read().words)


@dataclass
class _Cookie:
    value: str
    path: str
    same_site: str


class Client:
    """One browser. `base` is where relative addresses lead; other hosts reach the same application, each with cookies of its own."""

    def __init__(self, app: App, base: str = "http://localhost:8400", *, language: str = "en", address: str = "127.0.0.1") -> None:
        self.app = app
        self.base = base
        self.language = language
        self.address = address
        self.jar: dict[str, dict[str, _Cookie]] = {}

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, follow: bool = True, cross_site: bool = False) -> Answer:
        """Open an address."""
        return await self._go("GET", url, b"", headers or {}, follow=follow, cross_site=cross_site)

    async def post(
        self,
        url: str,
        *,
        form: Fields | None = None,
        json: object = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        follow: bool = True,
        cross_site: bool = False,
    ) -> Answer:
        """Post a form, JSON or octets. `cross_site` does it from another site's page: Lax cookies stay at home."""
        fields = dict(headers or {})
        if form is not None:
            body = urlencode(form).encode()
            fields.setdefault("content-type", FORM)
        elif json is not None:
            body = msgspec.json.encode(json)
            fields.setdefault("content-type", "application/json")
        if cross_site:
            fields.setdefault("sec-fetch-site", "cross-site")
        return await self._go("POST", url, body, fields, follow=follow, cross_site=cross_site)

    async def submit(self, page: Answer, values: Mapping[str, str] | None = None, *, action: str = "", form: int | None = None, follow: bool = True) -> Answer:
        """Fill a form of the page as a person would and press the button whose value is `action` (the first, if none is named).

        Without `form` it is the first one that has that button and takes the values. AssertionError where the page has no such field or button.
        """
        found = self._form(page, values or {}, action) if form is None else page.forms()[form]
        filled = dict(found.fields)
        for name, value in (values or {}).items():
            assert name in found.fields or name in found.inputs, f"no field {name} at {page.url}: {page.words[:500]}"
            filled[name] = value
        button = next((one for one in found.buttons if not action or one[1] == action), None)
        assert button is not None, f"no button {action!r} at {page.url}, but {found.buttons}: {page.words[:500]}"
        if button[0]:
            filled[button[0]] = button[1]
        target = urljoin(page.url, found.action or page.url)
        if found.method == "get":
            return await self.get(f"{target.partition('?')[0]}?{urlencode(filled)}", follow=follow)
        same = urlsplit(target)[:2] == urlsplit(page.url)[:2]
        # pages of ours send no referrer, and then browsers say "null" for the origin of a form
        headers = {"origin": "null", "sec-fetch-site": "same-origin" if same else "cross-site", "sec-fetch-mode": "navigate"}
        return await self.post(target, form=filled, headers=headers, follow=follow, cross_site=not same)

    @staticmethod
    def _form(page: Answer, values: Mapping[str, str], action: str) -> Form:
        for one in page.forms():
            if values.keys() <= one.fields.keys() | one.inputs.keys() and (not action or action in {value for _, value in one.buttons}):
                return one
        raise AssertionError(f"no form with {sorted(values)} and button {action!r} at {page.url} ({page.status}): {page.words[:500]}")

    def cookie(self, name: str, host: str = "") -> str | None:
        """Return the value of a cookie by its full name."""
        found = self.jar.get(host or urlsplit(self.base).hostname or "", {}).get(name)
        return found.value if found else None

    async def _go(self, method: str, url: str, body: bytes, headers: Mapping[str, str], *, follow: bool, cross_site: bool) -> Answer:
        url = urljoin(self.base + "/", url)
        answer = await self.send(method, url, body, headers, cross_site=cross_site)
        for _ in range(_MOST_HOPS):
            target = urljoin(url, answer.location)
            if not follow or answer.status not in _REDIRECTS or urlsplit(target)[:2] != urlsplit(url)[:2]:
                return answer
            url = target
            answer = await self.send("GET", url, b"", {}, cross_site=cross_site)
        raise AssertionError(f"redirected in circles: {answer.location}")

    async def send(
        self,
        method: str,
        url: str,
        body: bytes | Sequence[bytes] = b"",
        headers: Mapping[str, str] | Sequence[tuple[bytes, bytes]] = (),
        *,
        cross_site: bool = False,
    ) -> Answer:
        """Make one request. A body of several pieces comes in as many messages; headers given as pairs go out exactly so, and no others."""
        parts = urlsplit(urljoin(self.base + "/", url))
        raw = self._headers(method, parts.netloc, headers, cross_site=cross_site) if isinstance(headers, Mapping) else list(headers)
        pieces = [body] if isinstance(body, bytes) else list(body)
        if isinstance(headers, Mapping) and isinstance(body, bytes) and (body or method == "POST"):
            raw.append((b"content-length", b"%d" % len(body)))
        raw_path = parts.path or "/"
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": parts.scheme,
            "path": unquote(raw_path),
            "raw_path": raw_path.encode("latin-1"),
            "query_string": parts.query.encode("latin-1"),
            "root_path": "",
            "headers": raw,
            "client": (self.address, 50_000),
            "server": ("127.0.0.1", 8400),
            "state": {},
        }
        answer = await _exchange(self.app, scope, pieces)
        answer.url = parts.geturl()
        self._keep(parts.hostname or "", answer)
        return answer

    def _headers(self, method: str, host: str, headers: Mapping[str, str], *, cross_site: bool) -> list[tuple[bytes, bytes]]:
        given = {"host": host, "user-agent": "a browser", "accept": "text/html", "accept-language": self.language, "accept-encoding": "gzip", **headers}
        kept = self.jar.get(urlsplit(f"//{host}").hostname or "", {})
        sent = [
            f"{name}={one.value}" for name, one in kept.items() if not cross_site or one.same_site == "none" or (method == "GET" and one.same_site == "lax")
        ]
        if sent and "cookie" not in given:
            given["cookie"] = "; ".join(sent)
        return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given.items() if value]

    def _keep(self, host: str, answer: Answer) -> None:
        kept = self.jar.setdefault(host, {})
        for line in answer.cookies:
            pair, *rest = line.split(";")
            name, _, value = pair.strip().partition("=")
            attributes = {key.strip().lower(): setting.strip() for key, _, setting in (one.partition("=") for one in rest)}
            if name.startswith("__Host-"):
                assert "secure" in attributes, f"a browser drops {line}"
                assert attributes.get("path") == "/", f"a browser drops {line}"
                assert "domain" not in attributes, f"a browser drops {line}"
            if attributes.get("max-age") is not None and int(attributes["max-age"]) <= 0:
                kept.pop(name, None)
            else:
                kept[name] = _Cookie(value, attributes.get("path", "/"), attributes.get("samesite", "lax").lower())


async def _exchange(app: App, scope: MutableMapping[str, Any], pieces: Sequence[bytes]) -> Answer:
    waiting = list(pieces)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not waiting:
            return {"type": "http.disconnect"}
        piece = waiting.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if not sent:
        return Answer("", 0, {}, [], b"", [])
    raw = list(sent[0]["headers"])
    assert all(isinstance(name, bytes) and isinstance(value, bytes) and name == name.lower() for name, value in raw), raw
    body = b"".join(message.get("body", b"") for message in sent[1:])
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    if "content-length" in headers and scope["method"] != "HEAD":
        assert int(headers["content-length"]) == len(body), f"content-length {headers['content-length']} for {len(body)} octets"
    if headers.get("content-encoding") == "gzip" and body:
        body = gzip.decompress(body)
    cookies = [value.decode("latin-1") for name, value in raw if name == b"set-cookie"]
    return Answer("", sent[0]["status"], headers, cookies, body, raw)
