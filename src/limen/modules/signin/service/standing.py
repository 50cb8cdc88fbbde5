"""Whether a session or a journey's proofs are enough for what is asked."""

from __future__ import annotations

from limen.kernel.ids import AccountId
from limen.modules import accounts, factors, tenants
from limen.modules.journey import Ask, Proof, State
from limen.modules.sessions import Session
from limen.modules.signin.model import falls_short, is_fresh, strongest
from limen.modules.signin.settings import Tenant
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
    """True if what was proved in this journey lets the account in: one of the tenant's methods, and as strong as asked as far as she has it.

    Whether the proofs are her own, `enter` judges.
    """
    if state.account is None or not state.proofs:
        return False
    offered = await methods(reader)
    if not any(proof.factor in offered for proof in state.proofs):
        return False
    if not state.ask.acr_values:
        return True
    acr = strongest(state.proofs)
    return not (falls_short(acr, state.ask) and await _could_show(reader, state.account, state.ask, state.proofs))


async def _could_show(reader: Reader, account: AccountId, ask: Ask, shown: tuple[Proof, ...]) -> bool:
    """True if the account has a factor, not shown yet, that would reach what is asked."""
    offered, done = await methods(reader), {proof.factor for proof in shown}
    return any(
        one.kind in offered and one.kind not in done and not falls_short(factors.factor(one.kind).acr, ask) for one in await factors.list_of(reader, account)
    )


async def identifiers(reader: Reader, account: AccountId) -> tuple[tuple[str, str], ...]:
    """Return an account's identifiers as (kind, normalised value), oldest first."""
    return tuple((one.kind, accounts.normalise(one.kind, one.value)) for one in await accounts.identifiers(reader, account))
