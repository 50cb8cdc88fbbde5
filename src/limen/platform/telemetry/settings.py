"""`[metrics]`, `[log]` and `[traces]` of limen.toml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal
from urllib.parse import urlsplit

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


class BadTraces(LimenError):
    """`[traces]` cannot be meant so."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "bad_setting"

    def __init__(self, public: str, suggestion: str) -> None:
        super().__init__(public)
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """`[traces]`: where spans go, for OpenTelemetry. They tell of routes, tenants and times, not of people. Needs the extra `otel`."""

    section: ClassVar[str] = "traces"

    endpoint: str = ""
    """Address of a collector that takes OTLP over HTTP, such as "http://127.0.0.1:4318"; `/v1/traces` is added where it has no path. Empty: no traces."""
    ratio: float = 0.01
    """Share of requests and jobs that are recorded, from 0 to 1."""
    follow_proxy: bool = False
    """Let `traceparent` of [server] trusted_proxies say which requests are recorded, where the proxy itself writes that field: one that only hands on
    its clients' would let them say so."""
    service: str = "limen"
    """The name under which spans are shown."""

    def __post_init__(self) -> None:
        if self.endpoint:
            _ = self.address
        if not 0 <= self.ratio <= 1:
            raise BadTraces("ratio: must lie between 0 and 1", "Write for example 0.01 for one in a hundred")
        if not self.service or not self.service.isprintable():
            raise BadTraces("service: must be a name", 'Write for example "limen"')

    @property
    def address(self) -> str:
        """Where spans are posted to, or empty where tracing is off."""
        if not self.endpoint:
            return ""
        example = 'Write for example "http://127.0.0.1:4318"'
        try:
            parts = urlsplit(self.endpoint)
            _ = parts.port
        except ValueError:
            raise BadTraces(f"endpoint: `{self.endpoint[:60]}` is no web address", example) from None
        if "@" in parts.netloc:
            raise BadTraces("endpoint: a password does not belong here", "Put it into the variable OTEL_EXPORTER_OTLP_HEADERS, as a header")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise BadTraces(f"endpoint: `{self.endpoint[:60]}` is no web address", example)
        return self.endpoint if parts.path.strip("/") else f"{parts.scheme}://{parts.netloc}/v1/traces"


SECTIONS: Final = (Log, Traced)
"""The sections beside `Server`."""
