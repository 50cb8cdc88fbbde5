"""Delivers messages to telephones, by the transport that the server chose for the channel.

The transport says what to send and judges what came back; the going is done here, within ten seconds, so that a gateway that hangs holds up
nothing but its own channel, and only so many places of that.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, assert_never
from urllib.parse import urlsplit

from limen.modules import tenants
from limen.modules.notices.jobs.order import TOO_LATE, Order, keep, refused, sent
from limen.modules.notices.model import NOTICES, SMS, VOICE
from limen.modules.notices.port import Answer, Never, Outcome, Post, Sent, Text, Transport, TryLater
from limen.modules.notices.service.texts import drawn_text
from limen.modules.notices.service.transports import transport
from limen.modules.notices.settings import Server
from limen.platform import mail
from limen.platform.duties import Running
from limen.platform.http import Fetcher, FetchFailed, FetchRefused
from limen.platform.outbox import GiveUp, Job, JobKind, Later

ATTEMPTS: Final = 8
SECONDS: Final = 10.0
"""For a gateway to answer."""


async def deliver(job: Job[Order]) -> None:
    """Draw the message and hand it over; in dev mode it lies in the mailbox too, and leaves only where a transport was chosen."""
    order = job.payload
    async with job.db.read(job.tenant) as read:
        tenant = await tenants.find(read)
        now = read.now
    if order.is_too_late(now):
        await refused(job, TOO_LATE)
        raise GiveUp(TOO_LATE)
    running = job.settings.of(Running)
    origin, _ = await tenants.place(job.db, running.base_url, tenant)
    place = (tenant.brand.name, urlsplit(origin).hostname or "")
    text = drawn_text(NOTICES[order.template], order.channel, order.told, place, order.language)
    if running.dev:
        await keep(job, "", text)
    await _settle(job, await _outcome(job, text, tenant.brand.name))


async def _outcome(job: Job[Order], text: str, service: str) -> Outcome:
    order, dev = job.payload, job.settings.of(Running).dev
    name = job.settings.of(Server).transport(order.channel)
    if not name and dev:
        return Sent()
    way = transport(name)
    if way is None or order.channel not in way.channels:
        return TryLater("no_transport")
    message = Text(id=job.id, to=order.address, channel=order.channel, text=text, language=order.language, service=service, at=order.at)
    return await handed(job, way, message)


async def handed(job: Job[Order], way: Transport, message: Text) -> Outcome:
    """Hand a message to a gateway and return what came of it."""
    match way.write(message, job.settings.of(way.settings)):
        case Post() as post:
            return await _posted(way, post, dev=job.settings.of(Running).dev)
        case mail.Mail() as letter:
            return Sent() if job.settings.of(Running).dev else await _mailed(job, letter)  # no mail leaves in dev mode
        case outcome:
            return outcome


async def _posted(way: Transport, post: Post, *, dev: bool) -> Outcome:
    """Post to the address an operator wrote: https on any port, no private network; this machine in dev mode alone."""
    try:
        found = await Fetcher(own_machine=dev, any_port=True, seconds=SECONDS).post(post.url, post.body, post.media_type, post.headers)
    except (FetchRefused, FetchFailed) as failed:
        return TryLater(failed.code)  # the operator can mend either
    headers = {name.lower(): value for name, value in found.headers.items()}
    return way.judge(Answer(found.status, headers, found.body))


async def _mailed(job: Job[Order], letter: mail.Mail) -> Outcome:
    try:
        await mail.send(job.settings, letter)
    except mail.MailRejected as error:
        return Never(error.reason)
    except mail.MailDeferred as error:
        return TryLater(error.reason)
    return Sent()


async def _settle(job: Job[Order], outcome: Outcome) -> None:
    match outcome:
        case Sent():
            await sent(job)
        case TryLater(reason, after):
            raise Later(reason, after=after)
        case Never(reason):
            await refused(job, reason)
            raise GiveUp(reason)
        case _:
            assert_never(outcome)


def _kind(channel: str) -> JobKind[Order]:
    """Return the jobs of one channel: a code lives ten minutes, so its message does not wait for hours."""
    longest = timedelta(seconds=60)
    patience = timedelta(seconds=30)
    return JobKind(name=f"notices.{channel}", payload=Order, run=deliver, attempts=ATTEMPTS, longest_pause=longest, timeout=patience)


SMS_JOB: Final = _kind(SMS)
VOICE_JOB: Final = _kind(VOICE)
