"""The page of the profile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from limen.modules import profiles
from tests.journeys.conftest import Town
from tests.modules.portal.conftest import Customer, sign_in
from tests.rig.asgi import Answer

pytestmark = pytest.mark.anyio

PATH = "/account/profile"


async def _profile(town: Town, ada: Customer) -> profiles.Profile:
    async with town.world.read() as read:
        return await profiles.read(read, ada.account)


async def _save(ada: Customer, **values: str) -> Answer:
    return await ada.browser.submit(await ada.browser.get(PATH), values, action="save")


def _form(page: Answer) -> dict[str, str]:
    return next(form.fields for form in page.forms() if "given_name" in form.fields)


async def test_what_is_saved_is_there_and_said_once(town: Town, ada: Customer) -> None:
    """Fields become claims; the page after says that it is saved, and a reload does not say it again."""
    page = await _save(
        ada,
        given_name=" Ada ",
        family_name="Lovelace",
        birthdate_day="10",
        birthdate_month="12",
        birthdate_year="1815",
        phone_number="+44 20 7946 0000",
        street_address="12 St James's Square",
        locality="London",
        country="United Kingdom",
    )
    assert page.url.endswith(PATH)
    assert "Your profile is saved." in page.words
    assert "Your profile is saved." not in (await ada.browser.get(PATH)).words
    saved = await _profile(town, ada)
    assert (saved.given_name, saved.family_name, saved.birthdate, saved.phone_number) == ("Ada", "Lovelace", "1815-12-10", "+442079460000")
    assert saved.address == profiles.Address(street_address="12 St James's Square", locality="London", country="United Kingdom")
    shown = _form(page)
    assert (shown["birthdate_day"], shown["birthdate_month"], shown["birthdate_year"]) == ("10", "12", "1815")


async def test_mistakes_stand_beside_their_fields_with_what_was_typed(town: Town, ada: Customer) -> None:
    """Nothing is saved, every field keeps what was typed, each mistake is told where it is and on top; a reload shows what is stored."""
    await _save(ada, given_name="Ada")
    page = await _save(ada, given_name="Augusta", phone_number="12", birthdate_day="31", birthdate_month="2", birthdate_year="1990", postal_code="x" * 300)
    assert page.status == 200
    assert page.words.count("Enter the phone number with its country code") == 2
    assert page.words.count("This date of birth is not possible.") == 2
    assert page.words.count("Enter at most 200 characters.") == 2
    shown = _form(page)
    assert (shown["given_name"], shown["phone_number"], shown["birthdate_day"], shown["postal_code"]) == ("Augusta", "12", "31", "x" * 300)
    assert (await _profile(town, ada)).given_name == "Ada"
    assert _form(await ada.browser.get(PATH))["given_name"] == "Ada"


@pytest.mark.parametrize(
    ("day", "month", "year", "kept"),
    [
        ("", "", "", None),
        ("", "", "1984", "1984"),
        ("5", "7", "", "0000-07-05"),
        ("\u0660\u0665", "7", "\u0661\u0669\u0668\u0664", "1984-07-05"),
        ("29", "2", "2000", "2000-02-29"),
    ],
)
async def test_a_birthday_may_be_whole_or_in_part(town: Town, ada: Customer, day: str, month: str, year: str, kept: str | None) -> None:
    """A year alone, a day without its year, nothing at all, in the digits of any script: and the form shows it again."""
    await _save(ada, birthdate_day="1", birthdate_month="1", birthdate_year="1970")
    page = await _save(ada, birthdate_day=day, birthdate_month=month, birthdate_year=year)
    assert (await _profile(town, ada)).birthdate == kept
    shown = _form(page)
    assert _number(shown["birthdate_day"]) == _number(day)
    assert _number(shown["birthdate_year"]) == _number(year)


def _number(text: str) -> int | None:
    return int(text) if text else None


@pytest.mark.parametrize(
    ("day", "month", "year"), [("31", "2", "1990"), ("5", "", "1990"), ("", "5", "1990"), ("a", "b", "c"), ("1", "1", "3000"), ("1", "13", "9")]
)
async def test_an_impossible_birthday_is_refused(town: Town, ada: Customer, day: str, month: str, year: str) -> None:
    """A date that is none, half a date, or one to come."""
    page = await _save(ada, birthdate_day=day, birthdate_year=year)
    form = {name: value for name, value in _form(page).items() if name != "action"}
    page = await ada.browser.post(
        PATH, form=form | {"birthdate_day": day, "birthdate_month": month, "birthdate_year": year}, headers={"sec-fetch-site": "same-origin"}
    )
    assert "This date of birth is not possible." in page.words
    assert (await _profile(town, ada)).birthdate is None or day == ""


async def test_a_new_language_is_spoken_at_once(town: Town, ada: Customer) -> None:
    """The page after saving speaks the language chosen, and so does the next one; one the tenant does not offer changes no page."""
    page = await _save(ada, locale="de")
    assert "Ihr Profil ist gespeichert." in page.words
    assert page.headers["content-language"] == "de"
    assert (await ada.browser.get("/account")).headers["content-language"] == "de"
    assert (await _profile(town, ada)).locale == "de"


async def test_a_name_that_is_stored_whole_follows_its_parts(town: Town, ada: Customer) -> None:
    """Apps that read `name` do not see a name she gave up."""
    async with town.world.work() as work:
        await profiles.change(work, ada.account, profiles.Changes(name="Ada Byron", given_name="Ada", family_name="Byron"))
    await _save(ada, phone_number="+442079460000")
    assert (await _profile(town, ada)).name == "Ada Byron"
    await _save(ada, family_name="Lovelace")
    assert (await _profile(town, ada)).name == "Ada Lovelace"


async def test_fields_that_are_not_sent_stay(town: Town, ada: Customer) -> None:
    """A form with one field changes one field."""
    await _save(ada, given_name="Ada", family_name="Lovelace", birthdate_year="1815", locality="London")
    token = _form(await ada.browser.get(PATH))["csrf"]
    await ada.browser.post(PATH, form={"csrf": token, "given_name": "Augusta"}, headers={"sec-fetch-site": "same-origin"})
    saved = await _profile(town, ada)
    assert (saved.given_name, saved.family_name, saved.birthdate, saved.address) == ("Augusta", "Lovelace", "1815", profiles.Address(locality="London"))


async def test_what_was_left_for_one_person_is_not_shown_to_the_next(town: Town, ada: Customer) -> None:
    """The cookie with what was typed is sealed for one page of one session: another page, another person, or a forged one shows nothing."""
    token = _form(await ada.browser.get(PATH))["csrf"]
    form = {"csrf": token, "given_name": "Augusta", "phone_number": "12"}
    await ada.browser.post(PATH, form=form, headers={"sec-fetch-site": "same-origin"}, follow=False)
    left = ada.browser.cookie("lmn_e_acme")
    assert left is not None
    assert "Augusta" not in left
    assert "Enter the phone number" not in (await ada.browser.get("/account/sessions")).words
    await town.account("bob@example.com")
    bob = await sign_in(town.browser(), "bob@example.com")
    bob.jar["localhost"]["lmn_e_acme"] = replace(ada.browser.jar["localhost"]["lmn_e_acme"])
    assert "Augusta" not in (await bob.get(PATH)).text
    for forged in ("acme.AAAA", "acme." + "A" * 400, f"{left[:-4]}AAAA"):
        bob.jar["localhost"]["lmn_e_acme"].value = forged
        assert (await bob.get(PATH)).status == 200
    assert "Augusta" in (await ada.browser.get(PATH)).text


async def test_very_much_typed_is_still_answered(ada: Customer) -> None:
    """Where the cookie has no room for all that was typed, the longest goes; the mistakes are told all the same."""
    letters = "".join(chr(0x4E00 + at * 613 % 20_000) for at in range(6 * 205))
    names = ("given_name", "family_name", "street_address", "postal_code", "locality", "country")
    page = await _save(ada, **{name: letters[at * 205 : (at + 1) * 205] for at, name in enumerate(names)})
    assert page.status == 200
    assert page.words.count("Enter at most 200 characters.") == 12
    kept = [name for name in names if len(_form(page)[name]) == 205]
    assert 0 < len(kept) < 6
