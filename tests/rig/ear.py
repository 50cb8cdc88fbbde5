"""An app's own server on this machine, which hears what Limen tells it and answers as it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs


@dataclass
class Ear:
    """What came, oldest first: the request line, and the form, or the body as it is with what was shown as proof."""

    port: int = 0
    lines: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    """The field Authorization, and the body, of what was no form."""
    answers: list[bytes] = field(default_factory=list)
    """Whole answers to the next requests, in order; then 200 with nothing in it."""

    def uri(self, path: str = "/logout") -> str:
        """Return an address of it."""
        return f"http://127.0.0.1:{self.port}{path}"

    def says(self, *statuses: int, extra: str = "", body: bytes = b"") -> None:
        """Have it answer the next requests so."""
        self.answers += [f"HTTP/1.1 {one} X\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body for one in statuses]

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        pairs = [line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line]
        fields = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(fields.get("content-length", "0")))
        self.lines.append(head.split("\r\n", 1)[0])
        if fields.get("content-type") == "application/x-www-form-urlencoded":
            self.forms.append({name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()})
        else:
            self.bodies.append((fields.get("authorization", ""), body))
        writer.write(self.answers.pop(0) if self.answers else b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Ear]:
    """Open one on a free port of loopback for the length of the block."""
    ear = Ear()
    server = await asyncio.start_server(ear._hear, "127.0.0.1", 0)
    async with server:
        ear.port = int(server.sockets[0].getsockname()[1])
        yield ear
