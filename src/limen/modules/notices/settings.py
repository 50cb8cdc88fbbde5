"""What a tenant may set about its messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

_MOST_SENDS: Final = 20
_LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.notices]`: messages to customers."""

    section: ClassVar[str] = "notices"
    sender: str = ""
    """Name beside the sender's address, at most 80 characters; empty: the name of the brand."""
    reply_to: str = ""
    """Where answers go, an address; empty: back to the sender's, which may not be read."""
    sends_per_hour: int = 5
    """Codes and the like to one address, at most: for each browser its owner is known by, and each other source; four times as many for all of those."""

    def __post_init__(self) -> None:
        if not 1 <= self.sends_per_hour <= _MOST_SENDS:
            raise ValueError(f"sends_per_hour: must lie between 1 and {_MOST_SENDS}")
        if len(self.sender) > _LONGEST_NAME or not self.sender.isprintable():
            raise ValueError(f"sender: a name on one line of at most {_LONGEST_NAME} characters")
        if self.reply_to and (self.reply_to.count("@") != 1 or not self.reply_to.isprintable()):
            raise ValueError("reply_to: must be an address")
