"""A web server of the tests' own that tells documents over https on loopback, with a certificate nobody signed."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.rig.certificates import certified


@dataclass
class Site:
    """What it tells: by path, status, header fields and body. `asked` has the paths that were asked for, in order."""

    port: int = 0
    pages: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    slow: float = 0.0

    def url(self, path: str = "/app.json") -> str:
        """Return the address of a path."""
        return f"https://localhost:{self.port}{path}"

    def tell(self, path: str, body: object, *, fields: str = "", status: str = "200 OK", media: str = "application/json") -> str:
        """Tell something at a path from here on; return its address."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.pages[path] = (status, f"Content-Type: {media}\r\n{fields}", raw)
        return self.url(path)

    def client(self, path: str = "/app.json", *, fields: str = "", **said: object) -> str:
        """Tell the document of a client at a path; return its address."""
        usual = {"client_id": self.url(path), "client_name": "The Agent", "redirect_uris": ["http://127.0.0.1/callback"]}
        return self.tell(path, {name: value for name, value in {**usual, **said}.items() if value is not None}, fields=fields)


@asynccontextmanager
async def telling(folder: Path) -> AsyncIterator[Site]:
    """Serve for the length of the block."""
    site = Site()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
            site.asked.append(path)
            await asyncio.sleep(site.slow)
            status, fields, body = site.pages.get(path, ("404 Not Found", "", b""))
            writer.write(f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified("localhost").write(folder / "site.pem"))
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    async with server:
        site.port = server.sockets[0].getsockname()[1]
        yield site
