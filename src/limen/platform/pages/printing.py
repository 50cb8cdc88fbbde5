"""Draws a page, or prints it: one that is the same for everybody is drawn once, and what differs is put in at its places each time.

That is the response's nonce, its CSRF token, and the page's `stamps`. The page is drawn with words of this process's own in their stead, and cut there.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from limen.kernel import secrets
from limen.platform.pages.drawing import draw, environment
from limen.platform.pages.model import Look, Message, Page

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
"""What stands as it is in HTML, in an attribute and in a query."""
_MOST: Final = 1_000
_WORDS: Final[dict[str, str]] = {}
"""What stands in a drawn page for each thing that differs, by its name."""


class _Plate:
    """A page cut where something is put in."""

    __slots__ = ("_names", "_texts")

    def __init__(self, html: str, words: Mapping[str, str]) -> None:
        named = {word: name for name, word in words.items()}
        pieces = re.split(f"({'|'.join(named)})", html)
        self._texts = pieces[::2]
        self._names = [named[word] for word in pieces[1::2]]

    def printed(self, values: Mapping[str, str]) -> str:
        """Return the page with a value at each place."""
        pieces = [self._texts[0]]
        for name, text in zip(self._names, self._texts[1:], strict=True):
            pieces += (values[name], text)
        return "".join(pieces)


@lru_cache(maxsize=_MOST)
def _plate(template: str, title: str | Message, values: tuple[tuple[str, object], ...], stamps: tuple[str, ...], look: Look) -> _Plate:
    words = {name: _word(name) for name in stamps}
    page = Page(template=template, title=title, values=dict(values), stamps=words)
    return _Plate(_drawn(page, look), {"nonce": look.nonce, "csrf": look.csrf, **words})


def _drawn(page: Page, look: Look) -> str:
    return draw(environment().get_template(page.template), page, look)


def _word(name: str) -> str:
    return _WORDS.setdefault(name, secrets.token("stamp", 16))


def render(page: Page, look: Look) -> str:
    """Return the page as HTML, in the look's language and brand."""
    if not page.common:
        return _drawn(page, look)
    values = {"nonce": look.nonce, "csrf": look.csrf, **page.stamps}
    stamped = {value: _word(name) for name, value in page.stamps.items()}
    keep = tuple((name, stamped[value]) for name, value in look.keep if value in stamped)
    if len(keep) < len(look.keep) or not all(map(_PLAIN.fullmatch, values.values())):
        return _drawn(page, look)  # whoever makes up addresses does not fill the memory
    blank = dataclasses.replace(look, nonce=_word("nonce"), csrf=_word("csrf"), keep=keep)
    return _plate(page.template, page.title, tuple(page.values.items()), tuple(page.stamps), blank).printed(values)
