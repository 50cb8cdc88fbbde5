"""What every transport must keep, played over all that are found, with a gateway on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from limen.app import discover
from limen.kernel.ids import JobId, TenantId
from limen.modules import notices
from limen.modules.notices import SMS, Answer, Never, Outcome, Post, Sent, Text, Transport, TryLater
from limen.modules.notices.jobs import Order, texts
from limen.modules.notices.model import PHONES
from limen.modules.notices.service.transports import _INSTALLED
from limen.platform import mail
from limen.platform.duties import Running, Settings
from limen.platform.outbox import Job
from tests.conftest import World
from tests.rig.ear import Ear, listening
from tests.rig.smtp import SmtpRig, smtp_server

FOUND = discover.plugged("transports")
PLAYED = [(name, channel) for name, found in sorted(FOUND.items()) if isinstance(found, Transport) for channel in sorted(found.channels)]
AT = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
WORDS = 'Your code "493817" & <more>: \u0631\u0645\u0632\u0643, gr\u00fcn \U0001f600\n\n@id.example.com #493817'


@pytest.fixture
async def gateway() -> AsyncIterator[Ear]:
    """A gateway that takes posts."""
    async with listening() as ear:
        yield ear


@pytest.fixture
async def relay() -> AsyncIterator[SmtpRig]:
    """A relay, for those that go by mail."""
    async with smtp_server() as rig:
        yield rig


def text_to(number: str = "+4915112345678", channel: str = SMS) -> Text:
    return Text(id="job_1", to=number, channel=channel, text=WORDS, language="de", service="Acme", at=AT)


def way_of(name: str) -> Transport:
    found = FOUND[name]
    assert isinstance(found, Transport)
    return found


def job(world: World, *sections: object) -> Job[Order]:
    order = Order("sign_in_code", SMS, "+4915112345678", None, "de", {}, AT, "", "")
    return Job(world.db, Settings(sections), TenantId(world.tenant), JobId("job_1"), 1, order)


async def hand(world: World, name: str, channel: str, gateway: Ear, relay: SmtpRig) -> Outcome:
    """Hand a message over as the host does: posts in dev mode, since the gateway is on this machine; mail as in production."""
    way = way_of(name)
    trial = way.trial(gateway.uri(""))
    by_mail = isinstance(way.write(text_to(channel=channel), trial), mail.Mail)
    running = Running(dev=not by_mail)
    server = mail.Server(url=f"smtp://127.0.0.1:{relay.port}", sender="no-reply@acme.example", timeout=2)
    return await texts.handed(job(world, running, trial, server), way, text_to(channel=channel))


def test_all_can_be_installed() -> None:
    """Together they make a registry, and what is none does not."""
    before = dict(_INSTALLED)
    try:
        notices.install(FOUND)
        assert set(_INSTALLED) == set(FOUND)
        for name, wrong in (("x", object()), ("x", way_of("twilio")), ("twilio", replace(way_of("twilio"), channels=frozenset({"fax"})))):
            with pytest.raises(notices.UnknownTransport):
                notices.install({name: wrong})
    finally:
        _INSTALLED.clear()
        _INSTALLED.update(before)


@pytest.mark.parametrize("name", sorted(FOUND))
def test_it_has_a_section_and_does_a_channel(name: str) -> None:
    """Named like its folder, with settings of its own name; without them nothing leaves, and it says so."""
    way = way_of(name)
    assert way.name == name
    assert way.channels <= PHONES
    assert getattr(way.settings, "section", None) == name
    for channel in way.channels:
        assert way.write(text_to(channel=channel), way.settings()) == TryLater("not_configured")


@pytest.mark.parametrize(("name", "channel"), PLAYED)
async def test_a_message_arrives_once_with_all_its_words(world: World, gateway: Ear, relay: SmtpRig, name: str, channel: str) -> None:
    """Number and words reach the gateway whole, whatever signs they have, in one request to the origin that was set."""
    gateway.says(201, body=b"{}")
    assert await hand(world, name, channel, gateway, relay) == Sent()
    assert len(gateway.lines) + len(relay.letters) == 1
    heard = "".join(str(value) for form in gateway.forms for value in form.values()) + "".join(body.decode() for _, body in gateway.bodies)
    heard += "".join(f"{letter.to}{letter.message.get_content()}" for letter in relay.letters)
    for word in ("4915112345678", "493817", "gr\u00fcn", "\u0631\u0645\u0632\u0643", "\U0001f600"):
        assert word in heard


@pytest.mark.parametrize(("name", "channel"), PLAYED)
async def test_what_the_gateway_refuses_is_final(world: World, gateway: Ear, relay: SmtpRig, name: str, channel: str) -> None:
    """A number it will not have is not tried again, and the reason holds neither number nor words."""
    gateway.says(400, body=b'{"code": 21211, "message": "+4915112345678 is no number"}')
    relay.answers["RCPT"] = "550 5.1.1 <4915112345678@sms.example.com> unknown"
    outcome = await hand(world, name, channel, gateway, relay)
    assert isinstance(outcome, Never)
    assert outcome.reason
    assert "4915112345678" not in outcome.reason


@pytest.mark.parametrize(("name", "channel"), PLAYED)
@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_what_may_pass_is_tried_later(world: World, gateway: Ear, relay: SmtpRig, name: str, channel: str, status: int) -> None:
    """A gateway that is busy, in trouble or does not know us may take the message another time."""
    gateway.says(status, extra="Retry-After: 7\r\n")
    relay.answers["RCPT"] = "451 4.3.0 later"
    outcome = await hand(world, name, channel, gateway, relay)
    assert isinstance(outcome, TryLater)
    if gateway.lines and status in (429, 503):
        assert outcome.after == timedelta(seconds=7)


@pytest.mark.parametrize(("name", "channel"), PLAYED)
async def test_one_that_hangs_or_leads_elsewhere_costs_its_own_time(
    world: World, gateway: Ear, relay: SmtpRig, monkeypatch: pytest.MonkeyPatch, name: str, channel: str
) -> None:
    """No answer ends with the time limit, a redirect is not followed, garbage is no verdict: the message is tried later or never, and nothing is thrown."""
    monkeypatch.setattr(texts, "SECONDS", 0.3)
    relay.hangs.add("GREETING")
    hanging = await asyncio.start_server(lambda _, writer: _held.append(writer), "127.0.0.1", 0)
    async with hanging:
        silent = Ear(port=int(hanging.sockets[0].getsockname()[1]))
        assert isinstance(await asyncio.wait_for(hand(world, name, channel, silent, relay), 10), TryLater)
        for writer in _held:
            writer.close()
        _held.clear()
    gateway.says(302, extra="Location: http://127.0.0.1:9/\r\n")
    gateway.says(400, body=b"[" * 50_000)
    for _ in range(2):
        assert isinstance(await hand(world, name, channel, gateway, relay), (TryLater, Never))


_held: list[asyncio.StreamWriter] = []


@pytest.mark.parametrize(("name", "channel"), PLAYED)
async def test_production_goes_to_no_address_of_this_machine(world: World, gateway: Ear, name: str, channel: str) -> None:
    """Whatever the settings name: loopback is for dev mode."""
    way = way_of(name)
    trial = way.trial(gateway.uri(""))
    if isinstance(way.write(text_to(channel=channel), trial), Post):
        assert await texts.handed(job(world, trial), way, text_to(channel=channel)) == TryLater("address_refused")
    assert gateway.lines == []


@pytest.mark.parametrize("name", sorted(FOUND))
def test_every_answer_has_a_verdict(name: str) -> None:
    """Whatever a gateway says, with whatever body."""
    for status in range(100, 600):
        for body in (b"", b"{}", b'{"code": "x"}', b'{"code": 99999}', b"\xff", b"null"):
            assert isinstance(way_of(name).judge(Answer(status, {"retry-after": "soon"}, body)), (Sent, TryLater, Never))
