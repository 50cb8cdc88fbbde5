"""Delivery against a real server on loopback: what arrives, what is retried, what is final."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from limen.kernel.secrets import Secret
from limen.platform import mail
from limen.platform.duties import BadSetting, Settings
from tests.rig.smtp import SmtpRig, self_signed, smtp_server

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


def letter(*, to: str = "anna@example.com", subject: str = "Grüße", sender: str = "Läden & Co", language: str = "") -> mail.Mail:
    text, html = "Your code:\n\n123456\n", "<p>123456</p>"
    return mail.Mail(id="job_1", date=NOW, to=to, subject=subject, text=text, html=html, sender=sender, language=language)


def settings(url: str, *, ca_file: str = "", timeout: int = 5, password: str = "") -> Settings:
    return Settings([mail.Server(url=url, ca_file=ca_file, timeout=timeout, sender="no-reply@shop.example", password=Secret(password) if password else None)])


@pytest.fixture
async def rig() -> AsyncIterator[SmtpRig]:
    async with smtp_server() as server:
        yield server


def plain(rig: SmtpRig, *, timeout: int = 5) -> Settings:
    return settings(f"smtp://127.0.0.1:{rig.port}", timeout=timeout)


async def test_message_arrives_whole(rig: SmtpRig) -> None:
    """Both forms, the names in any script, and the headers that keep machines from answering arrive as written."""
    await mail.send(plain(rig), letter(language="de"))
    (arrived,) = rig.letters
    message = arrived.message
    assert arrived.to == ["anna@example.com"]
    assert arrived.sender == "no-reply@shop.example"
    assert message["From"].addresses[0].display_name == "Läden & Co"
    assert message["Subject"] == "Grüße"
    assert message["Message-ID"] == "<job_1@shop.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "de"
    assert message["Date"].datetime == NOW
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "\n123456\n" in text.get_content().replace("\r\n", "\n")
    assert html.get_content().strip() == "<p>123456</p>"
    assert arrived.raw.isascii()
    assert max(len(line) for line in arrived.raw.split(b"\r\n")) <= 998


@pytest.mark.parametrize("hurt", ["subject", "sender", "to"])
async def test_no_value_breaks_out_of_its_header(rig: SmtpRig, hurt: str) -> None:
    """A line break in a name, subject or address is refused before anything is sent."""
    with pytest.raises(mail.MailRejected, match="mail_rejected"):
        await mail.send(plain(rig), letter(**{hurt: "anna@example.com\r\nBcc: all@example.com"}))
    assert rig.letters == []


@pytest.mark.parametrize("to", ["", "anna", "anna@", "a b@example.com", "anna@example.com, eve@example.com", "Anna <anna@example.com>", "<anna@example.com>"])
async def test_malformed_address_is_final(rig: SmtpRig, to: str) -> None:
    """What is no single address never reaches the wire and is not tried again."""
    with pytest.raises(mail.MailRejected) as caught:
        await mail.send(plain(rig), letter(to=to))
    assert caught.value.reason == "malformed_address"
    assert rig.letters == []


async def test_international_address(rig: SmtpRig) -> None:
    """A domain goes out in its ASCII form; a local part beyond ASCII by SMTPUTF8, and waits where the relay lacks it."""
    await mail.send(plain(rig), letter(to="anna@bücher.example"))
    assert rig.letters[0].to == ["anna@xn--bcher-kva.example"]
    await mail.send(plain(rig), letter(to="jürgen@example.com"))
    assert rig.letters[1].to == ["jürgen@example.com"]
    rig.extensions.remove("SMTPUTF8")
    with pytest.raises(mail.MailDeferred) as caught:
        await mail.send(plain(rig), letter(to="jürgen@example.com"))
    assert caught.value.reason == "relay_lacks_feature"


@pytest.mark.parametrize(
    ("command", "answer", "reason"),
    [
        ("RCPT", "450 4.2.1 anna@example.com is over quota", "smtp 450 4.2.1"),
        ("MESSAGE", "451 try later", "smtp 451"),
        ("MAIL", "421 4.3.2 going down", "smtp 421 4.3.2"),
        ("MAIL", "550 5.7.1 you may not send as this", "smtp 550 5.7.1"),
        ("GREETING", "554 5.3.2 not now", "smtp 554 5.3.2"),
    ],
)
async def test_passing_failures(rig: SmtpRig, command: str, answer: str, reason: str) -> None:
    """4xx, and 5xx that concerns the relay or our own address, can be mended: tried again; the reason quotes no address."""
    rig.answers[command] = answer
    with pytest.raises(mail.MailDeferred) as caught:
        await mail.send(plain(rig), letter())
    assert caught.value.reason == reason
    rig.answers.clear()
    await mail.send(plain(rig), letter())
    assert len(rig.letters) == 1


@pytest.mark.parametrize(
    ("command", "answer", "reason"), [("RCPT", "550 5.1.1 <anna@example.com>: no such user", "smtp 550 5.1.1"), ("MESSAGE", "554 spam", "smtp 554")]
)
async def test_final_failures(rig: SmtpRig, command: str, answer: str, reason: str) -> None:
    """5xx about the recipient or the content is final."""
    rig.answers[command] = answer
    with pytest.raises(mail.MailRejected) as caught:
        await mail.send(plain(rig), letter())
    assert caught.value.reason == reason
    assert "anna" not in str(caught.value) + caught.value.operator


@pytest.mark.slow
@pytest.mark.parametrize("command", ["GREETING", "EHLO", "RCPT", "MESSAGE"])
async def test_hanging_relay(rig: SmtpRig, command: str) -> None:
    """A relay that stops answering costs the configured time, not more."""
    rig.hangs.add(command)
    with pytest.raises(mail.MailDeferred) as caught:
        await mail.send(plain(rig, timeout=1), letter())
    assert caught.value.reason == "timed_out"


@pytest.mark.slow
async def test_relay_that_does_not_say_goodbye(rig: SmtpRig) -> None:
    """Once the relay has taken the message over, a hanging QUIT does not make it a failure."""
    rig.hangs.add("QUIT")
    await mail.send(plain(rig), letter())
    assert len(rig.letters) == 1


async def test_lost_connection_and_closed_port(rig: SmtpRig) -> None:
    """A connection that breaks and a port nobody listens on are both unreachable, for now."""
    rig.drops.add("RCPT")
    for _ in range(2):
        with pytest.raises(mail.MailDeferred) as caught:
            await mail.send(plain(rig), letter())
        assert caught.value.reason == "unreachable"
        await rig.stop()
    await rig.start()


@pytest.mark.parametrize("wrapped", [True, False])
async def test_tls(tmp_path: Path, *, wrapped: bool) -> None:
    """With the certificate trusted, message and password travel inside TLS; without, nothing is sent."""
    context, ca_file = self_signed(tmp_path)
    async with smtp_server(tls=context, wrapped=wrapped) as rig:
        url = f"{'smtps' if wrapped else 'smtp+starttls'}://shop%40example@localhost:{rig.port}"
        await mail.send(settings(url, ca_file=str(ca_file), password="s3cret"), letter())
        assert rig.letters[0].secured
        assert rig.letters[0].user
        with pytest.raises(mail.MailDeferred) as caught:
            await mail.send(settings(url, password="s3cret"), letter())
        assert caught.value.reason == "tls_refused"
        assert len(rig.letters) == 1


async def test_starttls_is_not_stripped(rig: SmtpRig) -> None:
    """A relay that offers no STARTTLS gets no message in clear."""
    with pytest.raises(mail.MailDeferred):
        await mail.send(settings(f"smtp+starttls://localhost:{rig.port}"), letter())
    assert rig.letters == []


async def test_refused_sign_in_waits(tmp_path: Path) -> None:
    """A wrong password for the relay is the operator's to mend: the message waits."""
    context, ca_file = self_signed(tmp_path)
    async with smtp_server(tls=context, wrapped=True) as rig:
        rig.answers["AUTH"] = "535 5.7.8 wrong"
        with pytest.raises(mail.MailDeferred) as caught:
            await mail.send(settings(f"smtps://shop@localhost:{rig.port}", ca_file=str(ca_file), password="old"), letter())
        assert caught.value.reason == "sign_in_refused 535"


async def test_no_relay_configured() -> None:
    """Without a relay messages wait."""
    with pytest.raises(mail.MailDeferred) as caught:
        await mail.send(settings(""), letter())
    assert caught.value.reason == "no_relay_configured"


@pytest.mark.parametrize(
    "url",
    [
        "smtp://mail.example.com",
        "http://localhost",
        "smtps://",
        "smtps://user:pass@mail.example.com",
        "smtps://mail.example.com/x",
        "smtps://mail.example.com:99999",
        "mail",
    ],
)
def test_wrong_url_stops_the_start(url: str) -> None:
    """A URL that would send in clear, holds a password or names no relay is refused with the key."""
    with pytest.raises(BadSetting) as caught:
        mail.Server(url=url)
    assert caught.value.key == "mail.url"


def test_wrong_sender_stops_the_start() -> None:
    """A sender that is no address is refused with the key."""
    with pytest.raises(BadSetting) as caught:
        mail.Server(url="smtps://mail.example.com", sender="Shop")
    assert caught.value.key == "mail.sender"
