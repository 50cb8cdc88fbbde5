"""Making, finding, suspending, resuming and closing accounts, and their identifiers."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from limen.kernel.ids import AccountId, new
from limen.modules import keys
from limen.modules.accounts import store
from limen.modules.accounts.errors import (
    AccountChangedMeanwhile,
    InvalidIdentifier,
    InvalidReason,
    LastIdentifier,
    NoSuchAccount,
    NoSuchIdentifier,
    StateForbids,
    TooManyIdentifiers,
)
from limen.modules.accounts.facts import AccountClosed, AccountCreated, AccountResumed, AccountSuspended, IdentifierAdded, IdentifierDropped
from limen.modules.accounts.model import EMAIL, IDENTIFIERS, KINDS, MOVES, Account, AccountState, Identifier, Taken
from limen.platform.crypto import Box
from limen.platform.sql import Reader, Work

_LONGEST: Final = 320
_MOST_IDENTIFIERS: Final = 20
_REASON: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")
_USUAL: Final = re.compile(r"([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@((?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+([A-Za-z]{2,63}))")
"""What most addresses look like (RFC 5322, 3.4.1, less quotes and rare signs). What looks otherwise the library judges, which takes twenty times as long."""
_LONGEST_USUAL: Final = 64
"""Characters of the local part, and of what stands behind it, up to which every limit of RFC 5321, 4.5.3.1, is kept."""
_SMALL: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def written(kind: str, value: str) -> str:
    """Return an identifier in the form that is stored and written to: domain in lower case, no spaces around. InvalidIdentifier."""
    local, domain, _ = _email(kind, value)
    return f"{local}@{domain}"


def normalise(kind: str, value: str) -> str:
    """Return the form in which identifiers are compared and found. InvalidIdentifier, which never repeats the value.

    Of an e-mail address: the domain in IDNA's ASCII form and lower case, and A to Z of the local part in lower case. Nothing else is
    folded: `str.casefold` makes one address of `stra\u00dfe@` and `strasse@`, which are two mailboxes, and whoever proves one would
    get the other's account.
    """
    local, _, ascii_domain = _email(kind, value)
    return f"{local.translate(_SMALL)}@{ascii_domain}"


def _email(kind: str, value: str) -> tuple[str, str, str]:
    if kind != EMAIL:
        raise InvalidIdentifier(f"there are identifiers of kind {', '.join(KINDS)}")
    text = value.strip()
    if not 0 < len(text) <= _LONGEST:
        raise InvalidIdentifier("an e-mail address has up to 254 characters")
    if usual := _usual(text):
        return usual
    try:
        found = validate_email(text, strict=True, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise InvalidIdentifier("that is no e-mail address") from None
    return found.local_part, found.domain.lower(), (found.ascii_domain or found.domain).lower()


def _usual(text: str) -> tuple[str, str, str] | None:
    """Return what the library would, for an address that is plainly one; None where it has to look itself."""
    found = _USUAL.fullmatch(text)
    if found is None or "--" in text:
        return None
    local, domain, top = found.groups()
    if len(local) > _LONGEST_USUAL or len(domain) > _LONGEST_USUAL or top.lower() in SPECIAL_USE_DOMAIN_NAMES:
        return None
    domain = domain.lower()
    return local, domain, domain


async def create(work: Work, kind: str, value: str) -> Account | Taken:
    """Make an account for somebody who has just proved an identifier; `Taken` where it belongs to an account already. InvalidIdentifier.

    Of two at once one wins, and the other learns who.
    """
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
    """Add an identifier that was just proved; the same one again changes nothing. NoSuchAccount, StateForbids, TooManyIdentifiers, InvalidIdentifier."""
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
    return Identifier(claimed.id, kind, written(kind, value), work.now)


async def _own(work: Work, account: AccountId, kind: str, value: str) -> Identifier:
    """Return the account's identifier that equals `value`."""
    wanted = normalise(kind, value)
    return next(one for one in await identifiers(work, account) if one.kind == kind and normalise(kind, one.value) == wanted)


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
    return await by_normal(reader, kind, normalise(kind, value))


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
    for kept in await store.identifiers(reader, accounts):
        if kept.account not in boxes:
            try:
                boxes[kept.account] = await keys.subject_box(reader, kept.account)
            except keys.Forgotten:
                continue
        box = boxes[kept.account]
        value = box.open(kept.value, kept.seal_place(reader.tenant)).decode()
        found.setdefault(kept.account, []).append(Identifier(kept.id, kept.kind, value, kept.verified_at))
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
    normal = normalise(kind, value)
    blinds = await keys.blinds(work, IDENTIFIERS, kind, normal)
    if owner := await store.by_blind(work, kind, blinds):
        return Taken(owner)
    kept = store.Kept(account, new("idn", work.now), kind, await keys.blind(work, IDENTIFIERS, kind, normal), b"", work.now, place)
    if await store.claim(work, kept):
        return kept
    owner = await store.by_blind(work, kind, blinds)
    if owner is None:  # it was there a moment ago and is gone: who had it has just given it up
        raise AccountChangedMeanwhile("the identifier changes hands at this moment; try again")
    return Taken(owner)


async def _fill(work: Work, kept: store.Kept, value: str) -> None:
    box = await keys.subject_box(work, kept.account)
    sealed = box.seal(written(kept.kind, value).encode(), kept.seal_place(work.tenant))
    await store.fill(work, replace(kept, value=sealed))
