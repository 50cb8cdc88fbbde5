"""What a page weighs on first load: the document and everything it names, as gzip sends it."""

from __future__ import annotations

import gzip
import re
import urllib.request
from urllib.parse import urljoin

PAGES = ("/signin", "/signup", "/recover")
BROWSER = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
"""Keeps the cookie that journeys are bound to."""


def fetched(url: str) -> tuple[int, str]:
    """Return the octets sent for a resource and its text."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip", "Accept": "text/html,*/*"})
    with BROWSER.open(request) as answer:
        body = answer.read()
        packed = answer.headers.get("Content-Encoding") == "gzip"
        return len(body) + len(str(answer.headers)), (gzip.decompress(body) if packed else body).decode("utf-8", "replace")


def page_weights(issuer: str) -> dict[str, int]:
    """Return octets per page: document, headers, and every stylesheet, script and picture it names."""
    weights = {}
    for path in PAGES:
        octets, text = fetched(issuer + path)
        for name in set(re.findall(r'(?:<link[^>]*rel="(?:stylesheet|icon)"[^>]*href|<(?:script|img)[^>]*src)="([^"]+)"', text)):
            if not name.startswith("data:"):
                octets += fetched(urljoin(issuer + path, name))[0]
        weights[path] = octets
    return weights
