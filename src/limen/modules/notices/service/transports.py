"""The transports that extensions brought, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from limen.modules.notices.errors import UnknownTransport
from limen.modules.notices.model import PHONES
from limen.modules.notices.port import Transport
from limen.modules.notices.settings import Server
from limen.platform.duties import BadSetting

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


def check(server: Server) -> None:
    """Refuse a choice that nobody can follow: an unknown transport, or one that cannot do its channel. BadSetting."""
    for channel in sorted(PHONES):
        name = server.transport(channel)
        able = sorted(one.name for one in _INSTALLED.values() if channel in one.channels)
        if name and name not in able:
            raise BadSetting(f"notices.{channel}", f"`{name[:40]}` is no transport for it", f"There are {', '.join(able)}")


def transport(name: str) -> Transport | None:
    """Return a transport by name."""
    return _INSTALLED.get(name)
