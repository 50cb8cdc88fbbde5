"""The factor host on both databases: counting, closing, confirming, enrolling."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa

from limen.kernel.clock import SystemClock
from limen.kernel.facts import ANONYMOUS, SYSTEM
from limen.kernel.ids import AccountId, JourneyId, TenantId
from limen.modules import accounts, factors, keys, tenants
from limen.modules.factors import (
    MOST_FAILURES,
    Answer,
    Challenge,
    Chosen,
    Claim,
    Context,
    Factor,
    Match,
    Matched,
    Means,
    Mismatch,
    Order,
    Over,
    Purpose,
    Sending,
    Sent,
    Trial,
    Unfit,
    UnknownFactor,
    Wait,
    Wrong,
    store,
    wait_after,
)
from limen.modules.factors.holder import HOLDER
from limen.modules.factors.model import UNKNOWN
from limen.modules.factors.service.registry import _INSTALLED
from limen.modules.factors.store import TRIES
from limen.modules.journey import Proof, Refused
from limen.platform.crypto import Overloaded
from limen.platform.sql import Work, bind, statement
from tests.conftest import World
from tests.rig import rotating
from tests.rig.clocks import CreepingClock

pytestmark = pytest.mark.anyio

_COUNTED = statement(sa.select(TRIES.c.subject, TRIES.c.failures).where(TRIES.c.tenant == bind("tenant")))
RIGHT = "open sesame"
ADA = ("email", "ada@example.com")
JOURNEY = JourneyId("jny_1")


def check_word(trial: Trial) -> Match | Mismatch:
    fits = trial.kept is not None and trial.said.encode() in (trial.kept, b"renew")
    return Match(b"renewed" if trial.said == "renew" else None) if fits else Mismatch()


def choose_word(value: str, context: Context) -> Chosen | Unfit:
    return Chosen(value.encode()) if len(value) > 3 and value not in context.words else Unfit("too_short", "Longer, please.")


def make_number(purpose: Purpose, failures: int) -> Challenge:
    del failures
    return Challenge(
        kept=b"1234",
        sending=Sending(f"{purpose.value}_code", {"code": "1234", "minutes": "10"}),
        absent=Sending("unknown_address"),
        lifetime=timedelta(minutes=10),
        tries=3,
    )


WORD = Factor(
    name="word",
    words="Word",
    offer="",
    amr=("pwd",),
    acr="aal1",
    means=Means.KNOWN,
    ask="",
    fields=Answer,
    field="word",
    wrong="",
    check=check_word,
    enrol=choose_word,
)
NUMBER = dataclasses.replace(WORD, name="number", amr=("otp",), acr="lmn:email", means=Means.ADDRESS, field="number", enrol=None, challenge=make_number)


@pytest.fixture
def clock() -> SystemClock:
    """A clock that hardly moves by itself."""
    return CreepingClock()


@pytest.fixture(autouse=True)
def toy_factors() -> Iterator[None]:
    """Two toys: a word that is kept, a number that is sent."""
    before = dict(_INSTALLED)
    factors.install({"word": WORD, "number": NUMBER})
    try:
        yield
    finally:
        _INSTALLED.clear()
        _INSTALLED.update(before)


@dataclass
class Stage:
    """A tenant with one account that has the word."""

    world: World
    account: AccountId

    def claim(self, kind: str = "word", **other: object) -> Claim:
        return dataclasses.replace(Claim(kind=kind, journey=JOURNEY, identifier=ADA), **other)  # type: ignore[arg-type] # fields of Claim

    async def attempt(self, said: str, claim: Claim | None = None) -> object:
        return await factors.attempt(self.world.db, self.world.tenant, ANONYMOUS, claim or self.claim(), said)

    async def matched(self, said: str = RIGHT, claim: Claim | None = None) -> Matched:
        found = await self.attempt(said, claim)
        assert isinstance(found, Matched), found
        return found

    async def confirm(self, matched: Matched) -> Proof | Refused:
        async with self.world.work() as work:
            return await factors.confirm(work, matched)

    async def enrol(self, word: str = RIGHT) -> None:
        prepared = await factors.prepare(self.world.db, self.world.tenant, ANONYMOUS, "word", word, Context())
        assert isinstance(prepared, factors.Prepared)
        async with self.world.work() as work:
            await factors.enrol(work, self.account, prepared)

    async def send(self, claim: Claim | None = None) -> object:
        async with self.world.work() as work:
            return await factors.challenge(work, claim or self.claim("number"), Order(Purpose.SIGN_IN, "en", "http://localhost/signup"))


@pytest.fixture
async def stage(world: World) -> Stage:
    """An account with the word."""
    accounts.normalise(*ADA)
    async with world.work() as work:
        await tenants.save(work, tenants.plain(world.tenant))
    async with world.work() as work:
        made = await accounts.create(work, *ADA)
    assert isinstance(made, accounts.Account)
    ready = Stage(world, made.id)
    await ready.enrol()
    return ready


async def test_a_right_answer_becomes_a_proof(stage: Stage) -> None:
    """The proof carries the factor, the account, and what the extension says it gives."""
    proof = await stage.confirm(await stage.matched())
    assert isinstance(proof, Proof)
    assert (proof.factor, proof.account, proof.amr, proof.acr, proof.identifier) == ("word", stage.account, ("pwd",), "aal1", None)


async def test_an_attempt_counts_before_it_is_checked(stage: Stage) -> None:
    """A right answer that nobody confirms has cost its attempt; a confirmed one takes all failures back."""
    for _ in range(3):
        await stage.matched()
    assert isinstance(await stage.attempt("wrong"), Wrong)
    await stage.matched()
    assert isinstance(await stage.attempt(RIGHT), Wait)
    stage.world.advance(2)
    await stage.confirm(await stage.matched())
    for _ in range(5):
        await stage.matched()


async def test_attempts_in_parallel_are_counted_one_by_one(stage: Stage) -> None:
    """Of thirty attempts in one moment five are checked, whatever database."""
    found = await asyncio.gather(*(stage.attempt("wrong") for _ in range(30)))
    assert sum(isinstance(one, Wrong) for one in found) == 5
    assert sum(isinstance(one, Wait) for one in found) == 25


async def test_the_limit_is_exact_however_many_guess(stage: Stage) -> None:
    """At ninety-eight failures, thirty parallel guesses: two are checked and the factor is closed; nothing opens it by waiting."""
    async with stage.world.work() as work:
        for _ in range(MOST_FAILURES - 2):
            await store.count_try(work, "word", stage.account, "")
            await work.run(store._DELAY, kind="word", subject=stage.account, browser="", next_at=work.now)
    checked = 0
    for _ in range(6):
        stage.world.advance(1000)
        found = await asyncio.gather(*(stage.attempt("wrong") for _ in range(5)))
        checked += sum(isinstance(one, Wrong) for one in found)
    assert checked == 2
    assert await stage.attempt(RIGHT) == Wait(None)
    stage.world.advance(10_000_000)
    assert await stage.attempt(RIGHT) == Wait(None)


async def test_a_busy_server_closes_nobodys_factor(stage: Stage) -> None:
    """An attempt that the hashing pool refused was not checked: it is given back, and the waiting with it."""

    def busy(trial: Trial) -> Match | Mismatch:
        del trial
        raise Overloaded("Too many sign-ins at the moment.", retry_after=1)

    factors.install({"word": dataclasses.replace(WORD, check=busy), "number": NUMBER})
    for _ in range(12):
        with pytest.raises(Overloaded):
            await stage.attempt(RIGHT)
    factors.install({"word": WORD, "number": NUMBER})
    for _ in range(5):
        assert isinstance(await stage.attempt("wrong"), Wrong)
    assert isinstance(await stage.attempt("wrong"), Wait)


async def test_nobody_is_counted_like_somebody(stage: Stage) -> None:
    """An identifier without an account waits like one with: the same verdicts in the same order."""
    nobody = stage.claim(identifier=("email", "nobody@example.com"))
    for _ in range(7):
        assert type(await stage.attempt("wrong")) is type(await stage.attempt("wrong", nobody))
    assert isinstance(await stage.attempt("wrong", nobody), Wait)


async def test_a_secret_changed_meanwhile_proves_nothing(stage: Stage) -> None:
    """Between check and confirmation the word was replaced: no proof, and the attempt stays counted."""
    matched = await stage.matched()
    await stage.enrol("another word")
    assert await stage.confirm(matched) == Refused("changed_meanwhile")
    assert isinstance(await stage.confirm(await stage.matched("another word")), Proof)


async def test_a_removed_factor_proves_nothing(stage: Stage) -> None:
    """Neither the answer checked before it went, nor any after."""
    matched = await stage.matched()
    async with stage.world.work() as work:
        held = (await factors.list_of(work, stage.account))[0]
        assert await factors.remove(work, stage.account, held.id)
        assert not await factors.remove(work, stage.account, held.id)
    assert await stage.confirm(matched) == Refused("changed_meanwhile")
    assert isinstance(await stage.attempt(RIGHT), Wrong)


async def test_a_renewed_secret_takes_the_old_ones_place(stage: Stage) -> None:
    """A right answer may bring the secret in a new form; of two at once one stores it, the other is asked again."""
    first, second = await stage.matched("renew"), await stage.matched("renew")
    assert isinstance(await stage.confirm(first), Proof)
    assert await stage.confirm(second) == Refused("changed_meanwhile")
    assert isinstance(await stage.confirm(await stage.matched("renewed")), Proof)


async def test_a_stored_secret_is_sealed_at_its_place(stage: Stage) -> None:
    """The row holds no word, and a row moved to another account opens nothing."""
    async with stage.world.read() as read:
        stored = await store.of_kind(read, stage.account, "word")
    assert stored is not None
    assert RIGHT.encode() not in stored.secret


async def test_a_challenge_is_answered_once(stage: Stage) -> None:
    """Right once, over afterwards; two confirmations of one answer at once give one proof, with the identifier it proves."""
    assert isinstance(await stage.send(), Sent)
    matched = await stage.matched("1234", stage.claim("number"))
    found = await asyncio.gather(stage.confirm(matched), stage.confirm(matched))
    proofs = [one for one in found if isinstance(one, Proof)]
    assert len(proofs) == 1
    assert proofs[0].identifier == ADA
    assert proofs[0].account == stage.account
    assert isinstance(await stage.attempt("1234", stage.claim("number")), Over)


async def test_a_challenge_has_its_tries_and_its_time(stage: Stage) -> None:
    """Three tries, counted when they are made in parallel too; ten minutes; none before one was sent."""
    claim = stage.claim("number")
    assert isinstance(await stage.attempt("1234", claim), Over)
    await stage.send()
    found = await asyncio.gather(*(stage.attempt("9999", claim) for _ in range(8)))
    assert sum(isinstance(one, Wrong) for one in found) == 3
    stage.world.advance(1000)
    await stage.send()
    stage.world.advance(601)
    assert isinstance(await stage.attempt("1234", claim), Over)


async def test_answers_and_confirmations_at_once_do_not_block_each_other(stage: Stage) -> None:
    """Attempts and confirmations hold what they hold in one order, so a busy moment ends in verdicts, never in a deadlock."""
    for _ in range(6):
        await stage.send(stage.claim("number"))
        stage.world.advance(3601)
        await stage.send(stage.claim("number"))
        matched = await stage.matched("1234", stage.claim("number"))
        found = await asyncio.gather(*(stage.confirm(matched) if n % 2 else stage.attempt("1234", stage.claim("number")) for n in range(8)))
        assert sum(isinstance(one, Proof) for one in found) == 1


async def test_a_challenge_proves_only_what_it_was_sent_for(stage: Stage) -> None:
    """A code sent for one identifier is wrong for another, in the same journey; and in another journey there is none."""
    await stage.send()
    assert isinstance(await stage.attempt("1234", stage.claim("number", identifier=("email", "eve@example.com"))), Wrong)
    assert isinstance(await stage.attempt("1234", stage.claim("number", journey=JourneyId("jny_2"))), Over)


async def test_a_new_challenge_makes_the_old_ones_answer_void(stage: Stage) -> None:
    """Checked before, confirmed after another was sent: no proof."""
    await stage.send()
    matched = await stage.matched("1234", stage.claim("number"))
    await stage.send()
    assert await stage.confirm(matched) == Refused("changed_meanwhile")


async def test_nobodys_challenge_has_no_answer(stage: Stage) -> None:
    """For an address without an account a decoy is kept: the code of the extension does not fit it."""
    nobody = stage.claim("number", identifier=("email", "nobody@example.com"))
    assert isinstance(await stage.send(nobody), Sent)
    assert await stage.attempt("1234", nobody) == Wrong(2)


async def test_one_closed_factor_opens_when_another_is_shown(stage: Stage) -> None:
    """Only the closed ones open; failures of others that are not closed stay counted."""
    async with stage.world.work() as work:
        for _ in range(MOST_FAILURES):
            await store.count_try(work, "word", stage.account, "")
            await work.run(store._DELAY, kind="word", subject=stage.account, browser="", next_at=work.now)
    assert await stage.attempt(RIGHT) == Wait(None)
    await stage.send()
    await stage.confirm(await stage.matched("1234", stage.claim("number")))
    assert isinstance(await stage.confirm(await stage.matched()), Proof)


async def test_a_known_browser_counts_apart(stage: Stage) -> None:
    """For the accounts it signed in before, and for no other."""
    known = stage.claim(browser="b1", known_to=frozenset({stage.account}))
    for _ in range(6):
        await stage.attempt("wrong")
    assert isinstance(await stage.attempt("wrong"), Wait)
    assert isinstance(await stage.confirm(await stage.matched(claim=known)), Proof)
    assert isinstance(await stage.attempt("wrong", stage.claim(browser="b1", known_to=frozenset({AccountId("acc_2")}))), Wait)


async def test_what_is_chosen_is_judged_by_the_extension(stage: Stage) -> None:
    """A refusal comes back as it is, and nothing is stored."""
    found = await factors.prepare(stage.world.db, stage.world.tenant, ANONYMOUS, "word", "abc", Context())
    assert found == Unfit("too_short", "Longer, please.")
    with pytest.raises(UnknownFactor):
        await factors.prepare(stage.world.db, stage.world.tenant, ANONYMOUS, "number", "abc", Context())


async def test_old_challenges_and_unknown_counters_leave(stage: Stage) -> None:
    """Codes past their time go; counters of identifiers nobody has go after ninety days, an account's stay."""
    await stage.send()
    await stage.attempt("wrong")
    await stage.attempt("wrong", stage.claim(identifier=("email", "nobody@example.com")))
    stage.world.advance(91 * 86_400)
    async with stage.world.work(SYSTEM) as work:
        assert await store.drop_outdated(work, work.now.replace(year=work.now.year - 1), 10) == 0
        assert await store.drop_outdated(work, work.now, 10) == 1
        assert await store.hold_open(work, JOURNEY, "number") is False
    assert await stage.attempt(RIGHT) is not None


