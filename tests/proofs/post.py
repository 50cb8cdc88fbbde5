"""A mail server in a thread of its own, for servers that run in processes of theirs."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.rig.smtp import SmtpRig


@dataclass
class Post:
    """Start and stop it at will; letters that arrived stay."""

    rig: SmtpRig = field(default_factory=SmtpRig)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _read: int = 0

    def _do(self, what: object) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)  # type: ignore[arg-type] # a coroutine

    def start(self) -> None:
        """Listen; on the same port as before."""
        self._do(self.rig.start())

    def stop(self) -> None:
        """Close the port and every connection."""
        self._do(self.rig.stop())

    @property
    def port(self) -> int:
        return self.rig.port

    def code_for(self, address: str, patience: float = 20.0) -> str:
        """Return the code of the next letter to somebody."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            for letter in self.rig.letters[self._read :]:
                self._read += 1
                if address in letter.to:
                    body = letter.message.get_body(("plain",))
                    assert body is not None
                    found = re.search(r"\b(\d{6})\b", body.get_content())
                    if found:
                        return found[1]
            time.sleep(0.02)
        raise AssertionError(f"no code for {address} among {len(self.rig.letters)} letters")


@contextmanager
def post_office() -> Iterator[Post]:
    """Run the mail server for the length of a block."""
    post = Post()
    thread = threading.Thread(target=post._loop.run_forever, daemon=True)
    thread.start()
    post.start()
    try:
        yield post
    finally:
        if post.rig._server is not None and post.rig._server.is_serving():
            post.stop()
        post._loop.call_soon_threadsafe(post._loop.stop)
        thread.join(5)
        post._loop.close()
