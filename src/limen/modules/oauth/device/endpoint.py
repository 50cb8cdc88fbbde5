"""The device authorization endpoint (RFC 8628, sections 3.1 and 3.2): a device gets a code to show, and one to come back with."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import msgspec

from limen.kernel import secrets
from limen.kernel.facts import Actor, ActorKind
from limen.modules import keys, tenants
from limen.modules.clients import Client
from limen.modules.oauth import arrivals, client_auth, jobs, tally
from limen.modules.oauth.answers import turned_away
from limen.modules.oauth.authorize.checks import Entry, check
from limen.modules.oauth.authorize.sound import case_of
from limen.modules.oauth.device import guessing, model
from limen.modules.oauth.device.model import DEVICE_PREFIX, INTERVAL, Request
from limen.modules.oauth.errors import Refused
from limen.modules.oauth.facts import DeviceAuthorizationRequested
from limen.modules.oauth.model import REPEATABLE, Asked
from limen.modules.oauth.settings import Tenant
from limen.modules.oauth.store import devices
from limen.platform.http import PROTOCOL, Answer, Call, Endpoint, Form, Json
from limen.platform.sql import Work

PATH: Final = "/oauth/device_authorization"
PAGE: Final = "/device"
PURPOSE: Final = "oauth.user_code"

_encode = msgspec.json.Encoder().encode


class DeviceBody(msgspec.Struct, frozen=True, kw_only=True):
    """What the device gets (section 3.2)."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int = INTERVAL


async def _ask(call: Call) -> Answer:
    outcome = await _asked(call)
    if isinstance(outcome, DeviceBody):
        return Json(outcome)
    return await turned_away(call, outcome)


async def _asked(call: Call) -> DeviceBody | Refused:
    shown = await client_auth.shown(call)
    if isinstance(shown, Refused):
        return shown
    async with call.db.work(call.tenant, Actor(ActorKind.CLIENT, shown.client)) as work:
        client = await client_auth.proved(work, shown)
        if isinstance(client, Refused):
            return client
        asked = asked_of(call.form, client)
        return check(await case_of(work, call, client, asked), Entry.DEVICE) or await _stored(work, call, client, asked)


def asked_of(form: Form, client: Client) -> Asked:
    """Return what a device may ask for; a device is sent nowhere, so that is little."""
    return Asked(
        client_id=client.id,
        scope=form.text("scope"),
        authorization_details=form.text("authorization_details"),
        resource=form.all("resource"),
    )


async def _stored(work: Work, call: Call, client: Client, asked: Asked) -> DeviceBody:
    await arrivals.count_request(work, call, client)
    lives = (await tenants.settings(work, Tenant.section, Tenant)).device_code
    device_code = secrets.token(DEVICE_PREFIX)
    plain = _encode(Request(asked=asked, address=call.origin.address, at=work.now))
    letters = await guessing.letters(work, lives)
    user_code, stored = "", False
    while not stored:  # one in billions is taken
        user_code = model.draw(letters)
        index = await keys.blind(work, devices.USER_CODES, PURPOSE, user_code)
        stored = await devices.add(work, secrets.digest(device_code), index, (client.id, plain), (INTERVAL, work.now + lives))
    await jobs.order_sweep(work)
    tally.begun(work, client, DeviceAuthorizationRequested(client=client.id, scope=" ".join(sorted(asked.scopes))))
    seen = model.shown(user_code)
    return DeviceBody(
        device_code=device_code,
        user_code=seen,
        verification_uri=call.url(PAGE),
        verification_uri_complete=call.url(f"{PAGE}?{urlencode({'user_code': seen})}"),
        expires_in=int(lives.total_seconds()),
    )


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path=PATH,
        who=PROTOCOL,
        call=_ask,
        takes=Form,
        gives=DeviceBody,
        summary="Give a device a code for its person to type (RFC 8628)",
        repeatable=REPEATABLE,
    ),
)
