"""Profiles: what people tell of themselves, sealed; merge patches; which values are possible."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.kernel.ids import AccountId
from limen.modules import keys, profiles
from limen.modules.profiles import Address, AddressChanges, Changes, Profile, model
from limen.modules.profiles.holder import HOLDER
from limen.modules.profiles.model import merged
from limen.platform.duties import Done
from limen.platform.pages import register, words
from tests.conftest import World

pytestmark = pytest.mark.anyio

register("profiles", Path(profiles.__file__).parent)  # as the composition root does

ADA = AccountId("acc_ada")
TODAY = date(2026, 11, 22)


async def change(world: World, changes: Changes, account: AccountId = ADA) -> tuple[str, ...]:
    async with world.work() as work:
        return await profiles.change(work, account, changes)


async def read(world: World, account: AccountId = ADA) -> Profile:
    async with world.read() as reader:
        return await profiles.read(reader, account)


async def with_key(world: World) -> None:
    async with world.work() as work:
        await keys.new_subject(work, ADA)


FULL = Changes(
    name="Ada Lovelace",
    given_name="Ada",
    family_name="Lovelace",
    middle_name="King",
    nickname="Ada",
    preferred_username="ada",
    profile="https://ada.example/",
    picture="https://ada.example/me.png",
    website="https://ada.example/blog?x=1#y",
    gender="female",
    birthdate="1815-12-10",
    zoneinfo="Europe/London",
    locale="en-GB",
    phone_number="+442071234567",
    address=AddressChanges(street_address="12 St James's Square\nLondon", locality="London", country="GB"),
)


async def test_every_standard_claim_is_kept(world: World) -> None:
    """OpenID Connect Core 1.0, section 5.1: all of them come back, with the instant of the change."""
    await with_key(world)
    assert await read(world) == Profile()
    changed = await change(world, FULL)
    assert set(changed) == set(Changes.__struct_fields__)
    kept = await read(world)
    assert kept.updated_at is not None
    assert msgspec.to_builtins(msgspec.structs.replace(kept, updated_at=None)) == msgspec.to_builtins(FULL)


async def test_a_change_is_a_merge_patch(world: World) -> None:
    """RFC 7396: absent stays, null goes, members of the address likewise; the fact names attributes and no values."""
    await with_key(world)
    await change(world, FULL)
    before = (await read(world)).updated_at
    world.advance(60)
    async with world.work() as work:
        wanted = Changes(
            nickname=None, given_name="Augusta", family_name="Lovelace", gender="  ", address=AddressChanges(locality=None, region="Greater London")
        )
        assert set(await profiles.change(work, ADA, wanted)) == {"nickname", "given_name", "gender", "address"}
        fact = work.facts[0]
    assert (fact.name, fact.subject, set(getattr(fact, "attributes", ()))) == ("profiles.profile_changed", ADA, {"nickname", "given_name", "gender", "address"})
    kept = await read(world)
    assert (kept.nickname, kept.given_name, kept.gender, kept.family_name) == (None, "Augusta", None, "Lovelace")
    assert kept.address == Address(street_address="12 St James's Square\nLondon", region="Greater London", country="GB")
    assert kept.updated_at is not None
    assert before is not None
    assert kept.updated_at > before


async def test_what_changes_nothing_writes_nothing(world: World) -> None:
    """No fact, no new version."""
    await with_key(world)
    await change(world, FULL)
    async with world.work() as work:
        assert await profiles.change(work, ADA, FULL) == ()
        assert work.facts == []
        assert (await profiles.versioned(work, ADA))[1] == 1


async def test_a_change_on_an_old_reading_is_refused(world: World) -> None:
    """Version 0 is before anything was set."""
    await with_key(world)
    async with world.work() as work:
        await profiles.change(work, ADA, Changes(name="Ada"), expected=0)
    with pytest.raises(profiles.ProfileChangedMeanwhile):
        async with world.work() as work:
            await profiles.change(work, ADA, Changes(name="Bob"), expected=0)


async def test_nobody_without_a_key_has_a_profile(world: World) -> None:
    """Unknown or forgotten: reading finds nothing, changing is an error."""
    assert await read(world) == Profile()
    with pytest.raises(keys.Forgotten):
        await change(world, Changes(name="Ada"))
    await with_key(world)
    await change(world, FULL)
    async with world.work() as work:
        await keys.forget_subject(work, ADA)
    assert await read(world) == Profile()


async def test_export_is_flat_and_forgetting_leaves_nothing(world: World) -> None:
    """The privacy duty."""
    await with_key(world)
    await change(world, FULL)
    async with world.read() as reader:
        (record,) = (await HOLDER.export(reader, ADA, None)).records
    assert (record["given_name"], record["address.locality"]) == ("Ada", "London")
    for _ in range(2):
        async with world.work() as work:
            assert await HOLDER.forget(work, ADA) == Done()
    assert await read(world) == Profile()


async def test_no_attribute_stands_in_the_database_file(world: World) -> None:
    """A canary in every attribute is in no octet of the file and its log."""
    if world.db.dialect != "sqlite":
        assert await read(world) == Profile()
        return
    await with_key(world)
    await change(world, Changes(name="canary7351", nickname="canary7351", address=AddressChanges(locality="canary7351")))
    path = Path(world.url.removeprefix("sqlite:///"))
    held = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert b"profiles.profile_changed" in held
    assert b"canary7351" not in held


GOOD = [
    ("name", "\u5c71\u7530 \u592a\u90ce"),
    ("name", "Jos\u00e9 O'Neill-\u00d1and\u00fa"),
    ("name", "\u0645\u062d\u0645\u062f"),
    ("birthdate", "0000-02-29"),
    ("birthdate", "1984"),
    ("birthdate", "2026-11-22"),
    ("zoneinfo", "UTC"),
    ("zoneinfo", "America/Argentina/Buenos_Aires"),
    ("locale", "de"),
    ("locale", "zh-Hant-TW"),
    ("locale", "es-419"),
    ("locale", "sl-rozaj-biske"),
    ("phone_number", "+12125550123"),
    ("website", "http://b.example:8080/x"),
]
BAD = [
    ("name", "x" * 201),
    ("name", "a\x00b"),
    ("name", "a\nb"),
    ("name", "\u202egnp.exe"),
    ("given_name", "\x1b[31m"),
    ("birthdate", "1984-13-01"),
    ("birthdate", "1983-02-29"),
    ("birthdate", "27.05.1984"),
    ("birthdate", "84-05-27"),
    ("birthdate", "1984-5-27"),
    ("birthdate", "0000"),
    ("birthdate", "2026-11-23"),
    ("birthdate", "9999"),
    ("birthdate", "1984-05"),
    ("zoneinfo", "Europe/Atlantis"),
    ("zoneinfo", "../../etc/passwd"),
    ("zoneinfo", "/etc/localtime"),
    ("zoneinfo", "Europe"),
    ("zoneinfo", "CET+1"),
    ("locale", "english"),
    ("locale", "e"),
    ("locale", "en-"),
    ("locale", "en-GB-"),
    ("locale", "en;q=1"),
    ("phone_number", "030 1234567"),
    ("phone_number", "+0123456789"),
    ("phone_number", "+49"),
    ("phone_number", "+4930123456789012345"),
    ("phone_number", "+49 30 call me"),
    ("website", "javascript:alert(1)"),
    ("website", "ada.example"),
    ("website", "https://"),
    ("website", "https://user:password@ada.example/"),
    ("website", "https://ada.example/<script>"),
    ("website", "https://ada.example/\u202e"),
    ("website", "https://ada.example:x/"),
    ("website", "https://ada.example/" + "x" * 1000),
    ("picture", "data:image/png;base64,AAAA"),
    ("profile", "ftp://ada.example/"),
]


@pytest.mark.parametrize(("field", "value"), GOOD)
def test_possible_values_are_kept_as_they_are(field: str, value: str) -> None:
    """People have the names they have."""
    changes = profiles.tidied(msgspec.convert({field: value}, Changes))
    assert profiles.faults(changes, TODAY) == {}
    assert getattr(changes, field) == value


@pytest.mark.parametrize(("field", "value"), BAD)
def test_impossible_values_are_told_by_field_and_in_every_language(field: str, value: str) -> None:
    """The sentence is for the person, so it is translated."""
    found = profiles.faults(profiles.tidied(msgspec.convert({field: value}, Changes)), TODAY)
    assert list(found) == [field]
    for language in ("de", "ar"):
        assert words(language).say(found[field]) != words("en").say(found[field])


def test_an_error_does_not_repeat_what_was_written() -> None:
    """It goes to logs and to the callers of the API."""
    secret = "canary7351\x00"
    changes = Changes(**dict.fromkeys(set(Changes.__struct_fields__) - {"address"}, secret), address=AddressChanges(region=secret))
    found = profiles.faults(changes, TODAY)
    assert set(found) == {*Changes.__struct_fields__, "address.region"} - {"address"}
    assert "canary" not in str(profiles.InvalidProfile(found))


def test_without_a_zone_database_the_own_table_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small container images have none."""
    monkeypatch.setattr(model, "_system_has_zones", lambda: False)
    assert profiles.faults(Changes(zoneinfo="Europe/Berlin"), TODAY) == {}
    assert profiles.faults(Changes(zoneinfo="Asia/Calcutta"), TODAY) == {}
    assert list(profiles.faults(Changes(zoneinfo="Europe/Atlantis"), TODAY)) == ["zoneinfo"]


