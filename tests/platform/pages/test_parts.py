"""The parts of a page: what assistive technology, password managers and other people's tests hold on to."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from limen.platform.pages import Brand, Look, Message, Page, counted, register, render
from limen.platform.pages.drawing import draw, environment
from tests.platform.pages.gallery.app import OFFERED, PAGES, look_for

VOID = {"input", "meta", "link", "img", "path", "br"}
LOOK = Look(
    brand=Brand("Acme"),
    languages=OFFERED,
    nonce="n0nce",
    csrf="t0ken",
    path="/t/acme/signin",
    keep=(("journey", "jny_1"), ("ui_locales", "en")),
    prefix="/t/acme",
)


class Tree(HTMLParser):
    """The elements of a page with their attributes, and the text of those asked for."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> names an attribute twice: {names}"
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]] = self.texts.get(self.open[-1], "") + data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [given for name, given in self.found if name == tag and all(given.get(key.rstrip("_")) == value for key, value in wanted.items())]


def drawn(source: str, look: Look = LOOK, **values: object) -> str:
    """Draw the inside of a page given as text."""
    template = environment().from_string('{% extends "pages/layout.html" %}{% block main %}' + source + "{% endblock %}")
    return draw(template, Page(template="inline", title="Title", values=values), look)


@pytest.mark.parametrize("language", OFFERED)
@pytest.mark.parametrize("name", PAGES)
def test_pages_hold_together(name: str, language: str) -> None:
    """On every page of the gallery ids are unique, every input has a label, and every reference by id or fragment leads somewhere."""
    tree = Tree(render(PAGES[name], replace(look_for({}, f"/{name}"), language=language)))
    ids = [given["id"] for _, given in tree.found if "id" in given]
    assert len(ids) == len(set(ids))
    assert not tree.open
    labelled = {given["for"] for given in tree.all("label")}
    for tag, given in tree.found:
        if tag in {"input", "select"} and given.get("type") != "hidden":
            assert given["id"] in labelled
        assert set(given.get("aria-describedby", "").split()) <= set(ids)
        assert given.get("data-for", ids[0]) in ids
        if given.get("href", "").startswith("#"):
            assert given["href"][1:] in ids
        assert "style" not in given
        assert not [key for key in given if key.startswith("on")]
    assert len(tree.all("h1")) == 1
    assert tree.all("html", lang=language, dir="rtl" if language == "ar" else "ltr")


def test_a_field_says_what_is_wrong_with_it() -> None:
    """The error stands beside the field and in the summary, which leads to the field; hint and error describe the input."""
    html = drawn(
        '{{ ui.field("given_name", "First name", hint="As in your passport", value="<x>", maxlength=40, autocomplete="given-name") }}',
        errors={"given_name": "Enter it"},
    )
    tree = Tree(html)
    (field,) = tree.all("input", name="given_name")
    assert field == {
        "id": "f-given_name", "name": "given_name", "type": "text", "value": "<x>", "autocomplete": "given-name", "enterkeyhint": "next", "required": "",
        "aria-describedby": "h-given_name e-given_name", "aria-invalid": "true", "maxlength": "40",
    }  # fmt: skip
    assert tree.all("a", href="#f-given_name")
    assert tree.all("div", role="alert", tabindex="-1")
    assert "<title>Error: Title" in html
    assert '<p class="error" id="e-given_name">Enter it</p>' in html
    assert "<x>" not in html


def test_a_field_in_order_is_plain() -> None:
    """Without an error there is no summary, and nothing describes the input."""
    tree = Tree(drawn('{{ ui.field("nickname", "Nickname", required=false, autofocus=true) }}'))
    plain = {"id": "f-nickname", "name": "nickname", "type": "text", "value": "", "autocomplete": "off", "enterkeyhint": "next", "autofocus": ""}
    assert tree.all("input", name="nickname") == [plain]
    assert not tree.all("div", role="alert")


def test_focus_goes_to_the_summary_when_there_are_errors() -> None:
    """Only one element of a page asks for the focus."""
    tree = Tree(drawn("{{ ui.email(autofocus=true) }}{{ ui.password(autofocus=true) }}{{ ui.code() }}", errors={"": "Nothing was saved"}))
    assert [given["id"] for _, given in tree.found if "autofocus" in given] == ["problems"]


def test_sign_in_fields_are_known_to_password_managers() -> None:
    """Names, types and autocomplete tokens of the surface; addresses, passwords and codes run from left to right in Arabic too."""
    tree = Tree(
        drawn('{{ ui.email() }}{{ ui.password() }}{{ ui.password("new_password", autocomplete="new-password") }}{{ ui.code() }}', replace(LOOK, language="ar"))
    )
    kept = ("name", "type", "autocomplete", "inputmode", "dir")
    assert [tuple(given.get(key, "") for key in kept) for given in tree.all("input")] == [
        ("identifier", "email", "username", "email", "ltr"),
        ("password", "password", "current-password", "", "ltr"),
        ("new_password", "password", "new-password", "", "ltr"),
        ("code", "text", "one-time-code", "numeric", "ltr"),
    ]


