"""Device codes (RFC 8628, sections 3.4 and 3.5): the device asks again and again, and gets its tokens once its person said yes.

Until then what she allowed hangs on the session in which she said so: whatever ends that within those seconds (sign-out, suspension, "not
me") ends it too. What the device gets stands apart from every session, with offline_access or without: nobody would understand why the
television is signed out because a telephone's browser was closed. It ends when the person takes it back among her apps, changes her password,
ends all her sessions or loses her account, and it ages as every grant does. So its ID token has no `sid`: there is no session that its
sign-out could end.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from limen.kernel import secrets
from limen.kernel.ids import SessionId
from limen.modules import grants, sessions
from limen.modules.clients import GrantType
from limen.modules.grants import CodeRefusal, Permit
from limen.modules.oauth import possession
from limen.modules.oauth.access_token import aim_granted
from limen.modules.oauth.device.model import INTERVAL
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.store import devices
from limen.modules.oauth.store.devices import DeviceState, Held
from limen.modules.oauth.token.authorization_code import given
from limen.modules.oauth.token.port import Given, Grant, Wish
from limen.platform.sql import Work

_UNKNOWN: Final = Refused(Code.INVALID_GRANT, "The device code is unknown, used up or another client's.", "device_code_unknown")
_ANOTHER: Final = Refused(Code.INVALID_GRANT, _UNKNOWN.why, "device_code_of_another_client")
_EXPIRED: Final = Refused(Code.EXPIRED_TOKEN, "The device code is too old: ask for a new one if the person still wants to.", "device_code_expired")
_PENDING: Final = Refused(Code.AUTHORIZATION_PENDING, "The person has not answered yet: ask again after the interval.")
_SLOWER: Final = Refused(Code.SLOW_DOWN, f"You asked before the interval was over: it is {INTERVAL} seconds longer from now on.")
_DENIED: Final = Refused(Code.ACCESS_DENIED, "The person said no.", "device_denied")
_ENDED: Final = Refused(Code.ACCESS_DENIED, "The person took back what she allowed before the device fetched it.", "ended_meanwhile")
_NO_SESSION: Final = SessionId("")
_LONGEST: Final = 600
"""Seconds: no interval grows longer."""

_permit = msgspec.json.Decoder(Permit).decode


async def _decide(work: Work, wish: Wish) -> Given | Refused:
    held = await devices.hold(work, secrets.digest(wish.form.text("device_code")))
    if held is None:
        return _UNKNOWN
    if held.client != wish.client.id:
        return _ANOTHER
    if work.now >= held.expires:
        return _EXPIRED
    plain = devices.allowed(work, held)
    if plain is not None:
        return await _redeemed(work, wish, held, _permit(plain))
    return _DENIED if held.state is DeviceState.DENIED else await _paced(work, held)


async def _paced(work: Work, held: Held) -> Refused:
    """Ask the device to wait; one that did not waits longer from now on (section 3.5), whichever process it asks."""
    early = held.polled is not None and work.now < held.polled + timedelta(seconds=held.interval)
    await devices.poll(work, held.digest, min(held.interval + INTERVAL, _LONGEST) if early else held.interval)
    return _SLOWER if early else _PENDING


async def _redeemed(work: Work, wish: Wish, held: Held, permit: Permit) -> Given | Refused:
    """Use the code up, whatever comes of it, and give the device what its person allowed."""
    await devices.drop(work, held.digest)
    if await sessions.keep(work, permit.session) is None:
        return _ENDED
    free = possession.with_key(replace(permit, session=_NO_SESSION), wish.bound if wish.client.public else "")
    aimed = aim_granted(wish.press, wish.client, free, free.scopes, wish.form.all("resource"))
    if isinstance(aimed, Refused):
        return aimed
    made = await grants.make_now(work, free, refreshable=GrantType.REFRESH_TOKEN in wish.client.grants)
    return _ENDED if isinstance(made, CodeRefusal) else await given(work, wish, made, aimed)


DEVICE_CODE: Final = Grant(GrantType.DEVICE_CODE, ("device_code",), _decide)
