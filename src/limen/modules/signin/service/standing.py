"""Whether a session or a journey's proofs are enough for what is asked."""

from __future__ import annotations

from limen.kernel.ids import AccountId
from limen.modules import accounts, factors, tenants
from limen.modules.factors import Means
from limen.modules.journey import Ask, Proof, State
from limen.modules.sessions import Session
from limen.modules.signin.model import falls_short, is_fresh, reached
from limen.modules.signin.settings import SecondFactor, Tenant
from limen.platform.sql import Reader


async def methods(reader: Reader) -> tuple[str, ...]:
    """Return the factors this tenant offers first, in order."""
    return (await tenants.settings(reader, Tenant.section, Tenant)).methods


async def still_holds(reader: Reader, session: Session, ask: Ask) -> bool:
    """True if a living session answers what an app asks for, so that nobody need prove anything: freshness, and strength as far as she has it."""
    if not is_fresh(session.auth_time, ask, reader.now):
        return False
    return not (falls_short(session.acr, ask) and await _could_show(reader, session.account, ask, ()))


async def is_enough(reader: Reader, state: State) -> bool:
    """True if what was proved in this journey lets the account in: one of the tenant's methods, and a second factor where one is asked of her.

    And as strong as the app asks, as far as she has it. Whether the proofs are her own, `enter` judges.
    """
    if state.account is None or not state.proofs:
        return False
    offered = await methods(reader)
    if not any(proof.factor in offered for proof in state.proofs):
        return False
    if await owes_second(reader, state.account, state.proofs):
        return False
    if not state.ask.acr_values:
        return True
    return not (falls_short(reached(state.proofs), state.ask) and await _could_show(reader, state.account, state.ask, state.proofs))


async def owes_second(reader: Reader, account: AccountId, shown: tuple[Proof, ...]) -> bool:
    """True if the account has a second factor, the tenant asks for it, and none was shown."""
    if (await tenants.settings(reader, Tenant.section, Tenant)).second_factor is SecondFactor.NEVER:
        return False
    own = await seconds(reader, account)
    return bool(own) and not any(proof.factor in own for proof in shown)


async def seconds(reader: Reader, account: AccountId) -> tuple[str, ...]:
    """Return the factors an account has added beside those that everybody is offered first, oldest first."""
    offered = await methods(reader)
    kinds = dict.fromkeys(one.kind for one in await factors.list_of(reader, account) if one.kind not in offered and one.kind in factors.kinds())
    return tuple(kind for kind in kinds if factors.factor(kind).means is Means.HELD)


async def _could_show(reader: Reader, account: AccountId, ask: Ask, shown: tuple[Proof, ...]) -> bool:
    """True if the account has factors, not shown yet, that together with those that were would reach what is asked."""
    done = {proof.factor for proof in shown}
    usable = {*await methods(reader), *await seconds(reader, account)}
    left = [factors.factor(one.kind) for one in await factors.list_of(reader, account) if one.kind in usable and one.kind not in done]
    possible = [Proof(factor=one.name, amr=one.amr, acr=one.acr, means=one.means.value, at=reader.now) for one in left]
    return bool(possible) and not falls_short(reached((*shown, *possible)), ask)


async def identifiers(reader: Reader, account: AccountId) -> tuple[tuple[str, str], ...]:
    """Return an account's identifiers as (kind, normalised value): addresses first, since codes are sent there, the oldest first of each kind."""
    own = sorted(await accounts.identifiers(reader, account), key=lambda one: one.kind != accounts.EMAIL)
    return tuple((one.kind, accounts.kept(one.kind, one.value)) for one in own)
