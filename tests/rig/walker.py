"""A person's browser without script, over real HTTP: cookies, redirects, forms read and sent. Standard library only."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

Answers = Mapping[str, str | Callable[[], str]]


@dataclass
class Form:
    """A form as found on a page: where it goes, what it carries, which buttons it has."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("method", "get").lower(), given.get("action", ""))
            self.forms.append(self._open)
        elif self._open is not None and tag == "input" and given.get("name"):
            if given.get("type") not in {"checkbox", "radio"} or "checked" in given:
                self._open.fields[given["name"]] = given.get("value", "")
        elif self._open is not None and tag == "button" and given.get("name") == "action":
            self._open.buttons.append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


@dataclass
class Seen:
    """One answer: where from, its status, headers and text."""

    url: str
    status: int
    headers: dict[str, str]
    text: str

    @property
    def forms(self) -> list[Form]:
        parser = _Forms()
        parser.feed(self.text)
        return parser.forms

    @property
    def words(self) -> str:
        """The page's text without markup, for the messages of failing tests."""
        bare = re.sub(r"(?s)<(style|script)[^>]*>.*?</\1>|<[^>]+>", " ", self.text)
        return re.sub(r"\s+", " ", bare).strip()


class Walker:
    """Keeps cookies per host and goes from page to page."""

    def __init__(self, language: str = "en", tls: ssl.SSLContext | None = None) -> None:
        self.jar: dict[str, dict[str, str]] = {}
        self.trail: list[str] = []
        self.language = language
        self.tls = tls
        """Whom to trust at https addresses, which are asked for where it is given."""
        self._open: dict[str, http.client.HTTPConnection] = {}

    def once(self, url: str, form: Mapping[str, str] | None = None) -> Seen:
        """Make one request, follow nothing."""
        parts = urlsplit(url)
        host = self.jar.setdefault(parts.hostname or "", {})
        headers = {"Accept-Language": self.language, "Accept": "text/html"}
        if host:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in host.items())
        body = None
        if form is not None:
            body = urlencode(form)
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"{parts.scheme}://{parts.netloc}"}
        target = parts.path or "/"
        method, target = "POST" if form is not None else "GET", f"{target}?{parts.query}" if parts.query else target
        answer, text = self._exchanged(parts.netloc, method, target, body, headers)
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                pair = value.split(";", 1)[0]
                key, _, content = pair.partition("=")
                if re.search(r"max-age=0\b", value, re.IGNORECASE):
                    host.pop(key, None)
                else:
                    host[key] = content
        self.trail.append(f"{answer.status} {url}")
        return Seen(url, answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)

    def _exchanged(self, place: str, method: str, target: str, body: str | None, headers: Mapping[str, str]) -> tuple[http.client.HTTPResponse, str]:
        """Ask over the connection that is open, as browsers do; over a new one where the server has closed it meanwhile."""
        kept = self._open.get(place)
        connection = kept or self._open.setdefault(place, self._connection(place))
        try:
            connection.request(method, target, body, dict(headers))
            answer = connection.getresponse()
            return answer, answer.read().decode("utf-8", "replace")
        except (http.client.RemoteDisconnected, ConnectionError):
            self.close()
            if kept is None:
                raise
            return self._exchanged(place, method, target, body, headers)
        except BaseException:
            self.close()
            raise

    def _connection(self, place: str) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(place, timeout=20) if self.tls is None else http.client.HTTPSConnection(place, timeout=20, context=self.tls)

    def close(self) -> None:
        """Let go of the connections."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def __del__(self) -> None:
        self.close()

    def get(self, url: str) -> Seen:
        """Get a page, following redirects."""
        seen = self.once(url)
        for _ in range(20):
            if seen.status not in {301, 302, 303, 307} or "location" not in seen.headers:
                return seen
            seen = self.once(urljoin(seen.url, seen.headers["location"]))
        raise AssertionError(f"redirected in circles: {self.trail[-8:]}")

    def walk(self, url: str, answers: Answers, stop: re.Pattern[str]) -> Seen | str:
        """Go on from `url`, filling forms, until an address matches `stop`; returns that page, or the address if it is another site's."""
        home = urlsplit(url).netloc
        seen = self.once(url)
        for _ in range(40):
            if "location" in seen.headers:
                following = urljoin(seen.url, seen.headers["location"])
                if urlsplit(following).netloc != home and stop.search(following):
                    return following
                seen = self.once(following)
                continue
            if stop.search(seen.url):
                return seen
            seen = self.press(seen, answers)
        raise AssertionError(f"walked in circles: {self.trail}\n{seen.words[:800]}")

    def press(self, seen: Seen, answers: Answers, action: str = "") -> Seen:
        """Fill the page's form and press its button (`action`, else allow, else continue, else the first)."""
        form = next((one for one in seen.forms if one.method == "post" and one.buttons), None)
        if form is None:
            raise AssertionError(f"no form at {seen.url} ({seen.status}): {seen.words[:800]}")
        filled = dict(form.fields)
        for name in filled:
            if name in answers:
                given = answers[name]
                filled[name] = given() if callable(given) else given
        wanted = [action] if action else ["allow", "continue"]
        filled["action"] = next((one for one in wanted if one in form.buttons), form.buttons[0])
        return self.once(urljoin(seen.url, form.action or seen.url), filled)
