"""What every factor must keep, played over all that are found."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from limen.app import discover
from limen.modules import factors
from limen.modules.factors import Answer, Challenge, Chosen, Context, Factor, Match, Mismatch, Purpose, Trial, Unfit
from limen.modules.factors.service.registry import _INSTALLED
from limen.modules.notices import NOTICES

FOUND = discover.plugged("factors")
SAMPLE = "four grey geese dance"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(params=sorted(FOUND))
def way(request: pytest.FixtureRequest) -> Factor:
    """Each factor in turn."""
    found = FOUND[request.param]
    assert isinstance(found, Factor)
    return found


def test_all_can_be_installed() -> None:
    """Together they make a registry."""
    before = dict(_INSTALLED)
    try:
        factors.install(FOUND)
        assert set(factors.kinds()) == set(FOUND)
    finally:
        _INSTALLED.clear()
        _INSTALLED.update(before)


def test_its_words_and_templates_are_there(way: Factor) -> None:
    """A name, a button, a sentence for a wrong answer, and each template it names in its own folder."""
    assert way.words
    assert way.offer
    assert way.wrong
    assert way.amr
    for template in filter(None, (way.ask, way.choose, way.making.show if way.making else "")):
        package, _, file = template.partition("/")
        assert package == way.name
        assert (Path(discover.folder_of(f"limen.extensions.factors.{package}")) / "templates" / file).is_file()


def test_its_form_decodes_from_nothing_and_names_its_answer(way: Factor) -> None:
    """Every field has a default, and `said` gives the field it names."""
    empty = msgspec.convert({}, type=way.fields)
    assert isinstance(empty, Answer)
    assert empty.said() == ""
    assert msgspec.convert({way.field: "typed", "action": "continue"}, type=way.fields).said() == "typed"


def test_nothing_kept_never_fits(way: Factor) -> None:
    """Without a secret or challenge every answer is wrong, and none an error."""
    for said in ("", SAMPLE, "000000", "\0", "x" * 20_000, "\ud800"):
        assert way.check(Trial(None, said, NOW)) == Mismatch()


def test_what_it_keeps_fits_and_hides_the_answer(way: Factor) -> None:
    """A secret or challenge made by it is answered by its answer, by no other, and does not contain it."""
    if way.making is not None:
        return
    if way.enrol is not None:
        made = way.enrol(SAMPLE, Context())
        assert isinstance(made, Chosen)
        kept, answer = made.secret, SAMPLE
    else:
        assert way.challenge is not None
        challenge = way.challenge(Purpose.SIGN_IN, 0)
        kept, answer = challenge.kept, challenge.sending.values["code"]
    assert isinstance(way.check(Trial(kept, answer, NOW)), Match)
    assert way.check(Trial(kept, f"{answer}1", NOW)) == Mismatch()
    assert answer.encode() not in kept


def test_what_it_makes_is_new_each_time_and_no_answer_guessed_fits(way: Factor) -> None:
    """A secret made by it is another each time, can be shown to its owner, says why one has it, and is not opened by what anybody types."""
    if way.making is None:
        return
    first, second = way.making.make(), way.making.make()
    assert first != second
    assert way.making.why
    assert way.making.present(first, Context(words=("ada@example.com", "Acme")))
    for said in ("", SAMPLE, "\0", "x" * 20_000, "\ud800", first.hex()):
        assert way.check(Trial(way.making.keep(first), said, NOW)) == Mismatch()


def test_what_it_sends_is_a_notice(way: Factor) -> None:
    """Each message it orders exists, and brings what the notice needs."""
    if way.challenge is None:
        return
    for purpose in Purpose:
        made = way.challenge(purpose, 0)
        assert isinstance(made, Challenge)
        for sending in filter(None, (made.sending, made.absent)):
            assert NOTICES[sending.template].needs <= {*sending.values, "link"}


def test_what_it_refuses_has_a_reason(way: Factor) -> None:
    """An unusable choice comes back as a value with a code and a sentence."""
    if way.enrol is None:
        return
    found = way.enrol("", Context())
    assert isinstance(found, Unfit)
    assert found.code
    assert found.reason
