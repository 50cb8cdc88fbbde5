"""What messages say, in every language."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from limen.modules import notices
from limen.modules.notices.model import NOTICES
from limen.modules.notices.service.letters import Letter, Told, drawn
from limen.platform.pages import Brand, register, registered

AT = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
LANGUAGES = ("en", "de", "ar")
LINK = 'https://id.example.com/signup?x=1&y="2"'
EVERY = [(name, language) for name in NOTICES for language in LANGUAGES]


@pytest.fixture(autouse=True)
def _translations() -> None:
    for module in (notices,):
        folder = Path(module.__path__[0])
        if folder.name not in registered():
            register(folder.name, folder)


def letter(name: str, language: str, *, values: dict[str, str] | None = None, system: str = "Windows", service: str = "Läden <&> Co") -> Letter:
    given = {"code": "493817", "minutes": "10", "link": LINK, "app": "Laden", "message": "W4-SCT"}
    kept = {key: given[key] for key in NOTICES[name].needs} if values is None else values
    return drawn(NOTICES[name], Told(at=AT, browser="Firefox" if system else "", system=system, values=kept), Brand(name=service), language)


class Words(HTMLParser):
    """The words of a page, the preview apart, and what is needed to judge its form."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str | None] = []
        self.attributes: dict[str, str | None] = {}
        self._quiet = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html":
            self.attributes = given
        if tag == "a":
            self.links.append(given.get("href"))
        if tag in ("style", "title") or "display:none" in (given.get("style") or ""):
            self._quiet += 1

    def handle_endtag(self, tag: str) -> None:
        if self._quiet and tag in ("style", "title", "div"):
            self._quiet -= 1

    def handle_data(self, data: str) -> None:
        if not self._quiet and data.strip():
            self.words.append(" ".join(data.split()))


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_both_forms_say_the_same(name: str, language: str) -> None:
    """Every sentence of the text stands in the HTML, with nothing unfilled; language and direction are told."""
    made = letter(name, language)
    page = Words(made.html)
    seen = re.sub(r"\s", "", "".join(page.words))
    for paragraph in made.text.removesuffix("\n").replace("-- \n", "").split("\n"):
        if paragraph and paragraph != LINK:
            assert re.sub(r"\s", "", paragraph.removesuffix(":") if LINK in made.text else paragraph).rstrip(":") in seen
    assert "{" not in made.text
    assert "{{" not in made.html
    assert page.attributes["lang"] == language
    assert page.attributes["dir"] == ("rtl" if language == "ar" else "ltr")
    assert page.links == ([LINK] if "link" in NOTICES[name].needs else [])
    assert len(made.html.encode()) < 16_000


@pytest.mark.parametrize(("name", "language"), [(name, language) for name, language in EVERY if "code" in NOTICES[name].needs])
def test_code_stands_alone_and_not_on_a_locked_screen(name: str, language: str) -> None:
    """The code has a line of its own, and is neither in the subject nor in what mail programs preview."""
    made = letter(name, language)
    assert "493817" in made.text.splitlines()
    assert "493817" not in made.subject
    before, _, after = made.html.partition("493817")
    assert after
    preview = re.search(r'<div style="display:none[^>]*>(.*?)</div>', before, re.DOTALL)
    assert preview is not None
    assert preview[1].count("&zwnj;") > 50


@pytest.mark.parametrize("name", NOTICES)
def test_every_language_has_words_of_its_own(name: str) -> None:
    """Nothing is left in English."""
    subjects = {letter(name, language).subject for language in LANGUAGES}
    assert len(subjects) == 3
    english = letter(name, "en", service="X").text.split("\n")
    for language in ("de", "ar"):
        left = set(english) & set(letter(name, language, service="X").text.split("\n")) - {"", "-- ", "493817", LINK}
        assert left == set()


def test_values_cannot_break_out() -> None:
    """A brand's name and a link are text, whatever they hold."""
    made = letter("unknown_address", "en", values={"link": 'https://x/"><script>'}, service="<b>&</b>")
    assert "<script>" not in made.html
    assert "<b>" not in made.html
    assert "<b>&</b>" in made.text


def test_unknown_device_is_left_out() -> None:
    """Without a browser's word nothing is said of one."""
    made = letter("sign_in_code", "en", system="")
    assert "From:" not in made.text
    assert "From:" not in made.html


def test_unknown_language_is_english_and_regions_share() -> None:
    """A language without translation is English; `de-AT` speaks German."""
    assert letter("sign_in_code", "xx").subject == letter("sign_in_code", "en").subject
    assert letter("sign_in_code", "de-AT").subject == letter("sign_in_code", "de").subject
