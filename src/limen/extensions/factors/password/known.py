"""Whether attackers know a password already: it is on the lists everybody has, or was stolen from others."""

from __future__ import annotations

import enum
from typing import Final

from limen.extensions.factors.password.leaked import Leaked, UnusableFilter
from limen.extensions.factors.password.lists import is_common
from limen.extensions.factors.password.settings import Server
from limen.platform.duties import BadSetting, Settings
from limen.platform.pages import _m

_OPEN: Final[list[Leaked]] = []
"""The filter of this process, if it has one."""


class Known(enum.Enum):
    """How attackers know a password: a code for the log, and what its owner is told."""

    COMMON = ("common", _m("This is a password, name or word that is tried first. Use a few words that do not belong together."))
    LEAKED = ("leaked", _m("This password is in a list of stolen passwords, so it is tried first. Choose one that you use nowhere else."))

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        self.reason = reason


def how_known(password: str) -> Known | None:
    """Return how attackers know a password, if they do."""
    if is_common(password):
        return Known.COMMON
    return Known.LEAKED if any(one.has_password(password) for one in _OPEN) else None


def open_leaked(settings: Settings) -> None:
    """Open the filter that the settings name, for as long as the process lives; BadSetting if there is none or it is damaged."""
    path = settings.of(Server).leaked
    again = "with `limen password leaked LIST`, or take the setting out to do without"
    try:
        _OPEN[:] = [Leaked(path)] if path else []
    except OSError as error:
        raise BadSetting("password.leaked", f"{path} cannot be read: {error.strerror}", f"Make it {again}") from None
    except UnusableFilter as error:
        raise BadSetting("password.leaked", error.operator, f"Make it again {again}") from None


AT_START: Final = (open_leaked,)
