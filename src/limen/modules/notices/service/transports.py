"""The transports that extensions brought, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from limen.modules.notices.errors import UnknownTransport
from limen.modules.notices.model import PHONES
from limen.modules.notices.port import Text, Transport, TryLater
from limen.modules.notices.settings import Server
from limen.platform.duties import Settings


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with the choice for a channel, and what to do."""

    channel: str
    reason: str
    suggestion: str


_TRIED: Final = Text(id="", to="+15005550006", channel="", text="", language="en", service="", at=datetime(2026, 1, 1, tzinfo=UTC))
_INSTALLED: Final[dict[str, Transport]] = {}


def install(found: Mapping[str, object]) -> None:
    """Take the extensions of `extensions/transports` by folder name; called at start-up. UnknownTransport for what is none."""
    checked: dict[str, Transport] = {}
    for name, extension in found.items():
        if not isinstance(extension, Transport):
            raise UnknownTransport(operator=f"extensions/transports/{name}: EXTENSION is {type(extension).__name__}, not a Transport")
        if extension.name != name:
            raise UnknownTransport(operator=f"extensions/transports/{name} calls itself {extension.name!r}: transports are chosen by the folder's name")
        if not extension.channels or extension.channels - PHONES:
            raise UnknownTransport(operator=f"extensions/transports/{name} has to do one of {', '.join(sorted(PHONES))}, and nothing else")
        checked[name] = extension
    _INSTALLED.clear()
    _INSTALLED.update(checked)


def flaws(settings: Settings) -> Iterator[Flaw]:
    """Yield what keeps messages from leaving by the transports that were chosen: there is none of that name, it cannot do the channel, or is not set up."""
    server = settings.of(Server)
    for channel in sorted(PHONES):
        name = server.transport(channel)
        able = sorted(one.name for one in _INSTALLED.values() if channel in one.channels)
        if name and name not in able:
            yield Flaw(channel, f"`{name[:40]}` is no transport for it", f"There are {', '.join(able)}")
        elif name:
            way = _INSTALLED[name]
            tried = way.write(replace(_TRIED, channel=channel), settings.of(way.settings))
            if isinstance(tried, TryLater):
                yield Flaw(channel, f"its transport is not set up ({tried.reason})", f"Fill in [{name}]")


def transport(name: str) -> Transport | None:
    """Return a transport by name."""
    return _INSTALLED.get(name)
