"""`[metrics]` and `[log]` of limen.toml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from limen.kernel.errors import Kind, LimenError


class BadListen(LimenError):
    """`[metrics] listen` is no address and port."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "bad_setting"
    suggestion: Final = 'Write for example "127.0.0.1:9400"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`[metrics]`: where Prometheus finds the figures. They tell of traffic, not of people; loopback is advised all the same."""

    section: ClassVar[str] = "metrics"

    listen: str = ""
    """Address and port of a listener of its own, such as "127.0.0.1:9400". Empty: no metrics."""

    def __post_init__(self) -> None:
        if self.listen:
            _ = self.address

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port, or None where it is off."""
        if not self.listen:
            return None
        host, colon, port = self.listen.rpartition(":")
        if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65_535):  # noqa: PLR2004 - ports have 16 bits
            raise BadListen(f"listen: `{self.listen[:60]}` is no address and port")
        return host.removeprefix("[").removesuffix("]"), int(port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """`[log]`: what is written to standard error."""

    section: ClassVar[str] = "log"

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is written."""
    requests: Literal["all", "failures", "none"] = "all"
    """A line for each request, for those answered 500 and above, or for none."""
    format: Literal["auto", "json", "text"] = "auto"
    """`auto` is JSON in production and text in dev mode."""


SECTIONS: Final = (Log,)
"""The sections beside `Server`."""
