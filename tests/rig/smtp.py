"""A real SMTP server on loopback, small and with moods, so that delivery is tried against a wire and not a mock."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PATIENCE: Final = 0.5
_HANDSHAKE: Final = 10.0


@dataclass
class Letter:
    """A message as it arrived."""

    sender: str
    to: list[str]
    raw: bytes
    secured: bool
    user: str

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw, policy=policy.SMTP)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class SmtpRig:
    """Set `answers["RCPT"] = "550 5.1.1 no such user"` and the like, or name a command in `hangs`; what arrived is in `letters`."""

    port: int = 0
    tls: ssl.SSLContext | None = None
    wrapped: bool = False
    answers: dict[str, str] = field(default_factory=dict)
    hangs: set[str] = field(default_factory=set)
    drops: set[str] = field(default_factory=set)
    extensions: list[str] = field(default_factory=lambda: ["8BITMIME", "SMTPUTF8"])
    letters: list[Letter] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    async def start(self) -> None:
        """Listen; again on the same port after `stop`."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls if self.wrapped else None)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        assert self._server is not None
        self._server.close()
        talking = dict(self._open)
        for task, writer in talking.items():
            writer.transport.abort()
            task.cancel()  # after a handshake that failed it waits for octets that never come
        if talking:
            await asyncio.wait(talking, timeout=_PATIENCE)
        await _soon(self._server.wait_closed())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            with contextlib.suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError, ssl.SSLError):
                await self._talk(_Talk(reader, writer, secured=self.wrapped))
        finally:
            writer.close()
            await _soon(writer.wait_closed())
            del self._open[task]

    async def _talk(self, talk: _Talk) -> None:
        await self._say(talk, "GREETING", "220 rig ready")
        while line := await talk.reader.readline():
            text = line.decode().strip()
            word = text.partition(" ")[0].upper()
            if word in self.drops:
                return
            answer = await getattr(self, f"_{word.lower()}", self._unknown)(talk, text)
            if answer:
                await self._say(talk, word, answer)
            if word == "STARTTLS" and self.tls:
                await talk.writer.start_tls(self.tls, ssl_handshake_timeout=_HANDSHAKE)
                talk.secured = True
            if word == "QUIT":
                return

    async def _say(self, talk: _Talk, word: str, answer: str) -> None:
        if word in self.hangs:
            await asyncio.sleep(3600)
        answer = self.answers.get(word, answer)
        if answer.startswith(("4", "5")) and word == "MESSAGE":
            self.letters.pop()
        talk.writer.write(answer.encode() + b"\r\n")
        await talk.writer.drain()

    async def _ehlo(self, talk: _Talk, _text: str) -> str:
        words = ["rig", *self.extensions, "AUTH PLAIN", *(["STARTTLS"] if self.tls and not talk.secured else [])]
        return "\r\n".join(f"250{' ' if word is words[-1] else '-'}{word}" for word in words)

    async def _auth(self, talk: _Talk, text: str) -> str:
        talk.user = text.rsplit(maxsplit=1)[-1]
        return "235 2.7.0 welcome"

    async def _mail(self, talk: _Talk, text: str) -> str:
        talk.sender, talk.to = text[len("MAIL FROM:") :].split(maxsplit=1)[0].strip("<>"), []
        return "250 2.1.0 ok"

    async def _rcpt(self, talk: _Talk, text: str) -> str:
        talk.to.append(text[len("RCPT TO:") :].split(maxsplit=1)[0].strip("<>"))
        return "250 2.1.5 ok"

    async def _data(self, talk: _Talk, _text: str) -> str:
        await self._say(talk, "DATA", "354 go on")
        if self.answers.get("DATA", "354").startswith("354"):
            raw = await talk.reader.readuntil(b"\r\n.\r\n")
            self.letters.append(Letter(talk.sender, talk.to, raw[:-3].replace(b"\r\n..", b"\r\n."), talk.secured, talk.user))
            await self._say(talk, "MESSAGE", "250 2.0.0 queued")
        return ""

    async def _starttls(self, _talk: _Talk, _text: str) -> str:
        return "220 2.0.0 go ahead" if self.tls else "502 5.5.1 no"

    async def _rset(self, _talk: _Talk, _text: str) -> str:
        return "250 2.0.0 ok"

    async def _quit(self, _talk: _Talk, _text: str) -> str:
        return "221 2.0.0 bye"

    async def _unknown(self, _talk: _Talk, _text: str) -> str:
        return "502 5.5.2 what"


async def _soon(closing: Awaitable[None]) -> None:
    """Wait a moment for something to close: after a handshake that failed, the stream may never hear that its connection is gone."""
    with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
        await asyncio.wait_for(closing, _PATIENCE)


@dataclass
class _Talk:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    secured: bool
    sender: str = ""
    user: str = ""
    to: list[str] = field(default_factory=list)


@contextlib.asynccontextmanager
async def smtp_server(*, tls: ssl.SSLContext | None = None, wrapped: bool = False) -> AsyncIterator[SmtpRig]:
    """Run the server for the length of a block; `wrapped` speaks TLS from the first octet, else STARTTLS is offered where `tls` is given."""
    rig = SmtpRig(tls=tls, wrapped=wrapped)
    await rig.start()
    try:
        yield rig
    finally:
        await rig.stop()


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for localhost and 127.0.0.1; return the server's context and the file with the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key(), serial_number=1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "rig.crt", folder / "rig.key"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    return context, cert_file
