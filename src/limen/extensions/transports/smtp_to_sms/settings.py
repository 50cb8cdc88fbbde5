"""The address of a gateway that makes text messages of mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from limen.platform.duties import BadSetting

_TRIED: Final = {"number": "4915112345678", "to": "+4915112345678"}
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`[smtp_to_sms]`: text messages by mail, over the relay of `[mail]`."""

    section: ClassVar[str] = "smtp_to_sms"
    address: str = ""
    """Where a number's mail goes: `{number}@sms.example.com`, with `{number}` the digits alone and `{to}` those with the plus. Empty: not set up."""
    subject: str = ""
    """The mail's subject, where the gateway wants one."""

    def __post_init__(self) -> None:
        filled = self.address
        for name, value in _TRIED.items():
            filled = filled.replace(f"{{{name}}}", value)
        local, at, domain = filled.partition("@")
        if self.address and (filled == self.address or "{" in filled or not local or not at or not domain or "@" in domain or not filled.isprintable()):
            raise BadSetting("smtp_to_sms.address", "names no address for a number", 'Write "{number}@sms.example.com"')
        if len(self.subject) > _LONGEST or not self.subject.isprintable():
            raise BadSetting("smtp_to_sms.subject", f"is one line of at most {_LONGEST} characters", "Leave it out where the gateway wants none")