async def failures(stage: Stage) -> list[tuple[str, int]]:
    """Return whose failures are counted, and how many."""
    async with stage.world.read() as read:
        return await read.all(_COUNTED)


async def test_no_rotation_forgives_failures_of_an_identifier_nobody_has(stage: Stage) -> None:
    """While its key rotates and after the previous one is gone the count goes on, what a late process counted under the old index included."""
    nobody = stage.claim(identifier=("email", "bob@example.com"))
    for _ in range(4):
        assert isinstance(await stage.attempt("wrong", nobody), Wrong)
    ((before, _),) = await failures(stage)
    await rotating.begin(stage.world, keys.Use.INDEX)
    assert isinstance(await stage.attempt("wrong", nobody), Wrong)
    ((after, counted),) = await failures(stage)
    assert (after != before, counted) == (True, 5)
    assert isinstance(await stage.attempt("wrong", nobody), Wait)
    stage.world.advance(2)
    async with stage.world.work() as work:
        await store.count_try(work, "word", before, "")
    assert isinstance(await stage.attempt("wrong", nobody), Wrong)
    assert await failures(stage) == [(after, 7)]
    await rotating.bring_along(stage.world)
    for _ in range(2):  # half the time until the previous key goes, so that the counter is not too old in between
        stage.world.advance(45 * 86_400)
        assert isinstance(await stage.attempt("wrong", nobody), Wrong)
    await rotating.end(stage.world, keys.Use.INDEX)
    assert await rotating.count(stage.world, keys.Use.INDEX) == 1
    assert isinstance(await stage.attempt("wrong", nobody), Wrong)
    assert await failures(stage) == [(after, 10)]


