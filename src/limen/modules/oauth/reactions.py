"""What the door does when sessions and grants end, and when a person who was asked elsewhere has answered: the apps are told."""

from __future__ import annotations

from typing import Final

from limen.modules import approvals, grants, sessions
from limen.modules.oauth import backchannel, backchannel_delivery
from limen.platform.sql import Reaction, Work


async def _session_ended(work: Work, fact: sessions.SessionEnded) -> None:
    if fact.subject is not None:
        await backchannel.session_ended(work, fact.subject, fact.session, for_good=not fact.reason.keeps_offline)


REACTIONS: Final[dict[str, Reaction]] = {
    sessions.SessionEnded.name: _session_ended,
    grants.GrantEnded.name: backchannel.grant_ended,
    grants.GrantNarrowed.name: backchannel.grant_narrowed,
    approvals.ApprovalGiven.name: backchannel_delivery.given,
    approvals.ApprovalDenied.name: backchannel_delivery.settled,
    approvals.ApprovalExpired.name: backchannel_delivery.settled,
}
