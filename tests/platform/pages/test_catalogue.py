"""Translations: read as others read them, filled safely, quick to load."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from babel.plural import to_python
from markupsafe import Markup

from limen.app.discover import folder_of, packages
from limen.platform import pages
from limen.platform.pages import Message, counted, words
from limen.platform.pages.catalogue import Catalogue, read
from tools.messages import LANGUAGES

HEAD = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
FOLDERS = [folder_of(name) / "locales" for name in packages() if (folder_of(name) / "locales").is_dir()]
FILES = sorted(path for folder in FOLDERS for path in folder.glob("*.po"))


def _forms(said: object) -> tuple[object, ...]:
    return tuple(said) if isinstance(said, tuple | list) else (said,)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_files_are_read_as_a_gettext_library_reads_them(path: Path) -> None:
    """Our reader and Babel's agree on every message and form."""
    with path.open("rb") as file:
        theirs = {message.id[0] if isinstance(message.id, tuple) else message.id: _forms(message.string) for message in read_po(file) if message.id}
    assert {text: entry.forms for text, entry in read(path)[1].items()} == theirs


@pytest.mark.parametrize("text", ['msgctxt "menu"\nmsgid "a"\nmsgstr "b"', "msgid a", "nonsense"])
def test_what_is_not_understood_is_refused(tmp_path: Path, text: str) -> None:
    """A file that means something else to others does not load silently."""
    (tmp_path / "de.po").write_text(text)
    with pytest.raises(ValueError, match=r"de\.po"):
        read(tmp_path / "de.po")


def test_an_unfinished_translation_is_said_in_english(tmp_path: Path) -> None:
    """Empty and doubtful (`fuzzy`) entries count as missing."""
    (tmp_path / "de.po").write_text(HEAD + 'msgid "One"\nmsgstr ""\n\n#, fuzzy\nmsgid "Two"\nmsgstr "Zwo"\n\nmsgid "Three"\nmsgstr "Drei"\n')
    catalogue = Catalogue()
    catalogue.add(tmp_path)
    assert [catalogue.words("de").say(text) for text in ("One", "Two", "Three", "Four")] == ["One", "Two", "Drei", "Four"]


def test_a_regional_language_speaks_its_mother_tongue_and_its_own_words(tmp_path: Path) -> None:
    """`de-AT` has all of `de`, and its own file before it."""
    (tmp_path / "de.po").write_text(HEAD + 'msgid "Tomato"\nmsgstr "Tomate"\n\nmsgid "Salad"\nmsgstr "Salat"\n')
    (tmp_path / "de-AT.po").write_text(HEAD + 'msgid "Tomato"\nmsgstr "Paradeiser"\n')
    catalogue = Catalogue()
    catalogue.add(tmp_path)
    assert [catalogue.words("de-AT").say(text) for text in ("Tomato", "Salad")] == ["Paradeiser", "Salat"]


def test_arabic_counts_in_six_ways() -> None:
    """The form chosen for a number is the one the Unicode plural rules name."""
    text, plural = "Try again in {count} minute.", "Try again in {count} minutes."
    entry = read(Path(pages.__path__[0]) / "locales" / "ar.po")[1][text]
    order = {"zero": 0, "one": 1, "two": 2, "few": 3, "many": 4, "other": 5}
    rule = to_python({"zero": "n = 0", "one": "n = 1", "two": "n = 2", "few": "n % 100 = 3..10", "many": "n % 100 = 11..99"})
    for number in range(250):
        assert words("ar").count(text, plural, number) == entry.forms[order[rule(number)]].replace("{count}", str(number))


def test_german_and_english_count_in_two() -> None:
    """One is one, zero is many."""
    said = [
        words(language).say(counted("Try again in {count} minute.", "Try again in {count} minutes.", number)) for language in ("en", "de") for number in (0, 1)
    ]
    assert said == [
        "Try again in 0 minutes.",
        "Try again in 1 minute.",
        "Versuchen Sie es in 0 Minuten noch einmal.",
        "Versuchen Sie es in 1 Minute noch einmal.",
    ]


def test_large_numbers_are_grouped_as_the_language_does() -> None:
    """A thousand and more take the language's separators."""
    assert [words(language).say("{n} apps", n=12_345) for language in ("en", "de")] == ["12,345 apps", "12.345 apps"]


def test_values_cannot_bring_markup() -> None:
    """Plain values stay plain text; beside a value that is markup, text and the other values are escaped."""
    assert words("en").say("Hello {name}", name="<b>") == "Hello <b>"
    assert not isinstance(words("en").say("Hello {name}", name="<b>"), Markup)
    mixed = words("en").say("<{one} & {two}>", one=Markup("<i>x</i>"), two="<b>")
    assert isinstance(mixed, Markup)
    assert mixed == "&lt;<i>x</i> &amp; &lt;b&gt;&gt;"


def test_values_are_not_filled_into_values() -> None:
    """A value that looks like a place stays as it is, and reaches no attribute of another."""
    assert words("en").say(Message("{a} {b}", {"a": "{b}", "b": "{a.__class__}"})) == "{b} {a.__class__}"
    with pytest.raises(KeyError):
        words("en").say("{missing}", other="x")


def _loading() -> float:
    """Return the CPU seconds of this thread for reading every file of every package, nothing kept."""
    catalogue = Catalogue()
    for folder in FOLDERS:
        catalogue.add(folder)
    started = time.thread_time()
    for language in LANGUAGES:
        catalogue.words(language)
    return time.thread_time() - started


def test_all_languages_load_in_a_tenth_of_a_second() -> None:
    """All translations are there in time for the first request; the best of three, as the collector may run in one."""
    assert min(_loading() for _ in range(3)) < 0.1