async def test_what_is_closed_stays_closed_over_a_rotation(stage: Stage) -> None:
    """A counter at its limit moves as it is, and stays at it when another meets it there."""
    blinds = []
    async with stage.world.read() as read:
        blinds += [(await keys.blind(read, UNKNOWN, "factor", f"email:{name}@example.com")).hex() for name in ("bob", "eve")]
    async with stage.world.work() as work:
        for blind in blinds:
            for _ in range(MOST_FAILURES):
                await store.count_try(work, "word", blind, "")
                await work.run(store._DELAY, kind="word", subject=blind, browser="", next_at=work.now)
    await rotating.begin(stage.world, keys.Use.INDEX)
    bob = stage.claim(identifier=("email", "bob@example.com"))
    assert await stage.attempt("wrong", bob) == Wait(None)
    ((moved, _),) = [one for one in await failures(stage) if one[0] not in blinds]
    async with stage.world.work() as work:
        for _ in range(7):
            await store.count_try(work, "word", blinds[0], "")
            await work.run(store._DELAY, kind="word", subject=blinds[0], browser="", next_at=work.now)
    assert await stage.attempt("wrong", bob) == Wait(None)
    assert (moved, MOST_FAILURES + 7) in await failures(stage)


async def test_codes_stay_long_over_a_rotation(stage: Stage) -> None:
    """A code sent while the key rotates is as long as the failures under both keys make it, for one nobody has; somebody's count is her own."""
    told: list[int] = []

    def make(purpose: Purpose, failures: int) -> Challenge:
        told.append(failures)
        return make_number(purpose, failures)

    factors.install({"word": WORD, "number": dataclasses.replace(NUMBER, challenge=make)})
    nobody = stage.claim("number", identifier=("email", "bob@example.com"))
    async with stage.world.read() as read:
        before = (await keys.blind(read, UNKNOWN, "factor", "email:bob@example.com")).hex()
    async with stage.world.work() as work:
        for _ in range(MOST_FAILURES + 3):
            await store.count_failure(work, "number", before, "")
        await store.count_failure(work, "number", stage.account, "")
    await rotating.begin(stage.world, keys.Use.INDEX)
    assert await stage.send(nobody) == Sent()
    assert isinstance(await stage.attempt("wrong", nobody), Wrong)
    assert await stage.send(nobody) == Sent()
    assert await stage.send() == Sent()
    assert told == [MOST_FAILURES + 3, MOST_FAILURES + 4, 1]


