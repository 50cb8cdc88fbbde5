"""Sessions over HTTP: the API of machines, and the answer to the edge's question who is signed in."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from limen.kernel.ids import AccountId, SessionId
from limen.modules.sessions import service
from limen.modules.sessions.errors import NoSuchSession
from limen.modules.sessions.model import COOKIE, EndReason, Listed
from limen.platform.http import Answer, Call, Endpoint, Json, no_content, scope
from limen.platform.wire.bodies import Timestamp


async def signed_in(call: Call) -> tuple[AccountId, SessionId] | None:
    """Return who is signed in by the request's cookie, and note once a minute that the session was seen: the edge's `Gate.session`."""
    secret = call.cookies.get(COOKIE)
    if secret is None:
        return None
    async with call.read() as reader:
        session = await service.by_secret(reader, secret.reveal())
        due = session is not None and service.is_due(reader, session)
    if session is None:
        return None
    if due:
        async with call.work() as work:
            await service.touch(work, session)
    return session.account, session.id


class SessionShown(msgspec.Struct, frozen=True, kw_only=True):
    """A living session."""

    id: SessionId
    account: AccountId
    acr: str
    amr: tuple[str, ...]
    auth_time: Timestamp
    created: Timestamp
    last_seen: Timestamp
    expires: Timestamp
    address: str
    user_agent: str


class SessionList(msgspec.Struct, frozen=True):
    """The account's living sessions, last seen first, a hundred at most."""

    items: tuple[SessionShown, ...]


class OfAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose sessions are meant."""

    account: Annotated[AccountId, msgspec.Meta(description="The account's id.")]


def _shown(listed: Listed) -> SessionShown:
    session, place = listed.session, listed.place
    return SessionShown(
        id=session.id,
        account=session.account,
        acr=session.acr,
        amr=session.amr,
        auth_time=session.auth_time,
        created=session.created,
        last_seen=session.last_seen,
        expires=min(session.idle_until, session.expires),
        address=place.address,
        user_agent=place.user_agent,
    )


async def _list(call: Call) -> Answer:
    async with call.read() as reader:
        found = await service.list_of(reader, call.asked(OfAccount).account)
    return Json(SessionList(tuple(_shown(one) for one in found)))


async def _end(call: Call) -> Answer:
    async with call.work() as work:
        ended = await service.end(work, SessionId(call.parts["session"]), EndReason.REVOKED)
    if not ended:
        raise NoSuchSession("There is no such session, or it has ended.")
    return no_content()


async def _end_all(call: Call) -> Answer:
    async with call.work() as work:
        await service.end_all(work, call.asked(OfAccount).account, EndReason.REVOKED)
    return no_content()


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/sessions",
        who=scope("limen:sessions:read"),
        call=_list,
        summary="List an account's living sessions",
        query=OfAccount,
        gives=SessionList,
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/sessions",
        who=scope("limen:sessions:write"),
        call=_end_all,
        summary="End every session of an account, and every token that came from them",
        query=OfAccount,
        status=204,
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/sessions/{session}",
        who=scope("limen:sessions:write"),
        call=_end,
        summary="End one session, and every token that came from it",
        parts={"session": "The session's id."},
        status=204,
        refusals=(NoSuchSession,),
    ),
)
