"""The factors that extensions brought, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from limen.modules.factors.errors import UnknownFactor
from limen.modules.factors.port import Factor

_INSTALLED: Final[dict[str, Factor]] = {}


def install(found: Mapping[str, object]) -> None:
    """Take the extensions of `extensions/factors` by folder name; called at start-up. UnknownFactor for what is none or is half of one."""
    checked: dict[str, Factor] = {}
    for name, extension in found.items():
        if not isinstance(extension, Factor):
            raise UnknownFactor(operator=f"extensions/factors/{name}: EXTENSION is {type(extension).__name__}, not a Factor")
        if extension.name != name:
            raise UnknownFactor(operator=f"extensions/factors/{name} calls itself {extension.name!r}: factors are stored by the folder's name")
        if sum(way is not None for way in (extension.enrol, extension.making, extension.challenge)) != 1:
            raise UnknownFactor(
                operator=f"extensions/factors/{name} must do one of three: keep what is chosen (enrol) or made (making), or send challenges (challenge)"
            )
        checked[name] = extension
    _INSTALLED.clear()
    _INSTALLED.update(checked)


def factor(kind: str) -> Factor:
    """Return a factor by name; UnknownFactor if nobody brought it."""
    try:
        return _INSTALLED[kind]
    except KeyError:
        raise UnknownFactor(operator=f"no extension brought the factor {kind!r}; there are {', '.join(sorted(_INSTALLED)) or 'none'}") from None


def kinds() -> tuple[str, ...]:
    """Return the names of all factors."""
    return tuple(_INSTALLED)
