"""Nothing a person reads is left in English where the page is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from limen.app.discover import folder_of
from tools.messages import LANGUAGES, SHARED, Package, faults, house, package, write

HERE = Path(__file__).parent


@pytest.fixture
def shared() -> Package:
    """The page layer's own package."""
    return package(SHARED, folder_of(SHARED))


def _made(folder: Path, template: str, **files: str) -> Package:
    (folder / "templates").mkdir()
    (folder / "locales").mkdir()
    (folder / "templates" / "x.html").write_text(template)
    for language, text in files.items():
        (folder / "locales" / f"{language}.po").write_text(f'msgid ""\nmsgstr ""\n\n{text}')
    return package("x", folder)


def test_every_text_of_the_house_is_translated() -> None:
    """German and Arabic are complete in every package, contradict each other nowhere and hold nothing unused."""
    assert faults(house()) == []


def test_every_text_of_the_gallery_is_translated(shared: Package) -> None:
    """The gallery shows pages as they are in earnest."""
    assert faults([shared, package("gallery", HERE / "gallery")]) == []


def test_a_missing_translation_is_found(tmp_path: Path, shared: Package) -> None:
    """A text without a translation is named with its language and place; one the page layer has is not missing."""
    made = _made(tmp_path, '{{ _("Lamp") }} {{ _("Continue") }}', de='msgid "Lamp"\nmsgstr "Lampe"\n')
    assert faults([shared, made]) == ["x ar: 'Lamp' (x.html:1) is not translated"]


@pytest.mark.parametrize(
    ("template", "entry", "fault"),
    [
        ('{{ _("Hi {name}", name=1) }}', 'msgid "Hi {name}"\nmsgstr "Hallo {nam}"\n', "has other places ({name}, {nam})"),
        ('{{ _("Lamp") }}', 'msgid "Lamp"\nmsgstr ""\n', "is not translated"),
        ('{{ _("Lamp") }}', '#, fuzzy\nmsgid "Lamp"\nmsgstr "Lampe"\n', "is not translated"),
        ('{{ ngettext("{count} a", "{count} b", 2) }}', 'msgid "{count} a"\nmsgstr "{count} x"\n', "has a plural on one side only"),
        ('{{ ngettext("{count} a", "{count} b", 2) }}', 'msgid "{count} a"\nmsgid_plural "{count} b"\nmsgstr[0] "{count}"\n', "has 1 forms of 2"),
    ],
)
def test_a_wrong_translation_is_found(tmp_path: Path, template: str, entry: str, fault: str) -> None:
    """Places, plural forms and doubtful entries are checked."""
    made = _made(tmp_path, template, de=entry)
    assert [found for found in faults([made]) if found.startswith("x de") and fault in found]


def test_unused_and_contradictory_translations_are_found(tmp_path: Path, shared: Package) -> None:
    """What no source says goes, and one text has one translation in the house."""
    made = _made(tmp_path, '{{ _("Continue") }}', de='msgid "Continue"\nmsgstr "Weitermachen"\n\nmsgid "Old"\nmsgstr "Alt"\n')
    assert faults([shared, made]) == ["x de: 'Old' is used nowhere", f"x de: 'Continue' is translated otherwise in {SHARED}"]


def test_python_texts_are_found(tmp_path: Path) -> None:
    """`_m` and `counted` mark texts in Python; they take literals only."""
    (tmp_path / "steps.py").write_text('A = _m("Lamp")\nB = counted("{count} lamp", "{count} lamps", 2)\nC = Message(_m("Hi {name}"), {})\n')
    assert [(text.text, text.plural) for text in package("x", tmp_path).texts.values()] == [("Lamp", ""), ("{count} lamp", "{count} lamps"), ("Hi {name}", "")]
    (tmp_path / "steps.py").write_text("A = _m(name)\n")
    with pytest.raises(SystemExit, match=r"steps\.py:1"):
        package("x", tmp_path)


def test_adding_keeps_what_is_there(tmp_path: Path, shared: Package) -> None:
    """Missing texts are written untranslated, translations stay, unused ones go, and a second run changes nothing."""
    made = _made(
        tmp_path,
        '{{ _("A \\"lamp\\"") }} {{ _("New") }} {{ _("Continue") }}',
        de='msgid "A \\"lamp\\""\nmsgstr "Eine \\"Lampe\\""\n\nmsgid "Old"\nmsgstr "Alt"\n',
    )
    assert [write(made, language, shared.files[language]) for language in LANGUAGES] == [1, 2]
    text = made.po("de").read_text()
    assert 'msgid "A \\"lamp\\""\nmsgstr "Eine \\"Lampe\\""\n\nmsgid "New"\nmsgstr ""\n' in text
    assert "Old" not in text
    write(package("x", tmp_path), "de", shared.files["de"])
    assert made.po("de").read_text() == text
