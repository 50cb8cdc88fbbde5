"""Every field of every page says what belongs into it: password managers, phones and screen readers go by these tokens (HTML, 4.10.18.7; WCAG 2.2, 1.3.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from jinja2 import nodes

from limen.platform.pages.drawing import environment
from tests.platform.pages.test_parts import drawn

SOURCE: Final = Path(__file__).parents[3] / "src" / "limen"
TEMPLATES: Final = sorted(path for path in SOURCE.rglob("templates/**/*.html") if "demo" not in path.parts)
MACROS: Final = frozenset({"field", "email", "password", "code", "choice"})

TOKENS: Final[Mapping[str, tuple[set[str], str]]] = {
    "identifier": ({"username", "username webauthn"}, "email"),
    "password": ({"current-password"}, ""),
    "new_password": ({"new-password"}, ""),
    "code": ({"one-time-code"}, "numeric"),
    "user_code": ({"off"}, ""),
    "recovery_code": ({"off"}, ""),
    "given_name": ({"given-name"}, ""),
    "family_name": ({"family-name"}, ""),
    "birthdate_day": ({"bday-day"}, "numeric"),
    "birthdate_month": ({"bday-month"}, ""),
    "birthdate_year": ({"bday-year"}, "numeric"),
    "phone_number": ({"tel"}, "tel"),
    "street_address": ({"address-line1"}, ""),
    "postal_code": ({"postal-code"}, ""),
    "locality": ({"address-level2"}, ""),
    "country": ({"country-name"}, ""),
    "locale": ({"language"}, ""),
}
"""What each field is filled from, and which keys a phone shows. What is new stands here too; `off` is for what nobody keeps."""


@dataclass(frozen=True)
class Place:
    """One field as a template asks for it."""

    where: str
    macro: str
    call: nodes.Call

    def __str__(self) -> str:
        return f"{self.where}:{self.call.lineno}"


class _Inputs(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"input", "select", "textarea"} and given.get("type") != "hidden":
            self.found.append({**given, "tag": tag})


def asked() -> Iterator[Place]:
    """Find every call of a part that makes a field, in every template of the house."""
    for path in TEMPLATES:
        tree = environment().parse(path.read_text())
        for call in tree.find_all(nodes.Call):
            match call.node:
                case nodes.Getattr(node=nodes.Name(name="ui"), attr=macro) if macro in MACROS:
                    yield Place(str(path.relative_to(SOURCE)), macro, call)


def shown(place: Place) -> dict[str, str]:
    """Draw the one field, with whatever of it stands in the template; what a page fills in later is left as it is by default."""
    given = [repr(arg.value) for arg in place.call.args[:1] if isinstance(arg, nodes.Const)]
    label = ['"Label"'] if place.macro in {"field", "choice"} else []
    options = ["[]"] if place.macro == "choice" else []
    named = [f"{one.key}={one.value.value!r}" for one in place.call.kwargs if isinstance(one.value, nodes.Const) and one.key not in {"id", "hint", "required"}]
    inputs = _Inputs(drawn(f"{{{{ ui.{place.macro}({', '.join([*given, *label, *options, *named])}) }}}}")).found
    assert len(inputs) == 1, str(place)
    return inputs[0]


PLACES: Final = tuple(asked())


def test_fields_are_found_in_every_module_that_asks_for_something() -> None:
    """The search sees the fields there are, so that none passes unseen."""
    assert {place.where.split("/templates/")[0] for place in PLACES} >= {
        *("modules/signin", "modules/signup", "modules/profiles", "modules/oauth"),
        *("extensions/factors/password", "extensions/factors/email_code"),
    }


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_field_says_what_belongs_into_it(place: Place) -> None:
    """`autocomplete` and `inputmode` are those that go with its name, and the Enter key says what it does."""
    field = shown(place)
    assert field["name"] in TOKENS, f"{place}: enter {field['name']} in the table, with its tokens"
    tokens, keys = TOKENS[field["name"]]
    assert field["autocomplete"] in tokens, str(place)
    assert field.get("inputmode", "") == keys, str(place)
    if field["tag"] == "input":
        assert field["enterkeyhint"] in {"next", "go"}, str(place)


def test_no_field_is_written_past_the_parts() -> None:
    """A bare <input> in a template is hidden: of type `hidden`, or the name beside a password, for password managers."""
    for path in TEMPLATES:
        if path.name == "parts.html":
            continue
        for tag in re.findall(r"<(?:input|select|textarea)\b[^>]*>", path.read_text()):
            assert 'type="hidden"' in tag or (' autocomplete="username" hidden' in tag), f"{path}: {tag}"
