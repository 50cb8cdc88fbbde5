"""Settings of the server, gathered once at start-up: one frozen dataclass per section of `limen.toml`, asked for by its class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from limen.kernel.errors import Kind, LimenError

S = TypeVar("S")


class BadSetting(LimenError):
    """A value that cannot be used: `key` as in the file (`metrics.listen`), why, and what to write instead."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "bad_setting"

    def __init__(self, key: str, reason: str, suggestion: str = "") -> None:
        super().__init__(f"{key.rpartition('.')[2]}: {reason}", operator=f"{key}: {reason}. {suggestion}".strip())
        self.key = key
        self.reason = reason
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class Running:
    """How this server runs, for parts below the composition root, which puts it among the settings. Nobody's word is production."""

    dev: bool = False
    base_url: str = "http://localhost:8400"
    """What the world calls this server, for jobs that say it: a request knows its own."""


class Settings:
    """What `limen.toml`, the environment and the command line said, checked. `of` asks for a section by its dataclass."""

    __slots__ = ("_sections",)

    def __init__(self, sections: Iterable[object]) -> None:
        self._sections: dict[type, object] = {type(section): section for section in sections}

    def of(self, kind: type[S]) -> S:
        """Return the section of that class; where nobody set it, its defaults."""
        found = self._sections.get(kind)
        if not isinstance(found, kind):
            found = kind()
            self._sections[kind] = found
        return found


def parse_listen(key: str, listen: str) -> tuple[str, int]:
    """Return host and port of `127.0.0.1:8400` or `[::1]:8400`; BadSetting names `key`."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:  # noqa: PLR2004 - ports have 16 bits
        raise BadSetting(key, f"{listen[:60]!r} is no address and port", 'Write for example "127.0.0.1:9400" or "[::1]:9400"')
    return host.removeprefix("[").removesuffix("]"), int(port)
