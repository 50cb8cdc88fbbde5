"""The reference is made from the code, and is as the code says."""

from __future__ import annotations

from tools import reference


def test_the_reference_is_as_the_code_says() -> None:
    """Every page of docs/reference is what `make reference` would write now, and there is no other but the table that is written by hand."""
    assert list(reference.stale()) == [], "run `make reference`"
    assert {file.name for file in reference.FOLDER.iterdir()} == {*reference.PAGES, "conformance.md"}
