"""Making, finding, suspending, resuming and closing accounts, and their identifiers."""

from __future__ import annotations

import asyncio
import importlib
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from limen.kernel.ids import AccountId, new
from limen.modules import keys, tenants
from limen.modules.accounts import store
from limen.modules.accounts.errors import (
    AccountChangedMeanwhile,
    InvalidReason,
    KindNotAllowed,
    LastIdentifier,
    NoSuchAccount,
    NoSuchIdentifier,
    StateForbids,
    TooManyIdentifiers,
)
from limen.modules.accounts.facts import AccountClosed, AccountCreated, AccountResumed, AccountSuspended, IdentifierAdded, IdentifierDropped
from limen.modules.accounts.model import EMAIL, IDENTIFIERS, MOVES, PHONE, Account, AccountState, Identifier, Taken
from limen.modules.accounts.model.forms import admitted, kept, normalise, written
from limen.modules.accounts.settings import Tenant
from limen.platform.crypto import Box
from limen.platform.sql import Reader, Work

_MOST_IDENTIFIERS: Final = 20
_NUMBERS: Final = "phonenumbers"
_REASON: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")


async def prepare(*kinds: str) -> None:
    """Load what identifiers of these kinds are judged by, before a Work judges one: for telephone numbers it takes 40 ms, once in a process."""
    if PHONE in kinds and _NUMBERS not in sys.modules:
        await asyncio.to_thread(importlib.import_module, _NUMBERS)


async def create(work: Work, kind: str, value: str) -> Account | Taken:
    """Make an account for somebody who has just proved an identifier; `Taken` where it belongs to an account already.

    Of two at once one wins, and the other learns who. InvalidIdentifier, KindNotAllowed.
    """
    value = await _admitted(work, kind, value)
    account = Account(AccountId(new("acc", work.now)), AccountState.REGISTERED, work.now)
    claimed = await _claim(work, account.id, kind, value)
    if isinstance(claimed, Taken):
        return claimed
    await keys.new_subject(work, account.id)
    await store.add(work, account)
    await _fill(work, claimed, value)
    work.record(AccountCreated(subject=account.id, kind=kind))
    return account


async def add_identifier(work: Work, account: AccountId, kind: str, value: str) -> Identifier | Taken:
    """Add an identifier that was just proved; the same one again changes nothing.

    NoSuchAccount, StateForbids, TooManyIdentifiers, InvalidIdentifier, KindNotAllowed.
    """
    value = await _admitted(work, kind, value)
    held = await _take(work, account)
    if held.state is AccountState.CLOSED:
        raise StateForbids("the account is closed")
    own = await store.identifiers(work, [account])
    claimed = await _claim(work, account, kind, value, place=own[-1].place + 1 if own else 0)
    if isinstance(claimed, Taken):
        return claimed if claimed.account != account else await _own(work, account, kind, value)
    if len(own) == _MOST_IDENTIFIERS:
        raise TooManyIdentifiers(f"an account has at most {_MOST_IDENTIFIERS} identifiers")
    await _fill(work, claimed, value)
    work.record(IdentifierAdded(subject=account, kind=kind, identifier=claimed.id))
    return Identifier(claimed.id, kind, value, work.now)


async def _admitted(work: Work, kind: str, value: str) -> str:
    """Return an identifier as it is to be stored, if the tenant has such identifiers."""
    if kind == EMAIL:  # every tenant has those
        return written(kind, value)
    rules = await tenants.settings(work, Tenant.section, Tenant)
    value = admitted(kind, value, rules.region, rules.reserved)
    if kind not in rules.identifiers:
        raise KindNotAllowed(f"identifiers here are of kind {', '.join(rules.identifiers)}")
    return value


async def _own(work: Work, account: AccountId, kind: str, value: str) -> Identifier:
    """Return the account's identifier that equals `value`."""
    wanted = kept(kind, value)
    return next(one for one in await identifiers(work, account) if one.kind == kind and kept(kind, one.value) == wanted)


async def drop_identifier(work: Work, account: AccountId, identifier: str) -> None:
    """Take an identifier from an account; it is free for others then. NoSuchAccount, NoSuchIdentifier, LastIdentifier."""
    await _take(work, account)
    own = await store.identifiers(work, [account])
    found = next((one for one in own if one.id == identifier), None)
    if found is None:
        raise NoSuchIdentifier("the account has no such identifier")
    if len(own) == 1:
        raise LastIdentifier("an account keeps at least one identifier: add another one first")
    await store.drop(work, account, identifier)
    work.record(IdentifierDropped(subject=account, kind=found.kind, identifier=identifier))


async def find(reader: Reader, account: AccountId) -> Account | None:
    """Return an account."""
    return await store.find(reader, account)


async def keep(work: Work, account: AccountId) -> Account | None:
    """Return an account and see to it that its state changes after this Work at the earliest: who suspends it then finds what is made here."""
    return await store.keep(work, account)


async def by_identifier(reader: Reader, kind: str, value: str) -> Account | None:
    """Return the account an identifier leads to, in whatever state it is. InvalidIdentifier."""
    region = (await tenants.settings(reader, Tenant.section, Tenant)).region if kind == PHONE else ""
    return await by_normal(reader, kind, normalise(kind, value, region))


