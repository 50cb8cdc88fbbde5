"""What the door does when sessions and grants end: the apps are told."""

from __future__ import annotations

from typing import Final

from limen.modules import grants, sessions
from limen.modules.oauth import backchannel
from limen.platform.sql import Reaction, Work


async def _session_ended(work: Work, fact: sessions.SessionEnded) -> None:
    if fact.subject is not None:
        await backchannel.session_ended(work, fact.subject, fact.session, for_good=not fact.reason.keeps_offline)


REACTIONS: Final[dict[str, Reaction]] = {
    sessions.SessionEnded.name: _session_ended,
    grants.GrantEnded.name: backchannel.grant_ended,
    grants.GrantNarrowed.name: backchannel.grant_narrowed,
}
