"""The pages of the device grant (RFC 8628, section 3.3): the code is typed, the person signs in and is asked, and the device is told.

A link with the code in it only fills in the field: a button has to be pressed (section 3.3.1), and before anything is allowed the person
reads which app asks, from which address and when, beside the code to compare (section 5.4). What is wrong with a code is never told: one
that nobody has, one that was answered and one that is too old are refused alike.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Final

import msgspec

from limen.kernel.ids import JourneyId, RequestId
from limen.modules import clients, journey, keys, sessions, signin, tenants
from limen.modules.grants import Permit
from limen.modules.journey import Ask, Ended, Return
from limen.modules.oauth import arrivals, details, jobs, store, tally
from limen.modules.oauth.access_token import aim
from limen.modules.oauth.authorize.checks import Case, Entry, check
from limen.modules.oauth.authorize.interaction import Situation, unmet
from limen.modules.oauth.authorize.issue import permit_of
from limen.modules.oauth.authorize.sound import case_of
from limen.modules.oauth.device import guessing, model
from limen.modules.oauth.device.endpoint import PAGE, PURPOSE
from limen.modules.oauth.device.model import Entered, Request
from limen.modules.oauth.errors import NothingWaits, Refused
from limen.modules.oauth.facts import DeviceApproved, DeviceDenied, UserCodeRefused
from limen.modules.oauth.pages import sent_astray
from limen.modules.oauth.settings import Tenant
from limen.modules.oauth.store import RequestKind, Slot, devices
from limen.modules.oauth.store.devices import DeviceState, Waiting
from limen.platform.http import PUBLIC, Answer, Call, Endpoint, Form, SeeOther, hear, say
from limen.platform.pages import Action, Message, Page, _m, counted, message_page
from limen.platform.sql import Reader, Work

DOOR: Final = "device"
RESUME: Final = f"{PAGE}/resume"
DONE: Final = f"{PAGE}/done"
DENIED: Final = f"{PAGE}/denied"
LATE: Final = f"{PAGE}/late"

_UNKNOWN: Final = Message(_m("No device waits with this code. Compare it with the one your device shows, letter by letter; or get a new one there."))
_MISSING: Final = Message(_m("Enter the code that your device shows."))

_encode = msgspec.json.Encoder().encode
_entered = msgspec.json.Decoder(Entered).decode
_request = msgspec.json.Decoder(Request).decode


async def _show(call: Call) -> Answer:
    """Ask for the code. What a link brings is filled in where it looks like one, and looked for no further."""
    await call.session_now()  # what a form left is for its session
    heard = hear(call)
    code = model.read(call.query.text("user_code"))
    typed = heard.typed.get("user_code", model.shown(code) if code else "")
    return Page(
        template="oauth/device.html",
        title=_m("Connect a device"),
        values={**heard.values, "user_code": typed, "brought": bool(code) and not heard.typed, "enter": PAGE},
        cookies=heard.cookies,
    )


async def _enter(call: Call) -> Answer:
    """Take a typed code and lead the person on to sign in and be asked."""
    await call.session_now()
    typed = call.form.text("user_code")
    code = model.read(typed)
    if not typed.strip():
        return say(call, PAGE, errors={"user_code": _MISSING})
    outcome = await _begun(call, code) if code else _UNKNOWN
    if isinstance(outcome, Message):
        return say(call, PAGE, errors={"user_code": outcome}, typed={"user_code": typed})
    return SeeOther(outcome)


async def _begun(call: Call, code: str) -> str | Message:
    """Return the way to the journey of a right code, or what to say to the person; what was wrong has been counted."""
    browser, present = call.browser.digest(), await call.session_now()
    async with call.work() as work:
        lives = (await tenants.settings(work, Tenant.section, Tenant)).device_code
        turn = await guessing.take(work, browser, call.origin.address, lives)
        if isinstance(turn, timedelta):
            tally.count(call.db, call.tenant, UserCodeRefused(reason="too_many", count=1))
            return counted(
                "Too many wrong codes came from here. Wait {count} minute, then try again.",
                "Too many wrong codes came from here. Wait {count} minutes, then try again.",
                math.ceil(turn / timedelta(minutes=1)),
            )
        found = await _looked_up(work, code)
        client = await clients.find(work, found.client) if found else None
        if found is None or client is None:
            await guessing.wrong(work, turn, lives)
            await jobs.order_sweep(work)
            tally.count(call.db, call.tenant, UserCodeRefused(reason="unknown", count=1))
            return _UNKNOWN
        request = _request(devices.opened(work, found))
        near = arrivals.network(request.address) == arrivals.network(call.origin.address)
        entered = Entered(digest=found.digest, code=code, near=near, at=work.now)
        waits = await store.add(work, RequestKind.DEVICE, browser, _encode(entered))
        await jobs.order_sweep(work)
        ask = model.ask_of(client, request, entered, details.said(request.asked.authorization_details, await tenants.find(work), client))
        walk = await journey.begin(work, signin.SIGN_IN, ask, Return(DOOR, waits), browser, present[1] if present else None)
    return journey.entrance(signin.SIGN_IN, walk)


async def _looked_up(reader: Reader, code: str) -> Waiting | None:
    for index in await keys.blinds(reader, devices.USER_CODES, PURPOSE, code):
        if (found := await devices.by_user_code(reader, index)) is not None:
            return found
    return None


async def _resume(call: Call) -> Answer:
    """Take what came of the journey: the device is let in or turned away, once."""
    came = RequestId(call.query.text("request")), JourneyId(call.query.text("journey"))
    async with call.work() as work:
        return SeeOther(await _outcome(work, call, *came))


async def _outcome(work: Work, call: Call, waits: RequestId, walked: JourneyId) -> str:
    browser = call.browser.digest()
    plain = await store.take(work, Slot(waits, RequestKind.DEVICE, browser))
    ended = await journey.finished(work, walked, browser)
    if plain is None or ended is None or ended.ret != Return(DOOR, waits):
        raise NothingWaits
    entered = _entered(plain)
    found = await devices.find(work, entered.digest)
    client = await clients.find(work, found.client) if found else None
    if found is None or client is None:
        return LATE
    request = _request(devices.opened(work, found))
    case = await case_of(work, call, client, request.asked)
    permit = await _permitted(work, case, model.ask_of(client, request, entered), entered, ended)
    if permit is None:
        work.record(DeviceDenied(subject=ended.account, client=client.id))
        return DENIED if await devices.answer(work, entered.digest, DeviceState.DENIED) else LATE
    if not await devices.answer(work, entered.digest, DeviceState.APPROVED, _encode(permit)):
        return LATE
    work.record(DeviceApproved(subject=permit.account, client=client.id, session=permit.session, scope=" ".join(permit.scopes)))
    return DONE


async def _permitted(work: Work, case: Case, ask: Ask, entered: Entered, ended: Ended) -> Permit | None:
    """Return what the person allows, everything looked at again; None if she said no, or what was asked for is not there to be allowed."""
    if ended.refusal or check(case, Entry.DEVICE) is not None:
        return None
    session = await sessions.find(work, ended.session) if ended.session else None
    here = Situation(ask=ask, session=session, misled=False, begun=entered.at, client=case.client)
    target = aim(case.tenant, case.issuer, case.client, case.asked.scopes, person=True, resources=case.asked.resource)
    if session is None or session.account != ended.account or isinstance(target, Refused) or await unmet(work, here, Entry.RESUME) is not None:
        return None
    return await permit_of(work, case.client, case.asked, session, target.audience)


async def _done(call: Call) -> Answer:
    del call
    return message_page(
        _m("Your device is connected"),
        _m("Go back to it: within seconds it goes on by itself. You see it among your apps, and can take its access back there."),
        Action(_m("Apps with access"), "/account/apps"),
        kind="success",
    )


async def _denied(call: Call) -> Answer:
    del call
    return message_page(
        _m("Nothing was allowed"),
        _m("The device gets no access to your account. If somebody sent you the code, do not do what they ask."),
        Action(_m("To your account"), "/account"),
        kind="info",
    )


async def _late(call: Call) -> Answer:
    del call
    return message_page(
        _m("The code does not count any more"),
        _m("It took too long, or somebody answered before. Nothing was allowed now. Get a new code on your device, and enter that one."),
        Action(_m("Enter another code"), PAGE),
        kind="warning",
    )


ENDPOINTS: Final = (
    Endpoint(method="GET", path=PAGE, who=PUBLIC, call=_show, summary="Ask for the code that a device shows (RFC 8628, 3.3)"),
    Endpoint(method="POST", path=PAGE, who=PUBLIC, call=_enter, takes=Form, summary="Take the code, and ask the person"),
    Endpoint(method="GET", path=RESUME, who=PUBLIC, call=_resume, summary="Tell the device what the person said", refuse=sent_astray),
    Endpoint(method="GET", path=DONE, who=PUBLIC, call=_done, summary="Say that the device is connected"),
    Endpoint(method="GET", path=DENIED, who=PUBLIC, call=_denied, summary="Say that nothing was allowed"),
    Endpoint(method="GET", path=LATE, who=PUBLIC, call=_late, summary="Say that the code is too old"),
)