async def by_normal(reader: Reader, kind: str, normal: str) -> Account | None:
    """Like `by_identifier`, with what `normalise` made of it: to judge an address takes longer than to look it up."""
    found = await store.by_blind(reader, kind, await keys.blinds(reader, IDENTIFIERS, kind, normal))
    return await store.find(reader, found) if found else None


async def identifiers(reader: Reader, account: AccountId, box: Box | None = None) -> tuple[Identifier, ...]:
    """Return an account's identifiers, the first proved first; nothing once it is forgotten. `box` is the person's, if it is at hand."""
    return (await identifiers_of(reader, [account], {account: box} if box else None)).get(account, ())


def opened(reader: Reader, box: Box, identifier: str, value: bytes) -> str:
    """Return the value of an identifier that was just read by another statement (`first`)."""
    return box.open(value, store.seal_place(reader.tenant, identifier)).decode()


async def identifiers_of(
    reader: Reader, accounts: Sequence[AccountId], at_hand: Mapping[AccountId, Box] | None = None
) -> dict[AccountId, tuple[Identifier, ...]]:
    """Return the identifiers of several accounts. `at_hand` are boxes that were read already."""
    found: dict[AccountId, list[Identifier]] = {}
    boxes = dict(at_hand or {})
    for one in await store.identifiers(reader, accounts):
        if one.account not in boxes:
            try:
                boxes[one.account] = await keys.subject_box(reader, one.account)
            except keys.Forgotten:
                continue
        value = boxes[one.account].open(one.value, one.seal_place(reader.tenant)).decode()
        found.setdefault(one.account, []).append(Identifier(one.id, one.kind, value, one.verified_at))
    return {account: tuple(several) for account, several in found.items()}


async def list_of(reader: Reader, after: str = "", limit: int = 100) -> list[Account]:
    """Return up to `limit` accounts after an id, the oldest first; a full page means there may be more."""
    return await store.page(reader, after, limit)


async def suspend(work: Work, account: AccountId, reason: str, *, expected: int | None = None) -> Account:
    """Keep an account out until it is resumed; what it opened ends, by the reactions to the fact. A suspended one stays as it is.

    `reason` is a code such as `chargeback`. NoSuchAccount, StateForbids, InvalidReason; AccountChangedMeanwhile if `expected` is given
    and not its version.
    """
    return await _move(work, account, AccountState.SUSPENDED, AccountSuspended(subject=account, reason=reason), expected)


async def resume(work: Work, account: AccountId, reason: str, *, expected: int | None = None) -> Account:
    """Let a suspended account in again. Errors as `suspend`."""
    return await _move(work, account, AccountState.REGISTERED, AccountResumed(subject=account, reason=reason), expected)


async def close(work: Work, account: AccountId, reason: str, *, expected: int | None = None) -> Account:
    """End an account for good; its identifiers stay taken until it is forgotten. Errors as `suspend`."""
    return await _move(work, account, AccountState.CLOSED, AccountClosed(subject=account, reason=reason), expected)


async def _move(work: Work, account: AccountId, to: AccountState, fact: AccountSuspended | AccountResumed | AccountClosed, expected: int | None) -> Account:
    if not _REASON.fullmatch(fact.reason):
        raise InvalidReason("a reason is a code of small letters, digits and underscores, such as `chargeback`")
    held = await _take(work, account)
    if expected is not None and expected != held.version:
        raise AccountChangedMeanwhile("the account changed since it was read; read it again")
    if held.state is to:
        return held
    if held.state not in MOVES[to]:
        raise StateForbids(f"the account is {held.state.value}")
    moved = await store.move(work, account, to)
    work.record(fact)
    return moved or replace(held, state=to)


async def _take(work: Work, account: AccountId) -> Account:
    held = await store.take(work, account)
    if held is None:
        raise NoSuchAccount("there is no such account")
    return held


async def _claim(work: Work, account: AccountId, kind: str, value: str, place: int = 0) -> store.Kept | Taken:
    """Take an identifier before anything else is written, so that who loses a race has nothing to undo."""
    normal = kept(kind, value)
    blinds = await keys.blinds(work, IDENTIFIERS, kind, normal)
    if owner := await store.by_blind(work, kind, blinds):
        return Taken(owner)
    claimed = store.Kept(account, new("idn", work.now), kind, await keys.blind(work, IDENTIFIERS, kind, normal), b"", work.now, place)
    if await store.claim(work, claimed):
        return claimed
    owner = await store.by_blind(work, kind, blinds)
    if owner is None:  # it was there a moment ago and is gone: who had it has just given it up
        raise AccountChangedMeanwhile("the identifier changes hands at this moment; try again")
    return Taken(owner)


async def _fill(work: Work, claimed: store.Kept, value: str) -> None:
    box = await keys.subject_box(work, claimed.account)
    await store.fill(work, replace(claimed, value=box.seal(value.encode(), claimed.seal_place(work.tenant))))
