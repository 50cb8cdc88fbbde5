"""Translations: `.po` files of all packages, read once per language when it is first spoken. The English text is its own key.

The files are plain GNU gettext; the reader knows the part of the format that we write (no contexts, no obsolete entries' content)
and refuses the rest. A library reads the same files for the tools and the tests, where its start-up time does not matter.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from gettext import c2py
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from markupsafe import Markup, escape

from limen.platform.pages.model import Message

_PLACE: Final = re.compile(r"\{(\w+)\}")
_PLAIN_NUMBERS: Final = 1_000
_PLURALS: Final = re.compile(r"Plural-Forms:.*\bplural=([^;]+);")

Rule: TypeAlias = Callable[[int], int]
"""Number to the place of its plural form."""


class Entry(NamedTuple):
    """One message of a file; `forms` has one text, or one per plural form of the language."""

    text: str
    plural: str
    forms: tuple[str, ...]
    fuzzy: bool


def read(path: Path) -> tuple[str, dict[str, Entry]]:
    """Return the plural rule (a C expression) and the messages of a `.po` file; ValueError names the line of what is not understood."""
    rule, entries = "n != 1", {}
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        entry = _entry(block, path)
        if entry is None:
            continue
        if entry.text:
            entries[entry.text] = entry
        elif found := _PLURALS.search(entry.forms[0]):
            rule = found[1]
    return rule, entries


def _entry(block: str, path: Path) -> Entry | None:
    parts: dict[str, str] = {}
    keyword, fuzzy = "", False
    for line in block.splitlines():
        if line.startswith("#"):
            fuzzy = fuzzy or (line.startswith("#,") and "fuzzy" in line)
            continue
        word, quote, _ = line.partition('"')
        if not quote or not line.endswith('"'):
            raise ValueError(f"{path}: {line!r} is not understood")
        keyword = word.strip() or keyword
        parts[keyword] = parts.get(keyword, "") + ast.literal_eval(line[len(word) :])
    if not parts:
        return None
    if unknown := [word for word in parts if not re.fullmatch(r"msgid(_plural)?|msgstr(\[\d\])?", word)]:
        raise ValueError(f"{path}: {unknown[0]} is not understood")
    forms = tuple(value for word, value in parts.items() if word.startswith("msgstr"))
    return Entry(parts["msgid"], parts.get("msgid_plural", ""), forms, fuzzy)


def grouped(number: int, language: str) -> str:
    """Return a number as it is written in a language."""
    if 0 <= number < _PLAIN_NUMBERS:
        return str(number)
    from babel.numbers import format_decimal  # noqa: PLC0415 - slow to import, and seldom needed

    return format_decimal(number, locale=language.replace("-", "_"))


class Words:
    """What can be said in one language. What has no translation is said in English."""

    __slots__ = ("_messages", "language")

    def __init__(self, language: str, messages: Mapping[str, tuple[Entry, Rule]]) -> None:
        self.language = language
        self._messages = messages

    def say(self, message: str | Message, /, **values: object) -> str:
        """Translate a text and fill its `{name}` places; the answer is Markup if one of the values is."""
        if isinstance(message, Message):
            if message.plural:
                return self.count(message.text, message.plural, message.count, **{**message.values, **values})
            return self._filled(self._form(message.text), {**message.values, **values})
        return self._filled(self._form(message), values)

    def count(self, text: str, plural: str, count: int, /, **values: object) -> str:
        """Translate a text that depends on a number, which fills `{count}`."""
        known = self._messages.get(text)
        english = text if count == 1 else plural
        chosen = known[0].forms[known[1](count)] if known and known[0].plural else english
        return self._filled(chosen, {"count": count, **values})

    def _form(self, text: str) -> str:
        known = self._messages.get(text)
        return known[0].forms[0] if known else text

    def _filled(self, text: str, values: Mapping[str, object]) -> str:
        if not values:
            return text
        shown = {name: grouped(value, self.language) if isinstance(value, int) else value for name, value in values.items()}
        if any(hasattr(value, "__html__") for value in shown.values()):
            return Markup(_PLACE.sub(lambda place: escape(shown[place[1]]), str(escape(text))))  # noqa: S704 - every part is escaped
        return _PLACE.sub(lambda place: str(shown[place[1]]), text)


class Catalogue:
    """The locale folders of all packages."""

    def __init__(self) -> None:
        self._folders: list[Path] = []
        self._words: dict[str, Words] = {}

    def add(self, folder: Path) -> None:
        """Take the `<language>.po` files of a folder."""
        self._folders.append(folder)
        self._words.clear()

    def languages(self) -> frozenset[str]:
        """Return the languages that have a file, and English."""
        return frozenset({"en", *(path.stem for folder in self._folders for path in folder.glob("*.po"))})

    def words(self, language: str) -> Words:
        """Return what can be said in a language; `de-AT` speaks `de` where it has no file of its own."""
        words = self._words.get(language)
        if words is None:
            words = self._words[language] = self._read(language)
        return words

    def _read(self, language: str) -> Words:
        messages: dict[str, tuple[Entry, Rule]] = {}
        for tag in dict.fromkeys((language.partition("-")[0], language)):
            for path in (folder / f"{tag}.po" for folder in self._folders):
                if path.exists():
                    rule, entries = read(path)
                    plural = c2py(rule)  # of this very file: others may count their forms in another order
                    messages.update({entry.text: (entry, plural) for entry in entries.values() if all(entry.forms) and not entry.fuzzy})
        return Words(language, messages)
