"""The endpoint's entries, and the way of a request through them: unwrapped, checked, perhaps by a journey, answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

import msgspec

from limen.kernel.ids import JourneyId, RequestId, SessionId
from limen.modules import journey, sessions, signin
from limen.modules.journey import Return
from limen.modules.oauth import advice, check_session, client_documents, jobs, par, request_object, store
from limen.modules.oauth.authorize.checks import Entry, check
from limen.modules.oauth.authorize.interaction import OTHER, Situation, Way, unmet
from limen.modules.oauth.authorize.issue import issue
from limen.modules.oauth.authorize.response import Issued, answer, refused
from limen.modules.oauth.authorize.sound import Entrance, Sound, known_client, sound, unwrapped
from limen.modules.oauth.errors import Code, NothingWaits, Refused, UnreadableRequest
from limen.modules.oauth.ground import Press, press, with_keys
from limen.modules.oauth.id_token import read_hint
from limen.modules.oauth.model import CODE, OPENID, REPEATABLE, Asked
from limen.modules.oauth.pages import sent_astray
from limen.modules.oauth.store import RequestKind, Slot
from limen.platform.http import PUBLIC, Answer, Call, Endpoint, Form, SeeOther
from limen.platform.sql import Reader, Work

DOOR: Final = "oauth"
PATH: Final = "/oauth/authorize"
RESUME: Final = "/oauth/authorize/resume"
RESUMES: Final = {DOOR: RESUME}
"""Where journeys that this door began come back to."""

_ANSWERED: Final = Refused(Code.INVALID_REQUEST_URI, "The pushed request was answered before, or is too old.", "pushed_unknown")
_ANOTHER: Final = Refused(Code.ACCESS_DENIED, "Another person signed in meanwhile.")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Entrance).decode


async def _get(call: Call) -> Answer:
    return await _enter(call, call.query.into(Asked))


async def _post(call: Call) -> Answer:
    """Take a request from another site's form: no cookie of ours came with it, so it goes on as a GET of ours, where they come."""
    asked = call.form.into(Asked)
    found = await _unwrapped(call, asked)
    if isinstance(found, Sound):
        if refusal := check(found.case, Entry.AUTHORIZE):
            return await answer(call, found, refused(call, found, refusal))
        async with call.work() as work:
            request = await store.add(work, RequestKind.POSTED, b"", _encode(found.entrance))
            await jobs.order_sweep(work)
        return SeeOther(f"{RESUME}?{urlencode({'request': request})}")
    return found


async def _resume(call: Call) -> Answer:
    """Go on with a request that waits: one that came by POST, or one whose journey has ended in this browser."""
    request, walked = RequestId(call.query.text("request")), call.query.text("journey")
    if walked:
        return await _back_from_journey(call, request, JourneyId(walked))
    async with call.work() as work:
        plain = await store.take(work, Slot(request, RequestKind.POSTED))
    if plain is None:
        raise NothingWaits
    entrance = _decode(plain)
    async with call.read() as reader:
        found = await sound(reader, call, await known_client(reader, call, entrance.asked), entrance)
    return await _authorize(call, found)


async def _enter(call: Call, asked: Asked) -> Answer:
    found = await _unwrapped(call, asked)
    return await _authorize(call, found) if isinstance(found, Sound) else found


async def _unwrapped(call: Call, asked: Asked) -> Sound | Answer:
    """Take a request out of what it came in: pushed, or an object, or as it is. What cannot be read is told at the address beside it."""
    now = call.db.clock.now()
    await client_documents.check(call, asked.client_id)
    async with call.read() as reader:
        client = await known_client(reader, call, asked)
        inner: Entrance | Refused | None = None
        if par.is_pushed(asked.request_uri):
            inner = await par.found(reader, client, asked.request_uri)
    if inner is None:
        opened = await request_object.opened(call, client, asked)
        inner = opened if isinstance(opened, Refused) else Entrance(opened, now, signed=bool(asked.request or asked.request_uri))
    async with call.read() as reader:
        if isinstance(inner, Entrance):
            return await sound(reader, call, client, inner)
        if not asked.redirect_uri and len(client.redirect_uris) != 1:
            await call.refused(inner.reason)
            advice.tell(inner, client=client.id)
            raise UnreadableRequest
        outside = unwrapped(await sound(reader, call, client, Entrance(asked, now)))
    return await answer(call, outside, refused(call, outside, inner))


async def _authorize(call: Call, found: Sound) -> Answer:
    if refusal := check(found.case, Entry.AUTHORIZE):
        return await _sent_back(call, found, refusal)
    present = await call.session_now()
    async with call.read() as reader:
        here = await _situation(reader, found, present[1] if present else None)
        missing = await unmet(reader, here, Entry.AUTHORIZE)
    if missing is None:
        return await _issued(call, found, here)
    if missing.way is Way.ERROR or "none" in here.ask.prompt:
        return await _sent_back(call, found, missing.refusal)
    return await _begin(call, found, here)


async def _sent_back(call: Call, found: Sound, refusal: Refused) -> Answer:
    """Send the browser back with an error; a pushed request has been answered with it."""
    if found.entrance.pushed:
        async with call.work() as work:
            await store.take(work, Slot(found.entrance.pushed, RequestKind.PUSHED))
    return await answer(call, found, refused(call, found, refusal))


