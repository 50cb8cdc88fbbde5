"""Accounts in the database: made once per identifier, found, kept out, let in, closed, forgotten."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.kernel.ids import AccountId, TenantId
from limen.modules import accounts, keys
from limen.modules.accounts import Account, AccountState, InvalidIdentifier, StateForbids, Taken, store
from limen.modules.accounts.holder import HOLDER
from limen.modules.accounts.model import IDENTIFIERS
from limen.platform.duties import Done
from tests.conftest import World
from tests.rig import rotating

pytestmark = pytest.mark.anyio

ADA = "Ada@Example.com"


async def create(world: World, value: str = ADA) -> Account:
    async with world.work() as work:
        made = await accounts.create(work, "email", value)
    assert isinstance(made, Account)
    return made


async def by_identifier(world: World, value: str) -> Account | None:
    async with world.read() as read:
        return await accounts.by_identifier(read, "email", value)


async def test_an_account_is_found_by_its_identifier_however_it_is_written(world: World) -> None:
    """Case of A to Z and spaces around do not matter; the stored form is the one that was proved."""
    made = await create(world)
    for written in (ADA, "ada@example.com", " ADA@EXAMPLE.COM "):
        assert await by_identifier(world, written) == made
    assert await by_identifier(world, "ada@example.org") is None
    async with world.read() as read:
        own = await accounts.identifiers(read, made.id)
        assert [(one.kind, one.value) for one in own] == [("email", "Ada@example.com")]
        assert await accounts.find(read, made.id) == made
        assert await accounts.find(read, AccountId("acc_nobody")) is None


async def test_a_second_account_for_an_identifier_is_a_verdict(world: World) -> None:
    """No exception, nothing written, no fact; and a verdict is not asked for its truth."""
    made = await create(world)
    async with world.work() as work:
        second = await accounts.create(work, "email", "ada@EXAMPLE.com")
        assert second == Taken(made.id)
        assert work.facts == []
    with pytest.raises(TypeError):
        bool(second)
    async with world.read() as read:
        assert len(await accounts.list_of(read)) == 1


async def test_of_many_at_once_one_wins(world: World) -> None:
    """Twelve people prove the same address at the same time: one account, eleven who learn whose it is, no key left over."""

    async def run() -> Account | Taken:
        async with world.work() as work:
            return await accounts.create(work, "email", ADA)

    results = await asyncio.gather(*(run() for _ in range(12)))
    winners = [one for one in results if isinstance(one, Account)]
    assert len(winners) == 1
    assert [one for one in results if isinstance(one, Taken)] == [Taken(winners[0].id)] * 11
    async with world.read() as read:
        assert [one.id for one in await accounts.list_of(read)] == [winners[0].id]
        assert len(await accounts.identifiers(read, winners[0].id)) == 1


async def test_the_same_address_elsewhere_is_somebody_else(world: World) -> None:
    """Identifiers are unique within a tenant, and found in it alone."""
    made = await create(world)
    other = World(world.db, world.clock, world.keyring, world.url, TenantId("other"))
    assert await by_identifier(other, ADA) is None
    assert (await create(other)).id != made.id


async def test_a_rolled_back_creation_reserves_nothing(world: World) -> None:
    """The address is free for the next one."""

    async def undo() -> None:
        async with world.work() as work:
            await accounts.create(work, "email", ADA)
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        await undo()
    await create(world)


async def test_an_account_goes_through_its_states(world: World) -> None:
    """Suspended and resumed as often as needed, closed for good; doing it again changes nothing, and each change is a fact."""
    made = await create(world)
    async with world.work() as work:
        assert (await accounts.suspend(work, made.id, "chargeback")).state is AccountState.SUSPENDED
        assert (await accounts.suspend(work, made.id, "chargeback")).version == 2
        assert (await accounts.resume(work, made.id, "mistake")).alive
        assert (await accounts.close(work, made.id, "asked")).state is AccountState.CLOSED
        assert (await accounts.close(work, made.id, "asked")).version == 4
        assert [(fact.name, fact.subject) for fact in work.facts] == [
            ("accounts.account_suspended", made.id),
            ("accounts.account_resumed", made.id),
            ("accounts.account_closed", made.id),
        ]
    for move in (accounts.suspend, accounts.resume):
        with pytest.raises(StateForbids):
            async with world.work() as work:
                await move(work, made.id, "again")
    found = await by_identifier(world, ADA)
    assert found is not None
    assert not found.alive


async def test_what_is_not_there_is_not_moved(world: World) -> None:
    """An unknown account is an error; so is a reason that could hold a name, and a version that is not the account's."""
    made = await create(world)
    with pytest.raises(accounts.NoSuchAccount):
        async with world.work() as work:
            await accounts.suspend(work, AccountId("acc_nobody"), "x")
    for reason in ("", "Ada owes us", "x" * 51, "1x", "x\n"):
        with pytest.raises(accounts.InvalidReason):
            async with world.work() as work:
                await accounts.suspend(work, made.id, reason)
    with pytest.raises(accounts.AccountChangedMeanwhile):
        async with world.work() as work:
            await accounts.suspend(work, made.id, "x", expected=7)


