"""Pages that are ready made, and what a page weighs."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from limen.platform.pages import Look, error_page, form_post_page, render, stylesheet
from limen.platform.pages.assets import squeezed
from tests.platform.pages.gallery.app import BRANDS, OFFERED, PAGES, look_for
from tests.platform.pages.test_parts import LOOK, Tree, drawn

MOST = 6_000
"""Octets of a page and the style sheet together, compressed; the promise to customers is 14 kB."""


@pytest.mark.parametrize("language", OFFERED)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_travels_in_one_round_trip(name: str, language: str) -> None:
    """Page and style sheet, all a first visit loads, are far below the 14 kB a slow phone gets at once."""
    html = render(PAGES[name], replace(look_for({"brand": ["logo"]}, f"/{name}"), language=language)).encode()
    assert len(gzip.compress(html, 6)) + len(stylesheet().packed) <= MOST
    addresses = re.findall(rb'(?:src|href)="((?:https?:)?//[^"]*|[^"]*\.(?:js|css|png|svg|woff2?))"', html)
    assert [address for address in addresses if address != stylesheet().path.encode()] == []


def test_the_style_sheet_is_named_by_its_content() -> None:
    """The address changes with the octets, so it can be kept for ever; the compressed copy is the same sheet."""
    asset = stylesheet()
    assert re.fullmatch(r"/assets/[0-9a-f]{16}\.css", asset.path)
    assert gzip.decompress(asset.packed) == asset.body
    assert stylesheet() is asset


def test_squeezing_keeps_the_meaning() -> None:
    """Comments and idle spaces go; spaces that mean something stay."""
    css = '/* x */ a > b , c :focus {\n color : red; margin: 0 auto ; }\n@media (min-width: 3rem) { a::before { content: ""; inset: calc(1px + 2px); } }\n'
    assert squeezed(css) == 'a>b,c :focus{color :red;margin:0 auto}@media (min-width:3rem){a::before{content:"";inset:calc(1px + 2px)}}'


def test_directions_are_logical() -> None:
    """No rule names left or right, so right-to-left needs none of its own but for letters."""
    css = stylesheet().body.decode()
    assert not re.search(r"(?:margin|padding|border)-(?:left|right)|[{;](?:left|right):|text-align:(?:left|right)|float:", css)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 421, 429, 500, 503, 418, 502])
def test_an_error_says_what_to_do_next(status: int) -> None:
    """Each error page has its status, a title, a sentence and, where there is one, a time to come back."""
    page = error_page(status, retry_after=90, reference="req_1", home="/account")
    html = render(page, LOOK)
    assert page.status == status
    assert page.retry_after == 90
    for said in (f"Error {status}", "Try again in 2 minutes.", '<bdi dir="ltr">req_1</bdi>', 'href="/t/acme/account"'):
        assert said in html


def test_an_error_can_say_more() -> None:
    """A refusal's own words take the place of the usual ones, escaped."""
    assert "Use &lt;this&gt;" in render(error_page(403, text="Use <this>"), LOOK)


@pytest.mark.parametrize(
    ("target", "origin"),
    [
        ("https://app.example:8443/cb?x=1", "https://app.example:8443"),
        ("com.example.app:/cb", "com.example.app:"),
        ("http://127.0.0.1:9/cb", "http://127.0.0.1:9"),
    ],
)
def test_an_answer_by_post_works_without_script(target: str, origin: str) -> None:
    """The form names its target and carries the fields, escaped and nothing else; a button sends it; the policy learns the origin."""
    page = form_post_page(target, {"code": '"><b>', "state": "s"})
    assert page.form_targets == (origin,)
    tree = Tree(render(page, LOOK))
    assert [(form["method"], form["action"]) for form in tree.all("form")] == [("post", target)]
    assert [(field["name"], field["value"]) for field in tree.all("input")] == [("code", '"><b>'), ("state", "s")]
    assert len(tree.all("button")) == 1


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("March 3, 2026", "Mar 3, 2026, 2:05\u202fPM UTC", "5 minutes ago", "in 2 days", "12,345")),
        ("de", ("3. März 2026", "03.03.2026, 14:05 UTC", "vor 5 Minuten", "in 2 Tagen", "12.345")),
    ],
)
def test_dates_and_numbers_follow_the_language(language: str, said: tuple[str, ...]) -> None:
    """Dates are `<time>` elements a machine can read, in words the reader is used to."""
    at = datetime(2026, 3, 3, 14, 5, tzinfo=UTC)
    look: Look = replace(LOOK, language=language)
    html = drawn(
        "{{ at|date }}|{{ at|moment }}|{{ at|ago(late) }}|{{ at|ago(early) }}|{{ 12345|number }}",
        look,
        at=at,
        late=at + timedelta(minutes=5),
        early=at - timedelta(days=2),
    )
    assert html.count('<time datetime="2026-03-03T14:05:00+00:00">') == 4
    assert all(words in html for words in said), html


def test_a_logo_stands_for_the_name() -> None:
    """With a logo its picture has the name as its words; without, the name itself is there."""
    with_logo = Tree(render(PAGES["signin"], replace(LOOK, brand=BRANDS["logo"])))
    assert [given["alt"] for given in with_logo.all("img")] == ["Arrow"]
    assert not Tree(render(PAGES["signin"], LOOK)).all("img")
