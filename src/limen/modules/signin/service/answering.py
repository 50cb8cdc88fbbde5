"""Taking the answer to a factor's page: the host checks it, and what came of it is said in words that are the same for every address."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final, assert_never

import msgspec

from limen.kernel import secrets
from limen.modules import factors, tenants
from limen.modules.factors import Answer, Checked, Claim, Matched, NotSent, Order, Over, Purpose, Sent, Wait, Wrong
from limen.modules.journey import Errors, Proof, Refused, State, View
from limen.modules.signin.model import RECOVER, SIGN_UP, Exposed, Tells
from limen.modules.signin.service.browser import device_of
from limen.modules.signin.settings import Tenant
from limen.platform.pages import Message, _m, counted
from limen.platform.sql import Database, Reader, Work

SENT: Final = "signin.sent"
"""Mark: the factor whose code was sent, or refused to be sent, for the identifier in hand."""
AGAIN: Final = "signin.again"
"""Mark: a new code was asked for."""
SENT_AT: Final = "signin.sent_at"
"""Mark: when the last code went out, RFC 3339."""

_MINUTE: Final = 60
_SOON: Final = _m("A code is on its way and can take a moment. You can ask for a new one in {time}.")
_PURPOSES: Final = {RECOVER: Purpose.RECOVERY, SIGN_UP: Purpose.SIGN_UP}


@dataclass(frozen=True, slots=True)
class Misfit:
    """The answer does not do; what the page says about it."""

    errors: Errors


def claim(view: View, kind: str) -> Claim:
    """Return what a visitor claims with an answer, as a stranger."""
    if view.state.identifier is None:
        raise ValueError("a factor is asked for before anybody said who she is")
    return Claim(kind=kind, journey=view.visitor.journey, identifier=view.state.identifier, account=view.state.account)


async def check(db: Database, view: View, kind: str, answer: msgspec.Struct) -> Checked | None:
    """Have an answer checked by the host; None where the person pressed another button."""
    if not isinstance(answer, Answer) or answer.action != "continue":
        return None
    visitor, rules = view.visitor, factors.factor(kind).settings
    async with db.read(visitor.tenant) as reader:
        claimed = await _from_browser(reader, view, claim(view, kind))
        ruled = await tenants.settings(reader, kind, rules) if rules else None
    found = await factors.attempt(db, visitor.tenant, visitor.actor, claimed, answer.said())
    if isinstance(found, Matched) and isinstance(answer, Tells) and await asyncio.to_thread(answer.known, ruled):
        return Exposed(**{one.name: getattr(found, one.name) for one in dataclasses.fields(found)})
    return found


async def _from_browser(reader: Reader, view: View, claimed: Claim) -> Claim:
    """Say with the claim which accounts this browser signed in before: it has counters and mails of its own for them."""
    device = await device_of(reader, view.visitor.device)
    if not device.name:
        return claimed
    return dataclasses.replace(claimed, browser=secrets.digest(device.name)[:16].hex(), known_to=frozenset(device.accounts))


async def answered(work: Work, kind: str, checked: Checked | None) -> Proof | Misfit:
    """Turn what the check came to into a proof, or into words."""
    field = factors.factor(kind).field
    match checked:
        case Matched():
            proof = await factors.confirm(work, checked)
            if isinstance(proof, Refused):
                return Misfit({field: _m("This was changed meanwhile. Please try again.")})
            return proof
        case Wrong(left):
            return Misfit({field: _wrong(kind, left)})
        case Over():
            return Misfit({field: _m("This code is used up or too old. Have a new one sent.")})
        case Wait(until):
            return Misfit({"": _wait(until, work.now)})
        case None:
            return Misfit({})
        case _:
            assert_never(checked)


def _wrong(kind: str, left: int | None) -> str | Message:
    if left is None:
        return factors.factor(kind).wrong
    if left == 0:
        return _m("This code is not right, and it was the last try. Have a new code sent.")
    return counted("This code is not right. {count} try is left.", "This code is not right. {count} tries are left.", left)


def _wait(until: datetime | None, now: datetime) -> str | Message:
    if until is None:
        return _m("There were too many wrong tries. Sign in another way, then this one works again.")
    seconds = max(1, ceil((until - now).total_seconds()))
    if seconds < _MINUTE:
        return counted(
            "Too many wrong tries. Try again in {count} second.",
            "Too many wrong tries. Try again in {count} seconds.",
            seconds,
        )
    minutes = ceil(seconds / _MINUTE)
    return counted("Too many wrong tries. Try again in {count} minute.", "Too many wrong tries. Try again in {count} minutes.", minutes)


async def resend_in(reader: Reader, state: State) -> int:
    """Return in how many seconds another code may be asked for; 0 is now."""
    sent = state.mark(SENT_AT)
    if not sent:
        return 0
    wait = (await tenants.settings(reader, Tenant.section, Tenant)).resend_after
    return max(0, ceil((datetime.fromisoformat(sent) + wait - reader.now) / timedelta(seconds=1)))


async def send(work: Work, view: View, kind: str) -> tuple[State, Errors]:
    """Send a code to the identifier in hand, whoever has it; return the state that remembers it, and what to say if it did not go."""
    state, visitor = view.state, view.visitor
    order = Order(_PURPOSES.get(state.kind, Purpose.SIGN_IN), visitor.language, f"{visitor.issuer}/signup")
    again = bool(state.mark(AGAIN))
    if again and (left := await resend_in(work, state)):
        return state.unmarked(AGAIN).marked(SENT, kind), {"": Message(_SOON, {"time": f"{left // _MINUTE}:{left % _MINUTE:02d}"})}
    match await factors.challenge(work, await _from_browser(work, view, claim(view, kind)), order):
        case Sent():
            done = state.unmarked(AGAIN).marked(SENT, kind).marked(SENT_AT, work.now.isoformat())
            return (done.saying(_m("A new code is on its way. Codes sent before do not work any more.")) if again else done), {}
        case NotSent():
            text = _m("Several codes were sent to this address within the hour. Use the last one, or wait before you ask for another.")
            return state.unmarked(AGAIN).marked(SENT, kind), {"": text}
