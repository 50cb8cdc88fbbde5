"""The table of conformance names tests, and those exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
TABLE: Final = ROOT / "docs" / "reference" / "conformance.md"
ROW: Final = re.compile(r"^\|(?! *(?:§|Promise|-))(.*)\|$", re.MULTILINE)


def rows() -> list[list[str]]:
    """Return the cells of each row of the tables, headings left out."""
    return [[cell.strip() for cell in row.split("|")] for row in ROW.findall(TABLE.read_text())]


def test_every_test_the_table_names_exists() -> None:
    """Each is defined somewhere under tests, by that very name."""
    there = {name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)}
    named = set(re.findall(r"`(test_\w+)`", TABLE.read_text()))
    assert len(named) > 100
    assert named - there == set()


def test_every_requirement_has_a_test() -> None:
    """The last cell of a row names at least one test and says nothing else."""
    found = rows()
    assert len(found) > 100
    assert [row for row in found if not re.fullmatch(r"`test_\w+`(?: `test_\w+`)*", row[-1])] == []