async def _situation(reader: Reader, found: Sound, session: SessionId | None) -> Situation:
    shown = found.asked.id_token_hint
    hint = await read_hint(reader, found.case.issuer, shown) if shown else None
    return Situation(
        ask=replace(found.ask(), account=hint.account if hint else None),
        session=await sessions.find(reader, session) if session else None,
        misled=bool(shown) and hint is None,
        begun=found.entrance.begun,
        client=found.client,
        claims=found.asked.claims,
    )


async def _begin(call: Call, found: Sound, here: Situation) -> Answer:
    """Put the request aside and lead the person through a journey; it comes back to `RESUME`. A pushed one waits as long as she may take."""
    browser = call.browser.digest()
    async with call.work() as work:
        if found.entrance.pushed:
            await store.prolong(work, Slot(found.entrance.pushed, RequestKind.PUSHED))
        request = await store.add(work, RequestKind.AUTHORIZE, browser, _encode(found.entrance))
        await jobs.order_sweep(work)
        session = here.session.id if here.session else None
        walk = await journey.begin(work, signin.SIGN_IN, here.ask, Return(DOOR, request), browser, session)
    entrance = journey.entrance(signin.SIGN_IN, walk)
    language = urlencode({"ui_locales": found.asked.ui_locales}) if found.asked.ui_locales else ""
    return SeeOther(f"{entrance}&{language}" if language else entrance)


async def _back_from_journey(call: Call, request: RequestId, walked: JourneyId) -> Answer:
    browser = call.browser.digest()
    async with call.read() as reader:
        plain = await store.find(reader, Slot(request, RequestKind.AUTHORIZE, browser))
    if plain is None:
        raise NothingWaits
    entrance = _decode(plain)
    async with call.read() as reader:
        found = await sound(reader, call, await known_client(reader, call, entrance.asked), entrance)
    signs = await _press(call, found)
    async with call.work() as work:
        issued = await _outcome(work, call, found, (request, walked, browser), signs)
    return await answer(call, found, _with_state(call, found, issued))


async def _outcome(work: Work, call: Call, found: Sound, came: tuple[RequestId, JourneyId, bytes], signs: Press | None) -> Issued:
    """Look at everything again, and issue or refuse; the request is taken out, once."""
    request, walked, browser = came
    plain = await store.take(work, Slot(request, RequestKind.AUTHORIZE, browser))
    ended = await journey.finished(work, walked, browser)
    if plain is None or ended is None or ended.ret != Return(DOOR, request):
        raise NothingWaits
    if found.entrance.pushed and await store.take(work, Slot(found.entrance.pushed, RequestKind.PUSHED)) is None:
        return refused(call, found, _ANSWERED)
    if ended.refusal:
        return refused(call, found, _refused(ended.refusal))
    if refusal := check(found.case, Entry.RESUME):
        return refused(call, found, refusal)
    here = await _situation(work, found, ended.session)
    missing = await unmet(work, here, Entry.RESUME)
    if missing is not None or here.session is None or here.session.account != ended.account:
        return refused(call, found, missing.refusal if missing else _ANOTHER)
    return await issue(work, found, here.session, signs)


def _refused(word: str) -> Refused:
    """Return why a journey came back without what was asked for: the person said no, or was another than the one expected."""
    return OTHER if word == OTHER.code.value else Refused(Code.ACCESS_DENIED, "The person said no.")


async def _issued(call: Call, found: Sound, here: Situation) -> Answer:
    """Answer a request that nobody has to be asked about."""
    if here.session is None:
        raise TypeError("every rule was met")
    signs = await _press(call, found)
    async with call.work() as work:
        if found.entrance.pushed and await store.take(work, Slot(found.entrance.pushed, RequestKind.PUSHED)) is None:
            issued = refused(call, found, _ANSWERED)
        else:
            issued = await issue(work, found, here.session, signs)
    return await answer(call, found, _with_state(call, found, issued))


def _with_state(call: Call, found: Sound, issued: Issued) -> Issued:
    """Add what the app may ask our frame about (Session Management 1.0, section 2)."""
    if issued.refused is not None or OPENID not in found.asked.scopes:
        return issued
    return msgspec.structs.replace(issued, session_state=check_session.state_for(call.cookies, found.client.id, found.redirect_uri))


async def _press(call: Call, found: Sound) -> Press | None:
    """Return what signs, where a token leaves with the answer."""
    if found.asked.types <= {CODE}:
        return None
    alg = found.client.id_token_signed_response_alg

    async def ask(reader: Reader) -> Press:
        return await press(reader, call.site.issuer, alg)

    return await with_keys(call.db, call.tenant, ask)


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path=PATH,
        who=PUBLIC,
        call=_get,
        summary="Ask a person to let an app in (RFC 6749, 3.1)",
        repeatable=REPEATABLE,
        refuse=sent_astray,
    ),
    Endpoint(
        method="POST",
        path=PATH,
        who=PUBLIC,
        call=_post,
        takes=Form,
        csrf=False,
        summary="Likewise, by a form of the app's",
        repeatable=REPEATABLE,
        refuse=sent_astray,
    ),
    Endpoint(method="GET", path=RESUME, who=PUBLIC, call=_resume, summary="Go on with a request after a journey", refuse=sent_astray),
)