async def test_an_account_may_have_several_identifiers(world: World) -> None:
    """Each leads to it; the last one stays; one that is dropped is free for others."""
    made = await create(world)
    async with world.work() as work:
        second = await accounts.add_identifier(work, made.id, "email", "ada@work.example")
        assert isinstance(second, accounts.Identifier)
        assert await accounts.add_identifier(work, made.id, "email", "ADA@work.example") == second
    assert await by_identifier(world, "ada@work.example") == made
    async with world.work() as work:
        first, _ = await accounts.identifiers(work, made.id)
        await accounts.drop_identifier(work, made.id, first.id)
    with pytest.raises(accounts.LastIdentifier):
        async with world.work() as work:
            await accounts.drop_identifier(work, made.id, second.id)
    with pytest.raises(accounts.NoSuchIdentifier):
        async with world.work() as work:
            await accounts.drop_identifier(work, made.id, first.id)
    bob = await create(world)
    assert bob.id != made.id
    async with world.work() as work:
        assert await accounts.add_identifier(work, bob.id, "email", "ada@work.example") == Taken(made.id)


async def test_identifiers_are_bounded(world: World) -> None:
    """Nobody collects addresses without end, and a closed account gets none."""
    made = await create(world)
    for number in range(19):
        async with world.work() as work:
            await accounts.add_identifier(work, made.id, "email", f"ada{number}@example.com")
    with pytest.raises(accounts.TooManyIdentifiers):
        async with world.work() as work:
            await accounts.add_identifier(work, made.id, "email", "one@more.example")
    async with world.work() as work:
        await accounts.close(work, made.id, "asked")
    with pytest.raises(StateForbids):
        async with world.work() as work:
            await accounts.add_identifier(work, made.id, "email", "one@more.example")


async def test_accounts_are_listed_page_by_page(world: World) -> None:
    """In the order they were made."""
    made = []
    for number in range(7):
        world.advance(1)
        made.append((await create(world, f"a{number}@example.com")).id)
    listed: list[AccountId] = []
    async with world.read() as read:
        while page := await accounts.list_of(read, listed[-1] if listed else "", 3):
            listed += [one.id for one in page]
        several = await accounts.identifiers_of(read, made)
    assert listed == made
    assert [several[one][0].value for one in made] == [f"a{number}@example.com" for number in range(7)]


async def test_forgetting_closes_and_frees(world: World) -> None:
    """The privacy duty: export says what is held, forgetting leaves nothing, and doing it again is no error."""
    made = await create(world)
    async with world.read() as read:
        page = await HOLDER.export(read, made.id, None)
    assert [record.get("value", record.get("state")) for record in page.records] == ["registered", "Ada@example.com"]
    for _ in range(2):
        async with world.work() as work:
            assert await HOLDER.forget(work, made.id) == Done()
    async with world.read() as read:
        found = await accounts.find(read, made.id)
        assert found is not None
        assert found.state is AccountState.CLOSED
        assert await accounts.identifiers(read, made.id) == ()
    assert (await create(world)).id != made.id


async def test_without_her_key_nothing_is_shown(world: World) -> None:
    """Once the subject's key is destroyed, identifiers cannot be read, and nothing breaks."""
    made = await create(world)
    async with world.work() as work:
        await keys.forget_subject(work, made.id)
    async with world.read() as read:
        assert await accounts.identifiers(read, made.id) == ()


async def test_the_index_is_written_anew_when_its_key_rotates(world: World) -> None:
    """While it rotates both keys find; when the jobs are done and the old key is gone, each is found and the same address is still taken."""
    made = [await create(world, f"ada{number}@example.com") for number in range(60)]
    await rotating.begin(world, keys.Use.INDEX)
    assert await by_identifier(world, "ada7@example.com") == made[7]
    async with world.work() as work:
        assert await accounts.create(work, "email", "ada7@example.com") == Taken(made[7].id)
    await rotating.bring_along(world)
    await rotating.end(world, keys.Use.INDEX)
    assert await rotating.count(world, keys.Use.INDEX) == 1
    for number in (0, 49, 50, 59):
        assert await by_identifier(world, f"ada{number}@example.com") == made[number]
    async with world.work() as work:
        assert await accounts.create(work, "email", "ada59@example.com") == Taken(made[59].id)


