"""What stands in README, guides and decisions is held to the code: links, commands, configuration."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from limen.app import cli, groups, settings, wanted
from limen.app.arguments import Spec, parse

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
DECISIONS: Final = sorted((ROOT / "docs" / "adr").iterdir())
PARTS: Final = ("**Situation.**", "**Decision.**", "**Follows.**")
LINK: Final = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(*languages: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each document with each of its blocks in one of the languages."""
    for document in DOCUMENTS:
        for language, text in BLOCK.findall(document.read_text(encoding="utf-8")):
            if language in languages:
                yield name_of(document), text


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    """A link to a place in this repository leads to a file that is there, and to a heading in it."""
    lost = []
    for target, anchor in LINK.findall(document.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file = (document.parent / target).resolve() if target else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            lost.append(f"{target}#{anchor}")
    assert lost == []


def commands() -> list[tuple[str, list[str]]]:
    """Return every line of a shell block that calls `limen`, as words; the reference's are patterns."""
    found = []
    for document, text in blocks("", "sh"):
        if document.startswith("docs/reference"):
            continue
        for line in text.splitlines():
            if line.startswith("limen "):
                words = shlex.split(line, comments=True)
                end = next((at for at, word in enumerate(words) if word in {"|", ">", "&&"}), None)
                found.append((document, words[1:end]))
    return found


@pytest.mark.parametrize(("document", "words"), commands())
def test_commands_are_spelled_as_they_are(document: str, words: list[str]) -> None:
    """Each `limen ...` in a document is a command there is, with words and options it takes."""
    if words == ["--help"]:
        return
    entry = cli.entries()[words[0]]
    if entry.group:
        spec, _ = groups.verbs_of(entry)[words[1]]
        parse(spec, words[2:])
    else:
        parse(Spec.of(entry.name, getattr(importlib.import_module(entry.path), entry.name)), words[1:])
    assert document


@pytest.mark.parametrize(("document", "text"), [*blocks("toml")])
def test_configuration_is_taken(document: str, text: str, tmp_path: Path) -> None:
    """Each TOML in a document is taken by what reads such files, with what it leaves out filled in."""
    file = tmp_path / "file.toml"
    (tmp_path / "acme.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    environment = dict.fromkeys(re.findall(r"env:(\w+)", text), "x" * 40)
    if re.search(r"^\[+tenant", text, re.MULTILINE):
        file.write_text(text if "[[tenant]]" in text else f'[[tenant]]\nname = "acme"\n{text}')
        assert wanted.read(file, environment, base_url="https://id.example.com", dev=False).tenants, document
    else:
        file.write_text(text)
        whole = {} if "base_url" in text else {"LIMEN_SERVER_BASE_URL": "https://id.example.com"}
        assert settings.load(file, environment | whole).of(settings.ServerSettings).base_url == "https://id.example.com", document


def test_decisions_are_numbered_and_say_why() -> None:
    """Decisions are numbered without a gap; each has its number, its date, and says situation, decision and what follows."""
    wrong = []
    for number, decision in enumerate(DECISIONS, 1):
        text = decision.read_text(encoding="utf-8")
        headed = re.match(rf"# {number}\. .+\n\n(Accepted|Superseded by .+), \d{{4}}-\d{{2}}-\d{{2}}\.\n", text)
        if not decision.name.startswith(f"{number:04}-") or headed is None or [part for part in PARTS if text.count(part) != 1]:
            wrong.append(decision.name)
    assert wrong == []
