"""Lists what is not translated, and adds missing texts to the `.po` files of their packages.

    python -m tools.messages            one line per fault; ends with 1 if there is one
    python -m tools.messages --add      writes missing texts, untranslated, into locales/<language>.po and drops the unused ones

A text counts as translated where its own package's file has it, or the page layer's (`limen.platform.pages`), which everybody may use.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from jinja2 import Environment
from jinja2.ext import extract_from_ast

from limen.app.discover import folder_of, packages
from limen.platform.pages.catalogue import Entry, read

PLURALS: Final = {
    "de": (2, "n != 1"),
    "ar": (6, "n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5"),
}
LANGUAGES: Final = tuple(PLURALS)
SHARED: Final = "limen.platform.pages"
_PLACE: Final = re.compile(r"\{\w+\}")
_FUNCTIONS: Final = {"_m": 1, "counted": 2}
_SUFFIXES: Final = frozenset({".html", ".txt", ".mjml"})


@dataclass(frozen=True)
class Text:
    """An English text as found in a source; `plural` is empty where it has none."""

    text: str
    plural: str
    where: str


@dataclass
class Package:
    """The texts and the translations of one folder; `files` has the entries by language."""

    name: str
    folder: Path
    texts: dict[str, Text] = field(default_factory=dict)
    files: dict[str, dict[str, Entry]] = field(default_factory=dict)

    def po(self, language: str) -> Path:
        return self.folder / "locales" / f"{language}.po"


def _of_template(path: Path) -> Iterator[Text]:
    source = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
    for line, function, found in extract_from_ast(source, ("_", "ngettext"), babel_style=False):
        parts = [part for part in ((found,) if isinstance(found, str) else found or ()) if part]
        if parts:
            yield Text(parts[0], parts[1] if function == "ngettext" and len(parts) > 1 else "", f"{path.name}:{line}")


def _of_python(path: Path) -> Iterator[Text]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
            continue
        count = _FUNCTIONS.get(node.func.id if isinstance(node.func, ast.Name) else node.func.attr)
        if count is None:
            continue
        parts = [part.value for part in node.args[:count] if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if len(parts) != count:
            raise SystemExit(f"{path}:{node.lineno}: only literal texts can be marked for translation")
        yield Text(parts[0], parts[1] if count > 1 else "", f"{path.name}:{node.lineno}")


def _sources(folder: Path) -> Iterator[Text]:
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".py" and "migrations" not in path.parts:
            yield from _of_python(path)
        elif path.suffix in _SUFFIXES and "templates" in path.relative_to(folder).parts:
            yield from _of_template(path)


def package(name: str, folder: Path) -> Package:
    """Read one package's sources and translations."""
    made = Package(name, folder)
    for text in _sources(folder):
        known = made.texts.setdefault(text.text, text)
        if text.plural and not known.plural:
            made.texts[text.text] = text
    made.files = {language: read(made.po(language))[1] if made.po(language).exists() else {} for language in LANGUAGES}
    return made


def house() -> list[Package]:
    """Read every package of Limen."""
    return [package(name, folder_of(name)) for name in packages()]


def _fault(text: Text, entry: Entry | None, language: str) -> str:
    """Say what is wrong with a translation, or nothing."""
    if entry is None or not all(entry.forms) or entry.fuzzy:
        return "is not translated"
    if bool(entry.plural) != bool(text.plural):
        return "has a plural on one side only"
    count = PLURALS[language][0] if text.plural else 1
    if len(entry.forms) != count:
        return f"has {len(entry.forms)} forms of {count}"
    allowed = set(_PLACE.findall(text.text + text.plural))
    for form in entry.forms:
        found = set(_PLACE.findall(form))
        if found != allowed and (not text.plural or found | {"{count}"} != allowed):
            return f"has other places ({', '.join(sorted(found ^ allowed))})"
    return ""


def _missing(part: Package, common: dict[str, Entry], language: str) -> Iterator[str]:
    own = part.files[language]
    for text in part.texts.values():
        if fault := _fault(text, own.get(text.text) or common.get(text.text), language):
            yield f"{part.name} {language}: {text.text!r} ({text.where}) {fault}"
    yield from (f"{part.name} {language}: {unused!r} is used nowhere" for unused in own if unused not in part.texts)


def _contradictory(parts: Sequence[Package], language: str) -> Iterator[str]:
    said: dict[str, tuple[tuple[str, ...], str]] = {}
    for part in parts:
        for text, entry in part.files[language].items():
            forms, first = said.setdefault(text, (entry.forms, part.name))
            if forms != entry.forms and all(entry.forms):
                yield f"{part.name} {language}: {text!r} is translated otherwise in {first}"


def faults(parts: Sequence[Package]) -> list[str]:
    """Return one sentence per missing, wrong, unused or contradictory translation."""
    shared = next((part for part in parts if part.name == SHARED), None)
    found: list[str] = []
    for language in LANGUAGES:
        common = shared.files[language] if shared else {}
        for part in parts:
            found.extend(_missing(part, common, language))
        found.extend(_contradictory(parts, language))
    return found


def _quoted(keyword: str, text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{keyword} "{escaped}"'


def _block(text: Text, entry: Entry | None, forms: int) -> str:
    lines = [_quoted("msgid", text.text)]
    if not text.plural:
        return "\n".join([*lines, _quoted("msgstr", entry.forms[0] if entry else "")])
    kept = list(entry.forms) if entry and len(entry.forms) == forms else [""] * forms
    return "\n".join([*lines, _quoted("msgid_plural", text.plural), *(_quoted(f"msgstr[{at}]", form) for at, form in enumerate(kept))])


def write(part: Package, language: str, common: dict[str, Entry]) -> int:
    """Write the file of a package anew, translations kept, in the order of the sources; return how many texts are still to be said."""
    count, rule = PLURALS[language]
    head = ['msgid ""', 'msgstr ""', f'"Language: {language}\\n"', '"Content-Type: text/plain; charset=UTF-8\\n"']
    head.append(f'"Plural-Forms: nplurals={count}; plural=({rule});\\n"')
    own = part.files[language]
    wanted = [text for text in part.texts.values() if text.text in own or text.text not in common or part.name == SHARED]
    if not wanted:
        part.po(language).unlink(missing_ok=True)
        return 0
    part.po(language).parent.mkdir(exist_ok=True)
    blocks = ["\n".join(head), *(_block(text, own.get(text.text), count) for text in wanted)]
    part.po(language).write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return sum(1 for text in wanted if text.text not in own or not all(own[text.text].forms))


def main(arguments: list[str]) -> int:
    """Run the tool."""
    parts = house()
    if "--add" in arguments:
        shared = next(part for part in parts if part.name == SHARED)
        for part in parts:
            for language in LANGUAGES:
                if missing := write(part, language, shared.files[language]):
                    print(f"{part.po(language)}: {missing} to translate")
        return 0
    found = faults(parts)
    print("\n".join(found) or "every text is translated")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
