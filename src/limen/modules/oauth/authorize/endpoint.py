"""The endpoint's three entries, and the way of a request through them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import msgspec

from limen.kernel.ids import JourneyId, RequestId, SessionId
from limen.modules import clients, consents, grants, journey, sessions, signin, tenants
from limen.modules.clients import Client, ConsentRule
from limen.modules.grants import Permit, Terms
from limen.modules.journey import Ask, Return
from limen.modules.oauth import jobs, store, tally
from limen.modules.oauth.access_token import aim
from limen.modules.oauth.authorize.checks import Case, Entry, check
from limen.modules.oauth.authorize.interaction import OTHER, Situation, Unmet, Way, unmet
from limen.modules.oauth.errors import Code, NothingWaits, Refused, UnknownClient, UnregisteredAddress
from limen.modules.oauth.facts import AuthorizationRefused, CodeIssued
from limen.modules.oauth.id_token import read_hint
from limen.modules.oauth.model import Asked, with_parameters
from limen.modules.oauth.pages import sent_astray
from limen.modules.oauth.store import RequestKind, Slot
from limen.platform.http import PUBLIC, Answer, Call, Endpoint, Form, SeeOther
from limen.platform.sql import Reader, Work

DOOR: Final = "oauth"
PATH: Final = "/oauth/authorize"
RESUME: Final = "/oauth/authorize/resume"
RESUMES: Final = {DOOR: RESUME}
"""Where journeys that this door began come back to."""


class Waiting(msgspec.Struct, frozen=True):
    """A request while a person is led through a journey."""

    asked: Asked
    begun: datetime


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Waiting).decode


@dataclass(frozen=True, slots=True)
class _Sound:
    """A request whose client and address are known: from here on errors go to the app."""

    case: Case
    redirect_uri: str

    @property
    def asked(self) -> Asked:
        return self.case.asked

    @property
    def ask(self) -> Ask:
        """What steps may know of it. Where another app could pass for this one, the person is asked as if for the first time."""
        ask = self.asked.ask(self.redirect_uri)
        return ask if clients.is_assured(self.case.client, self.redirect_uri) else replace(ask, prompt=ask.prompt | {"consent"})

    def back(self, parameters: dict[str, str | None]) -> SeeOther:
        """Return the way back to the app (RFC 6749, section 4.1.2; RFC 9207, section 2)."""
        return SeeOther(with_parameters(self.redirect_uri, {**parameters, "state": self.asked.state or None, "iss": self.case.issuer}))

    def refuse(self, call: Call, refusal: Refused) -> SeeOther:
        """Return the way back to the app with an error, counted."""
        fact = AuthorizationRefused(client=self.case.client.id, reason=refusal.reason, count=1)
        tally.count(call.db, call.tenant, fact)
        return self.back({"error": refusal.code.value, "error_description": refusal.why})


async def _get(call: Call) -> Answer:
    return await _authorize(call, call.query.into(Asked), call.db.clock.now())


async def _post(call: Call) -> Answer:
    """Take a request from another site's form: no cookie of ours came with it, so it goes on as a GET of ours, where they come."""
    asked = call.form.into(Asked)
    async with call.read() as reader:
        sound = await _sound(reader, call, asked)
    if refusal := check(sound.case, Entry.AUTHORIZE):
        return sound.refuse(call, refusal)
    async with call.work() as work:
        request = await store.add(work, RequestKind.POSTED, b"", _encode(Waiting(asked, work.now)))
        await jobs.order_sweep(work)
    return SeeOther(f"{RESUME}?{urlencode({'request': request})}")


async def _resume(call: Call) -> Answer:
    """Go on with a request that waits: one that came by POST, or one whose journey has ended in this browser."""
    request, walked = RequestId(call.query.text("request")), call.query.text("journey")
    if walked:
        return await _back_from_journey(call, request, JourneyId(walked))
    async with call.work() as work:
        plain = await store.take(work, Slot(request, RequestKind.POSTED))
    if plain is None:
        raise NothingWaits
    waiting = _decode(plain)
    return await _authorize(call, waiting.asked, waiting.begun)


async def _authorize(call: Call, asked: Asked, begun: datetime) -> Answer:
    present = await call.session_now()
    async with call.read() as reader:
        sound = await _sound(reader, call, asked)
        if refusal := check(sound.case, Entry.AUTHORIZE):
            return sound.refuse(call, refusal)
        here = await _situation(reader, sound, present[1] if present else None, begun)
        missing = await unmet(reader, here, Entry.AUTHORIZE)
    if missing is None:
        async with call.work() as work:
            return await _issue(work, sound, here)
    if missing.way is Way.ERROR or "none" in here.ask.prompt:
        return sound.refuse(call, missing.refusal)
    return await _begin(call, sound, here)