@pytest.mark.parametrize("late_one_knows", [True, False])
async def test_of_two_who_proved_it_in_the_second_of_the_rotation_the_first_keeps_it(world: World, *, late_one_knows: bool) -> None:
    """One process did not know of the new key yet, so both have the identifier; the later loses it, which the log tells, and nothing hangs."""
    await keys.prepare(world.db, world.tenant)
    async with world.read() as read:
        old = await keys.blind(read, IDENTIFIERS, "email", "ada@example.com")
    await rotating.begin(world, keys.Use.INDEX)
    made: list[Account] = []
    for knows in (not late_one_knows, late_one_knows):
        world.advance(1)
        one = await create(world, f"ada{knows}@example.com".lower())
        async with world.work() as work:
            (kept,) = await store.identifiers(work, [one.id])
            box = await keys.subject_box(work, one.id)
            blind = await keys.blind(work, IDENTIFIERS, "email", "ada@example.com") if knows else old
            await store.reblind(work, kept, blind)
            await store.fill(work, replace(kept, blind=blind, value=box.seal(b"ada@example.com", kept.seal_place(work.tenant))))
        made.append(one)
    first, late = made
    await rotating.bring_along(world)
    assert await by_identifier(world, "ada@example.com") == first
    async with world.read() as read:
        assert await accounts.identifiers(read, late.id) == ()
    await rotating.end(world, keys.Use.INDEX)
    assert await by_identifier(world, "ada@example.com") == first
    assert await rotating.count(world, keys.Use.INDEX) == 1


async def test_what_a_process_that_slept_wrote_under_the_old_key_is_found(world: World) -> None:
    """The last look before the previous key goes brings it along."""
    made = await create(world)
    async with world.read() as read:
        old = await keys.blind(read, IDENTIFIERS, "email", "ada@example.com")
    await rotating.begin(world, keys.Use.INDEX)
    await rotating.bring_along(world)
    async with world.work() as work:
        (kept,) = await store.identifiers(work, [made.id])
        await store.reblind(work, kept, old)
    await rotating.end(world, keys.Use.INDEX)
    assert await by_identifier(world, "ada@example.com") == made


async def test_no_identifier_stands_in_the_database_file(world: World) -> None:
    """A canary in an address is in no octet of the file and its log."""
    if world.db.dialect != "sqlite":
        async with world.read() as read:
            assert (await accounts.list_of(read)) == []
        return
    await create(world, "canary7351@canary-domain.example")
    path = Path(world.url.removeprefix("sqlite:///"))
    held = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert b"accounts.account_created" in held
    assert b"canary" not in held.lower()


WRONG = [
    *("", " ", "ada", "@example.com", "ada@", "ada@@example.com", "ada@example", "ada@localhost", "ada@-x.com", "a da@example.com"),
    *("ada@exa mple.com", "ada@example..com", "ada..b@example.com", ".ada@example.com", "ada.@example.com", "ada@[127.0.0.1]", '"ada"@example.com'),
    *("Ada <ada@example.com>", "ada@example.com,bob@example.com", "ada@example.com\nBcc: x@y.example", "ada\x00@example.com", "ada@example.com\x00"),
    *("a" * 65 + "@example.com", "ada@" + "a" * 64 + ".com", "ada@" + "a." * 130 + "com", "x" * 1000, "ada@ex\u202eample.com", "ada\uff20example.com"),
]


@pytest.mark.parametrize("value", WRONG)
async def test_what_is_no_address_is_refused_without_repeating_it(value: str) -> None:
    """The error is safe to log and to show."""
    with pytest.raises(InvalidIdentifier) as refused:
        accounts.normalise("email", value)
    assert not value.strip() or value not in refused.value.operator


async def test_unknown_kinds_are_refused() -> None:
    """The words name those there are."""
    with pytest.raises(InvalidIdentifier, match="email, phone, username"):
        accounts.normalise("fax", "+49301234567")


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        (" ada@example.com\t", "ada@example.com"),
        ("ada+shop@example.com", "ada+shop@example.com"),
        ("ada@b\u00fccher.example", "ada@xn--bcher-kva.example"),
        ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
        ("J\u00f6rg@example.com", "j\u00f6rg@example.com"),
        ("Jo\u0308rg@example.com", "j\u00f6rg@example.com"),
    ],
)
async def test_one_mailbox_has_one_form(written: str, normal: str) -> None:
    """Domain in ASCII, A to Z small, composed letters."""
    assert accounts.normalise("email", written) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("stra\u00dfe@example.com", "strasse@example.com"),
        ("\u0130da@example.com", "ida@example.com"),
        ("ad\u0131@example.com", "adi@example.com"),
        ("\ufb01x@example.com", "fix@example.com"),
        ("ada+a@example.com", "ada@example.com"),
        ("a.da@example.com", "ada@example.com"),
    ],
)
async def test_two_mailboxes_are_never_one(one: str, other: str) -> None:
    """Whoever proves one must not get the other's account: no folding beyond A to Z, no guess about a provider's habits."""
    with contextlib.suppress(InvalidIdentifier):  # refused is as good
        assert accounts.normalise("email", one) != accounts.normalise("email", other)


@given(st.emails())
def test_normal_forms_are_stable(value: str) -> None:
    """Normalising twice is normalising once, and the written form has the same normal form."""
    try:
        normal = accounts.normalise("email", value)
    except InvalidIdentifier:
        return
    assert accounts.normalise("email", normal) == normal
    assert accounts.normalise("email", accounts.written("email", value)) == normal
