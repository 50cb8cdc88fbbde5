"""Use cases of consents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from limen.kernel.ids import AccountId, ClientId
from limen.modules import clients, tenants
from limen.modules.clients import ConsentRule
from limen.modules.consents import store
from limen.modules.consents.facts import ConsentGiven, ConsentWithdrawn, TermsAccepted
from limen.modules.consents.model import Consent, Wanted
from limen.modules.consents.settings import Tenant
from limen.platform.sql import Reader, Work

LISTED: Final = 1_000


async def given(reader: Reader, account: AccountId, client: ClientId) -> frozenset[str]:
    """Return the scopes the account lets the client have now."""
    return await store.given(reader, account, client)


async def kept(work: Work, account: AccountId, client: ClientId) -> frozenset[str]:
    """Likewise, and see to it that they are withdrawn after this Work at the earliest: a withdrawal then finds what is made here."""
    return await store.kept(work, account, client)


async def is_asked(reader: Reader, account: AccountId, client: ClientId, scopes: Iterable[str], *, afresh: bool = False) -> bool:
    """True if the person has to be asked before the client gets these scopes; `afresh` (prompt=consent) asks again whatever was given.

    An app that the operator lets in (`consent = "none"`) need not ask; what it had without asking counts for nothing once it must.
    """
    if afresh:
        return True
    known = await clients.find(reader, client)
    if known is not None and known.consent is ConsentRule.NONE:
        return False
    return not (await store.allowed(reader, account, client)).issuperset(scopes)


async def give(work: Work, account: AccountId, client: ClientId, scopes: Iterable[str], *, implied: bool = False) -> None:
    """Note that the client has these scopes beside those it has: the account said so or, `implied`, the operator for an app of her own."""
    before = await (store.given if implied else store.allowed)(work, account, client)
    fresh = sorted(set(scopes) - before)
    if not fresh:
        return
    await store.give(work, account, client, fresh, implied=implied)
    work.record(ConsentGiven(subject=account, client=client, scopes=tuple(fresh), implied=implied))


async def withdraw(work: Work, account: AccountId, client: ClientId, scopes: Iterable[str] | None = None) -> frozenset[str]:
    """Take scopes, or all of them, from a client; what it was granted ends with it. Return what it lost."""
    standing = await store.given(work, account, client)
    lost = standing if scopes is None else standing.intersection(scopes)
    if scopes is None or lost:
        await store.withdraw(work, account, client, sorted(lost))
        work.record(ConsentWithdrawn(subject=account, client=client, scopes=tuple(sorted(lost)), whole=lost == standing))
    return lost


async def list_of(reader: Reader, account: AccountId) -> tuple[Consent, ...]:
    """Return what the account lets apps have now, by client and scope."""
    return tuple(await store.standing(reader, account, LISTED))


async def terms_wanted(reader: Reader, account: AccountId) -> Wanted | None:
    """Return the terms that the account has yet to agree to; None where there are none, or the version in force is the one it agreed to last."""
    terms = await tenants.settings(reader, Tenant.section, Tenant)
    if terms.terms_version is None or terms.terms_url is None:
        return None
    last = next(iter(await store.accepted(reader, account, 1)), None)
    if last is not None and last.version == terms.terms_version:
        return None
    return Wanted(terms.terms_version, terms.terms_url, last.version if last else "")


async def accept_terms(work: Work, account: AccountId, version: str, client: ClientId | None) -> None:
    """Note that the account agreed to a version of the terms, on its way to `client` where there is one."""
    await store.accept(work, account, version)
    work.record(TermsAccepted(subject=account, version=version, client=client))