async def test_a_known_one_pays_for_a_rotation_like_an_unknown_one(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the key rotates an older count is looked for once, whether or not somebody has the identifier; before it, never."""
    looked: list[str] = []
    real = store.move_tries

    async def move(work: Work, before: str, subject: str) -> None:
        looked.append(before)
        await real(work, before, subject)

    monkeypatch.setattr(store, "move_tries", move)
    nobody = stage.claim(identifier=("email", "bob@example.com"))
    for claim in (None, nobody):
        assert isinstance(await stage.attempt("wrong", claim), Wrong)
    assert looked == []
    await rotating.begin(stage.world, keys.Use.INDEX)
    for claim in (None, nobody):
        assert isinstance(await stage.attempt("wrong", claim), Wrong)
    assert len(looked) == 2


async def test_a_person_is_told_and_forgotten(stage: Stage) -> None:
    """An export names kinds and dates and no secret; afterwards nothing of hers is left."""
    async with stage.world.work() as work:
        page = await HOLDER.export(work, stage.account, None)
        assert [record["kind"] for record in page.records] == ["word"]
        assert RIGHT not in str(page.records)
        await HOLDER.forget(work, stage.account)
        assert await factors.list_of(work, stage.account) == ()


async def test_another_tenants_factor_is_none_of_ours(stage: Stage) -> None:
    """The same address at another tenant has no word."""
    rival = TenantId("rival")
    async with stage.world.db.work(rival, SYSTEM) as work:
        await tenants.save(work, tenants.plain(rival))
    assert isinstance(await factors.attempt(stage.world.db, rival, ANONYMOUS, stage.claim(), RIGHT), Wrong)


def test_the_registry_refuses_halves() -> None:
    """What is no factor, has another name than its folder, or neither keeps nor sends, is refused at start-up."""
    for found in (
        {"word": object()},
        {"other": WORD},
        {"word": dataclasses.replace(WORD, enrol=None)},
        {"word": dataclasses.replace(WORD, challenge=make_number)},
    ):
        with pytest.raises(UnknownFactor):
            factors.install(found)
    with pytest.raises(UnknownFactor, match="unknown_factor") as missing:
        factors.factor("palm")
    assert "palm" in missing.value.operator


def test_waiting_grows_to_a_quarter_of_an_hour() -> None:
    """Nothing for four failures, then a second, doubled each time, never more than fifteen minutes."""
    assert [wait_after(n).total_seconds() for n in (0, 4, 5, 6, 7, 14, 15, 100)] == [0, 0, 1, 2, 4, 512, 900, 900]