async def _sound(reader: Reader, call: Call, asked: Asked) -> _Sound:
    """Find the client and see that the address is its own; otherwise a page of ours says so, and the browser is sent nowhere."""
    client = await clients.find(reader, asked.client_id) if asked.client_id else None
    if client is None:
        await call.refused("unknown_client")
        raise UnknownClient
    uri = _address(client, asked)
    if uri is None:
        await call.refused("unregistered_redirect_uri")
        raise UnregisteredAddress
    return _Sound(Case(asked, client, await tenants.find(reader), call.site.issuer), uri)


def _address(client: Client, asked: Asked) -> str | None:
    if asked.redirect_uri:
        return asked.redirect_uri if clients.matches_redirect(client, asked.redirect_uri) else None
    return client.redirect_uris[0] if len(client.redirect_uris) == 1 else None


async def _situation(reader: Reader, sound: _Sound, session: SessionId | None, begun: datetime) -> Situation:
    shown = sound.asked.id_token_hint
    hint = await read_hint(reader, sound.case.issuer, shown) if shown else None
    return Situation(
        ask=replace(sound.ask, account=hint.account if hint else None),
        session=await sessions.find(reader, session) if session else None,
        misled=bool(shown) and hint is None,
        begun=begun,
    )


async def _begin(call: Call, sound: _Sound, here: Situation) -> Answer:
    """Put the request aside and lead the person through a journey; it comes back to `RESUME`."""
    browser = call.browser.digest()
    async with call.work() as work:
        request = await store.add(work, RequestKind.AUTHORIZE, browser, _encode(Waiting(sound.asked, here.begun)))
        await jobs.order_sweep(work)
        session = here.session.id if here.session else None
        walk = await journey.begin(work, signin.SIGN_IN, here.ask, Return(DOOR, request), browser, session)
    entrance = journey.entrance(signin.SIGN_IN, walk)
    language = urlencode({"ui_locales": sound.asked.ui_locales}) if sound.asked.ui_locales else ""
    return SeeOther(f"{entrance}&{language}" if language else entrance)


async def _back_from_journey(call: Call, request: RequestId, walked: JourneyId) -> Answer:
    browser = call.browser.digest()
    async with call.work() as work:
        plain = await store.take(work, Slot(request, RequestKind.AUTHORIZE, browser))
        ended = await journey.finished(work, walked, browser)
        if plain is None or ended is None or ended.ret != Return(DOOR, request):
            raise NothingWaits
        waiting = _decode(plain)
        sound = await _sound(work, call, waiting.asked)
        if ended.refusal:
            return sound.refuse(call, _refused(ended.refusal))
        if refusal := check(sound.case, Entry.RESUME):
            return sound.refuse(call, refusal)
        here = await _situation(work, sound, ended.session, waiting.begun)
        missing: Unmet | None = await unmet(work, here, Entry.RESUME)
        if missing is not None or (here.session is not None and here.session.account != ended.account):
            return sound.refuse(call, missing.refusal if missing else Refused(Code.ACCESS_DENIED, "Another person signed in meanwhile."))
        return await _issue(work, sound, here)


def _refused(word: str) -> Refused:
    """Return why a journey came back without what was asked for: the person said no, or was another than the one expected."""
    return OTHER if word == OTHER.code.value else Refused(Code.ACCESS_DENIED, "The person said no.")


async def _issue(work: Work, sound: _Sound, here: Situation) -> Answer:
    """Give the app its code."""
    case, session = sound.case, here.session
    target = aim(case.tenant, case.issuer, case.client, here.ask.scopes, person=True)
    if session is None or isinstance(target, Refused):
        raise ValueError("a code is issued after every rule is met")
    if case.client.consent is ConsentRule.NONE:
        await consents.give(work, session.account, case.client.id, here.ask.scopes, implied=True)
    permit = Permit(session.account, case.client.id, session.id, here.ask.scopes, target.audience, session.acr, session.amr, session.auth_time)
    terms = Terms(redirect_uri=sound.redirect_uri, redirect_given=bool(case.asked.redirect_uri), challenge=case.asked.code_challenge, nonce=case.asked.nonce)
    grant, code = await grants.issue_code(work, permit, terms)
    work.record(CodeIssued(subject=session.account, client=case.client.id, session=session.id, grant=grant, scope=" ".join(permit.scopes)))
    return sound.back({"code": code.reveal()})


ENDPOINTS: Final = (
    Endpoint(method="GET", path=PATH, who=PUBLIC, call=_get, summary="Ask a person to let an app in (RFC 6749, 3.1)", refuse=sent_astray),
    Endpoint(method="POST", path=PATH, who=PUBLIC, call=_post, takes=Form, csrf=False, summary="Likewise, by a form of the app's", refuse=sent_astray),
    Endpoint(method="GET", path=RESUME, who=PUBLIC, call=_resume, summary="Go on with a request after a journey", refuse=sent_astray),
)
