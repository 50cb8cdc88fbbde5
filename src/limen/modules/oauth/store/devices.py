"""Devices that wait for a person (RFC 8628), and how many wrong codes came from where.

A device code is here as a digest. A user code is short, so its digest could be searched for: it is here as the tenant's blind index.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from limen.kernel.ids import ClientId
from limen.modules import keys
from limen.modules.oauth.settings import DEVICE_CEILING
from limen.platform.crypto import Place
from limen.platform.sql import Choice, Id, Instant, Reader, Work, bind, insert_new, statement, table

KEPT: Final = timedelta(hours=1)
"""So long a request is remembered after its end, so that its device is told that it is too late."""

USER_CODES: Final = keys.Indexed(
    name="oauth.user_codes", fades=DEVICE_CEILING, why="codes that devices show live for minutes, and so does the count of wrong ones by network"
)


class DeviceState(enum.Enum):
    """What became of a device's request."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


DEVICES: Final = table(
    "oauth_devices",
    sa.Column("digest", sa.LargeBinary, primary_key=True),  # of the device code
    sa.Column("user_code", sa.LargeBinary, nullable=False),  # blind index
    sa.Column("client", Id, nullable=False),
    sa.Column("state", Choice(DeviceState), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # what is asked and from where, under the epoch key
    sa.Column("permit", sa.LargeBinary),  # what the person allowed, likewise
    sa.Column("interval", sa.Integer, nullable=False),  # seconds between two questions of the device
    sa.Column("polled", Instant),
    sa.Column("expires", Instant, nullable=False),
    sa.Index("oauth_devices_by_user_code", "tenant", "user_code", unique=True),
    sa.Index("oauth_devices_by_age", "tenant", "expires"),
    rowid=True,
)
GUESSES: Final = table(
    "oauth_device_guesses",
    sa.Column("source", sa.LargeBinary, primary_key=True),  # digest of a browser, blind index of a network, or what stands for all
    sa.Column("free_at", Instant, nullable=False),  # the bucket's one number (see `device.guessing`)
    sa.Index("oauth_device_guesses_by_age", "tenant", "free_at"),
)

_D = DEVICES.c
_G = GUESSES.c
_TENANT = _D.tenant == bind("tenant")
_HERE = (_TENANT, _D.digest == bind("digest"))
_OPEN = (_D.state == DeviceState.PENDING, _D.expires > bind("now"))
_SOURCE = (_G.tenant == bind("tenant"), _G.source == bind("source"))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device that waits for an answer, as found by its user code or by its digest."""

    digest: bytes
    client: ClientId
    sealed: bytes
    expires: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A device's request, held for its device."""

    digest: bytes
    client: ClientId
    state: DeviceState
    permit: bytes | None
    interval: int
    polled: datetime | None
    expires: datetime


_ADD = statement(insert_new(DEVICES))
_BY_CODE = statement(sa.select(_D.digest, _D.client, _D.sealed, _D.expires).where(_TENANT, _D.user_code == bind("user_code"), *_OPEN), into=Waiting)
_FIND = statement(sa.select(_D.digest, _D.client, _D.sealed, _D.expires).where(*_HERE, *_OPEN), into=Waiting)
_ANSWER = statement(sa.update(DEVICES).where(*_HERE, *_OPEN).values(state=bind("answer", _D.state.type), permit=bind("permit")))
_HOLD = statement(
    sa.select(_D.digest, _D.client, _D.state, _D.permit, _D.interval, _D.polled, _D.expires).where(*_HERE).with_for_update(),
    into=Held,
)
_POLL = statement(sa.update(DEVICES).where(*_HERE).values(interval=bind("interval"), polled=bind("now")))
_DROP = statement(sa.delete(DEVICES).where(*_HERE))
_DROP_OLD = statement(
    sa.delete(DEVICES).where(
        _TENANT, _D.digest.in_(sa.select(_D.digest).where(_TENANT, _D.expires <= bind("before")).order_by(_D.expires).limit(bind("most", sa.Integer)))
    )
)
_ANY = statement(sa.select(_D.digest).where(_TENANT).limit(1))

_COUNT_FROM = statement(insert_new(GUESSES))
_HOLD_GUESSES = statement(sa.select(_G.free_at).where(*_SOURCE).with_for_update(), into=lambda instant: instant)
_GUESSES = statement(sa.select(_G.free_at).where(*_SOURCE), into=lambda instant: instant)
_GUESSED = statement(sa.update(GUESSES).where(*_SOURCE).values(free_at=bind("free_at")))
_DROP_GUESSES = statement(
    sa.delete(GUESSES).where(
        _G.tenant == bind("tenant"),
        _G.source.in_(
            sa.select(_G.source)
            .where(_G.tenant == bind("tenant"), _G.free_at <= bind("now"))
            .order_by(_G.free_at)
            .limit(bind("most", sa.Integer))
            .with_for_update(skip_locked=True)
        ),
    )
)
_ANY_GUESSES = statement(sa.select(_G.source).where(_G.tenant == bind("tenant")).limit(1))


def _sealed_at(reader: Reader, column: str, digest: bytes) -> Place:
    """Return where a device's `sealed` or `permit` is sealed for."""
    return Place("oauth_devices", column, reader.tenant, digest.hex())


async def add(work: Work, digest: bytes, user_code: bytes, request: tuple[ClientId, bytes], times: tuple[int, datetime]) -> bool:
    """Store a device's request: its client, and what it asks in plain; the seconds between polls, and its end. False where the user code is taken."""
    client, plain = request
    interval, expires = times
    sealed = work.tx.db.keyring.seal(plain, _sealed_at(work, "sealed", digest))
    values = {"digest": digest, "user_code": user_code, "client": client, "sealed": sealed, "interval": interval, "expires": expires}
    return await work.run(_ADD, **values, state=DeviceState.PENDING, permit=None, polled=None) == 1


async def by_user_code(reader: Reader, user_code: bytes) -> Waiting | None:
    """Return the device that waits under a user code."""
    return await reader.one(_BY_CODE, user_code=user_code, now=reader.now)


async def find(reader: Reader, digest: bytes) -> Waiting | None:
    """Return a device that waits."""
    return await reader.one(_FIND, digest=digest, now=reader.now)


def opened(reader: Reader, found: Waiting) -> bytes:
    """Return what a device asks, in plain."""
    return reader.tx.db.keyring.open(found.sealed, _sealed_at(reader, "sealed", found.digest))


async def answer(work: Work, digest: bytes, state: DeviceState, permit: bytes | None = None) -> bool:
    """Note what the person said, and in plain what she allows; False if somebody answered before, or it is too late."""
    sealed = None if permit is None else work.tx.db.keyring.seal(permit, _sealed_at(work, "permit", digest))
    return await work.run(_ANSWER, digest=digest, answer=state, permit=sealed, now=work.now) == 1


async def hold(work: Work, digest: bytes) -> Held | None:
    """Return a request for its device and hold it, so that two that poll at once are answered one after the other."""
    return await work.one(_HOLD, digest=digest)


def allowed(reader: Reader, held: Held) -> bytes | None:
    """Return what the person allows, in plain."""
    return None if held.permit is None else reader.tx.db.keyring.open(held.permit, _sealed_at(reader, "permit", held.digest))


async def poll(work: Work, digest: bytes, interval: int) -> None:
    """Note that the device asked now, and how long it is to wait from now on."""
    await work.run(_POLL, digest=digest, interval=interval, now=work.now)


async def drop(work: Work, digest: bytes) -> bool:
    """Delete a request, once: its device has what it waited for."""
    return await work.run(_DROP, digest=digest) == 1


async def hold_guesses(work: Work, source: bytes) -> datetime:
    """Hold a source's count, made if need be, so that guesses at the same time are counted one after another."""
    held = await work.one(_HOLD_GUESSES, source=source)
    if held is None:
        await work.run(_COUNT_FROM, source=source, free_at=work.now)
        held = await work.one(_HOLD_GUESSES, source=source)
    return held or work.now


async def guesses(reader: Reader, source: bytes) -> datetime:
    """Return a source's count without holding it."""
    return await reader.one(_GUESSES, source=source) or reader.now


async def guessed(work: Work, source: bytes, free_at: datetime) -> None:
    """Write a count that is held."""
    await work.run(_GUESSED, source=source, free_at=free_at)


async def drop_old(work: Work, most: int) -> int:
    """Delete requests long past their time, and counts that are even again; return how many went, of the kind of which more did."""
    gone = await work.run(_DROP_OLD, before=work.now - KEPT, most=most)
    return max(gone, await work.run(_DROP_GUESSES, now=work.now, most=most))


async def any_left(reader: Reader) -> bool:
    """True if the tenant has anything a sweep may find."""
    return await reader.one(_ANY) is not None or await reader.one(_ANY_GUESSES) is not None
