"""What a tenant asks of new customers, and keeping what they say."""

from __future__ import annotations

from msgspec import UNSET

from limen.kernel.ids import AccountId
from limen.kernel.secrets import Secret
from limen.modules import accounts, factors, profiles, signin, tenants
from limen.modules.accounts import Taken
from limen.modules.journey import Proof, State
from limen.modules.signup.model import FAMILY, GIVEN, SECRET, Wish, meant
from limen.modules.signup.settings import Tenant
from limen.platform.sql import Reader, Work


async def wishes(reader: Reader) -> Tenant:
    """Return what this tenant asks for."""
    return await tenants.settings(reader, Tenant.section, Tenant)


async def stages(reader: Reader) -> int:
    """Return how many pages there are: address, code, and what the tenant asks for besides."""
    asked = await wishes(reader)
    return 2 + (asked.password is not Wish.NONE) + (asked.name is not Wish.NONE)


async def suggestion(reader: Reader, state: State) -> str | None:
    """Return the address she may have meant instead of the one in hand; None where that looks as it should. It depends on what she typed alone."""
    if state.identifier is None:
        return None
    return meant(state.identifier[1], (await wishes(reader)).mail_domains)


def named(given: str, family: str) -> profiles.Changes:
    """Return what a name as typed changes in a profile; what is empty is left alone."""
    return profiles.tidied(profiles.Changes(given_name=given.strip() or UNSET, family_name=family.strip() or UNSET))


async def make(work: Work, state: State) -> tuple[AccountId, tuple[Proof, ...]] | Taken:
    """Make the account for the address that was proved, with all that was chosen for it; return it and what was proved by choosing.

    `Taken` where somebody was faster: then nothing is written.
    """
    proved = next(proof.identifier for proof in state.proofs if proof.identifier is not None)
    made = await accounts.create(work, *proved)
    if isinstance(made, Taken):
        return made
    if state.mark(GIVEN) or state.mark(FAMILY):
        await profiles.change(work, made.id, named(state.mark(GIVEN), state.mark(FAMILY)))
    secret = state.kept.get(SECRET)
    if secret is None:
        return made.id, ()
    # she has shown in this journey that she knows it, and nobody was the account's owner before
    return made.id, (await factors.enrol(work, made.id, factors.Prepared(signin.PASSWORD, Secret(secret))),)
