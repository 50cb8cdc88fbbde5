"""The cookie of a browser that signed somebody in before, sealed by the tenant's key; and the session such a browser gets."""

from __future__ import annotations

import base64
import binascii
from typing import Final

import msgspec

from limen.kernel import secrets
from limen.kernel.ids import AccountId
from limen.kernel.secrets import Secret
from limen.modules import keys, sessions
from limen.modules.journey import Cookie, Passed, View
from limen.modules.signin.model import DEVICE_LIFETIME, DEVICES, Device
from limen.platform.crypto import Place, Unsealable
from limen.platform.sql import Reader, Work

DEVICE: Final = "d"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Device).decode


async def device_of(reader: Reader, cookie: str) -> Device:
    """Open the cookie `d`; an empty device for none, another tenant's, or what we never sealed."""
    box = await keys.tenant_box(reader, DEVICES)  # first of all, so that it is in memory before a Work wants it
    if not cookie:
        return Device()
    try:
        sealed = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
        return _decode(box.open(sealed, _place(reader)))
    except (Unsealable, binascii.Error, ValueError, msgspec.DecodeError):
        return Device()


async def device_cookie(work: Work, before: Device, account: AccountId) -> Cookie:
    """Return the cookie `d` for a browser that has just signed an account in."""
    named = before if before.name else Device(secrets.token(count=16))
    return await _cookie(work, named.having(account))


async def forgetting_cookie(work: Work, before: Device, account: AccountId) -> Cookie:
    """Return the cookie `d` for a browser that is to know an account no longer."""
    return await _cookie(work, before.without(account))


async def _cookie(work: Work, device: Device) -> Cookie:
    sealed = (await keys.tenant_box(work, DEVICES)).seal(_encode(device), _place(work))
    value = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
    return Cookie(DEVICE, Secret(value), int(DEVICE_LIFETIME.total_seconds()))


def _place(reader: Reader) -> Place:
    return Place("signin", "device", reader.tenant, "")


async def open_session(work: Work, view: View, passed: Passed) -> tuple[sessions.Opened, tuple[Cookie, ...]]:
    """Open a session for whoever passed, or renew the one this browser has for the same account; another account's is ended."""
    before, origin = view.state.session, view.visitor.actor.origin
    opened = await sessions.renew(work, before, passed, origin) if before else None
    renewed = opened is not None
    if opened is None:
        if before is not None:
            await sessions.end(work, before, sessions.EndReason.REPLACED)
        opened = await sessions.open(work, passed, origin)
    lasts = int((opened.session.expires - work.now).total_seconds())
    device = await device_cookie(work, await device_of(work, view.visitor.device), passed.account)
    own = Cookie(sessions.COOKIE, opened.secret, lasts)
    return opened, (own, device) if renewed else (own, device, Cookie(sessions.STATE, Secret(secrets.token(count=16)), lasts, readable=True))