@pytest.mark.parametrize(
    ("field", "value", "tidy"),
    [
        ("name", "  Ada \n", "Ada"),
        ("name", "Jose\u0301", "Jos\u00e9"),
        ("locale", "en_us", "en-US"),
        ("locale", "ZH-hant-tw", "zh-Hant-TW"),
        ("phone_number", "+49 (30) 123-45/67", "+49301234567"),
        ("nickname", "   ", None),
    ],
)
def test_values_are_brought_into_their_usual_form(field: str, value: str, tidy: str | None) -> None:
    """Spaces around, composed letters, language tags (RFC 5646), marks in phone numbers."""
    assert getattr(profiles.tidied(msgspec.convert({field: value}, Changes)), field) == tidy


def test_lines_of_an_address_are_checked_too() -> None:
    """Several lines where an address has them; too long or unseen is told by member."""
    good = Changes(address=AddressChanges(formatted="1 Road\nTown", street_address="x" * 200))
    assert profiles.faults(good, TODAY) == {}
    bad = Changes(address=AddressChanges(formatted="x" * 501, region="\x07", country="x" * 201))
    assert set(profiles.faults(bad, TODAY)) == {"address.formatted", "address.region", "address.country"}


LINE = st.one_of(st.just(msgspec.UNSET), st.none(), st.text(max_size=8))


@given(st.builds(Changes, name=LINE, gender=LINE, address=st.one_of(st.just(msgspec.UNSET), st.none(), st.builds(AddressChanges, region=LINE, country=LINE))))
def test_a_merge_patch_does_what_the_rfc_says(changes: Changes) -> None:
    """RFC 7396, section 2, as a model in six lines; applied twice it changes nothing more."""

    def patch(target: object, change: object) -> object:
        if not isinstance(change, dict):
            return change
        result = dict(target) if isinstance(target, dict) else {}
        for name, value in change.items():
            result.pop(name, None) if value is None else result.update({name: patch(result.get(name), value)})
        return result

    wanted = profiles.tidied(changes)
    before = Profile(name="Ada", gender="f", address=Address(region="x", locality="y"))
    now = datetime(2026, 11, 22, tzinfo=UTC)
    after, names = merged(before, wanted, now)
    expected = patch(msgspec.to_builtins(before), msgspec.to_builtins(wanted))
    assert isinstance(expected, dict)
    expected = {name: value for name, value in expected.items() if value != {}}
    assert msgspec.to_builtins(msgspec.structs.replace(after, updated_at=None)) == expected
    assert merged(after, wanted, now) == (after, ())
    assert bool(names) == (after != before)
