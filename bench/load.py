"""A load maker for loopback: raw HTTP/1.1 over kept connections, a fixed number of requests, each answer's status and time kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlencode

Answer: TypeAlias = tuple[int, dict[bytes, bytes], bytes]
"""Status, headers (names in lower case; of several Set-Cookie all, separated by newline) and body."""


def request(method: str, path: str, port: int, *, form: dict[str, str] | None = None, headers: dict[str, str] | None = None, host: str = "localhost") -> bytes:
    """Return the octets of one request."""
    body = urlencode(form).encode() if form is not None else b""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}:{port}", "Accept: */*"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if form is not None:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """One kept connection: send a request, await its answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, octets: bytes) -> Answer:
        self._writer.write(octets)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        headers: dict[bytes, bytes] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if colon:
                name = name.lower()
                headers[name] = headers[name] + b"\n" + value.strip() if name in headers else value.strip()
        body = b""
        if headers.get(b"transfer-encoding") == b"chunked":
            while size := int(await self._reader.readline(), 16):
                body += (await self._reader.readexactly(size + 2))[:-2]
            await self._reader.readexactly(2)
        elif length := int(headers.get(b"content-length", b"0")):
            body = await self._reader.readexactly(length)
        return int(lines[0].split(b" ")[1]), headers, body

    def close(self) -> None:
        self._writer.close()


@dataclass
class Load:
    """What a run gave."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.times) / self.seconds

    def at(self, share: float) -> float:
        """The time in ms that this share of requests stayed under."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


async def press(port: int, requests: Iterator[bytes], *, at_once: int = 16, keep: bool = False) -> Load:
    """Send all requests over `at_once` connections; with `keep` the answers are kept."""
    load = Load()

    async def worker() -> None:
        connection = await Connection.open(port)
        for octets in requests:
            begun = time.perf_counter()
            answer = await connection.send(octets)
            load.times.append(time.perf_counter() - begun)
            load.statuses[answer[0]] = load.statuses.get(answer[0], 0) + 1
            if keep:
                load.answers.append(answer)
        connection.close()

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    load.seconds = time.perf_counter() - begun
    return load


async def chain(port: int, first: list[bytes], following: Callable[[Answer], bytes], steps: int) -> Load:
    """Run one chain per element of `first`: each further request is made from the answer before it (refresh tokens)."""
    load = Load()

    async def worker(octets: bytes) -> None:
        connection = await Connection.open(port)
        for _ in range(steps):
            begun = time.perf_counter()
            answer = await connection.send(octets)
            load.times.append(time.perf_counter() - begun)
            load.statuses[answer[0]] = load.statuses.get(answer[0], 0) + 1
            octets = following(answer)
        connection.close()

    begun = time.perf_counter()
    await asyncio.gather(*(worker(octets) for octets in first))
    load.seconds = time.perf_counter() - begun
    return load