def test_the_show_button_waits_for_its_script() -> None:
    """Without script there is no button that does nothing; the script comes with the nonce, and only to pages with a password."""
    tree = Tree(drawn("{{ ui.password() }}"))
    (button,) = tree.all("button")
    assert button["type"] == "button"
    assert "hidden" in button
    assert button["data-for"] == "f-password"
    assert tree.all("script") == [{"nonce": "n0nce"}]
    assert not Tree(drawn("{{ ui.code() }}")).all("script")


def test_forms_carry_the_token_and_stay_with_the_tenant() -> None:
    """Each form has the masked token; an action is a path of the tenant, none means the address at hand; buttons have stable names."""
    buttons = '{{ ui.button() }}{{ ui.button("No", "deny", "plain", formaction="/x") }}'
    tree = Tree(drawn('{% call ui.form("/signin") %}' + buttons + "{% endcall %}{% call ui.form() %}{% endcall %}"))
    assert tree.all("form") == [{"method": "post", "action": "/t/acme/signin", "novalidate": ""}, {"method": "post", "novalidate": ""}]
    assert len(tree.all("input", type="hidden", name="csrf", value="t0ken")) == 2
    assert [(given["name"], given["value"]) for given in tree.all("button")] == [("action", "continue"), ("action", "deny")]


def test_a_change_of_language_keeps_the_journey() -> None:
    """The links work without script, keep path and journey, and mark the language in use."""
    tree = Tree(drawn(""))
    assert [(given["href"], given["lang"], given.get("aria-current")) for given in tree.all("a") if "hreflang" in given] == [
        ("/t/acme/signin?journey=jny_1&ui_locales=en", "en", "true"),
        ("/t/acme/signin?journey=jny_1&ui_locales=de", "de", None),
        ("/t/acme/signin?journey=jny_1&ui_locales=ar", "ar", None),
    ]
    assert not Tree(drawn("", replace(LOOK, languages=("en",)))).all("nav")


def test_errors_and_remarks_are_said_in_the_reader_s_language() -> None:
    """Stored texts are translated when they are shown, with their values and plurals."""
    errors = {"code": counted("Try again in {count} minute.", "Try again in {count} minutes.", 2), "": Message("Error {status}", {"status": 7})}
    html = drawn("{{ ui.code() }}", replace(LOOK, language="de"), errors=errors, remarks=("One moment",))
    for said in ("Versuchen Sie es in 2 Minuten noch einmal.", "Fehler 7", "Einen Moment", "<title>Fehler: "):
        assert said in html


def test_everything_is_escaped() -> None:
    """Markup in any value of any part comes out as text."""
    evil = "<script>alert(1)</script>\"'"
    parts = (
        "{{ ui.head(x, x) }}{{ ui.who(x, x, x) }}{{ ui.notice(x) }}{{ ui.field(x, x, value=x, hint=x) }}{{ ui.choice(x, x, [(x, x)], hint=x) }}"
        "{{ ui.options(x, x, [(x, x, x)]) }}{{ ui.checkbox(x, x, hint=x) }}{{ ui.button(x, x) }}{{ ui.link_button(x, x) }}{{ ui.details([(x, x, x, x)]) }}"
        "{{ ui.card(x, x, x) }}{{ ui.item(x, x, badge=x) }}{{ ui.points([x]) }}{{ ui.table(x, [x], [[x]]) }}"
        "{{ ui.empty(x, x) }}{{ ui.badge(x) }}{{ x|ltr }}{{ x|own }}"
        '{{ _("Error {status}", status=x|ltr) }}{{ _("Error {status}", status=x) }}'
    )
    html = drawn(parts, replace(LOOK, csrf=evil, path=f"/{evil}", keep=((evil, evil),)), x=evil, errors={"code": evil, "": Message("{a}", {"a": evil})})
    assert "alert(1)</" not in html
    assert "<script" not in html


def test_an_unknown_name_is_refused() -> None:
    """A mistyped value fails in the test that draws the page, not silently before a customer."""
    with pytest.raises(UndefinedError, match="identifer"):
        drawn("{{ identifer }}")
    with pytest.raises(ValueError, match="ui, url"):
        drawn("", ui=1, url=2)


def test_two_packages_cannot_share_a_name(tmp_path: Path) -> None:
    """The name of a package's folder is the name of its templates."""
    with pytest.raises(ValueError, match="gallery"):
        register("gallery", tmp_path)
