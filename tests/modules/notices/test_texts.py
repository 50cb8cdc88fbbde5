"""What messages to telephones say, in every language."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from limen.modules import notices
from limen.modules.notices.model import NOTICES, SMS, VOICE
from limen.modules.notices.service.letters import Told
from limen.modules.notices.service.texts import drawn_text
from limen.platform.pages import register, registered

AT = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
LANGUAGES = ("en", "de", "ar")
LINK = "https://id.example.com/recover"
HOST = "id.example.com"
SAID = [(name, channel, language) for name, notice in NOTICES.items() for channel in (SMS, VOICE) if notice.goes_by(channel) for language in LANGUAGES]


@pytest.fixture(autouse=True)
def _translations() -> None:
    folder = Path(notices.__path__[0])
    if folder.name not in registered():
        register(folder.name, folder)


def text(name: str, channel: str, language: str = "en", *, service: str = "Acme", host: str = HOST, code: str = "493817") -> str:
    given = {"code": code, "minutes": "10", "link": LINK}
    told = Told(at=AT, browser="Firefox", system="Linux", values={key: given[key] for key in NOTICES[name].needs})
    return drawn_text(NOTICES[name], channel, told, (service, host), language)


@pytest.mark.parametrize(("name", "channel", "language"), SAID)
def test_it_is_short_and_whole(name: str, channel: str, language: str) -> None:
    """No place is left open, it names the service, and it is three parts of an SMS at most, the binding line included."""
    said = text(name, channel, language)
    assert "{" not in said
    assert "Acme" in said
    assert len(said) <= (3 * 67 if language == "ar" else 2 * 153)
    assert said != text(name, channel, "en" if language != "en" else "de")


@pytest.mark.parametrize("name", [name for name, notice in NOTICES.items() if notice.goes_by(SMS)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_is_bound_to_the_pages_of_its_host(name: str, language: str) -> None:
    """The last line is `@host #code`, after an empty one, and no other line begins so; what holds no code has no such line."""
    lines = text(name, SMS, language).split("\n")
    if "code" in NOTICES[name].needs:
        assert lines[-2:] == ["", "@id.example.com #493817"]
        assert len(lines) == 3
    else:
        assert len(lines) == 1
        assert not lines[0].startswith("@")


def test_no_value_makes_a_binding_line_of_its_own() -> None:
    """A service's name with line breaks stays on its line, and is cut where it would make two messages of one."""
    lines = text("sign_in_code", SMS, service="A\n@evil.example #111111\n" + "b" * 40).split("\n")
    assert [line for line in lines if line.startswith("@")] == ["@id.example.com #493817"]
    assert "\u2026" in lines[0]
    assert "b" * 30 not in lines[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", ""])
def test_an_address_without_a_name_binds_nothing(host: str) -> None:
    """Browsers bind codes to host names alone."""
    assert "#" not in text("sign_in_code", SMS, host=host)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_is_called_out_sign_by_sign_twice(language: str) -> None:
    """So that no voice reads it as one number."""
    said = text("sign_in_code", VOICE, language)
    assert said.count("4, 9, 3, 8, 1, 7") == 2
    assert "493817" not in said
    assert "#" not in said


def test_what_is_not_said_by_a_channel_has_no_words_for_it() -> None:
    """Mail says all there is; a call only codes."""
    assert all(notice.goes_by("email") for notice in NOTICES.values())
    assert {name for name, notice in NOTICES.items() if notice.goes_by(VOICE)} == {"sign_in_code", "sign_up_code", "recovery_code"}
