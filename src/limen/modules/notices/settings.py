"""What the server and a tenant may set about messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from limen.modules.accounts import is_region
from limen.modules.notices.model import SMS, VOICE

_MOST_SENDS: Final = 20
_MOST_TEXTS: Final = 1_000_000
_LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`[notices]`: how messages reach telephones. Mail has `[mail]`."""

    section: ClassVar[str] = "notices"
    sms: str = ""
    """The transport for text messages: `twilio`, `generic_http` or `smtp_to_sms`, each set up in a section of its name. Empty: they wait in the outbox."""
    voice: str = ""
    """The transport for calls that say a code: `twilio` or `generic_http`; empty likewise."""

    def transport(self, channel: str) -> str:
        """Return the name of the transport for a channel; empty for one that has none."""
        return {SMS: self.sms, VOICE: self.voice}.get(channel, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.notices]`: messages to customers."""

    section: ClassVar[str] = "notices"
    sender: str = ""
    """Name beside the sender's address, at most 80 characters; empty: the name of the brand."""
    reply_to: str = ""
    """Where answers go, an address; empty: back to the sender's, which may not be read."""
    sends_per_hour: int = 5
    """Codes and the like to one address or telephone number, at most: for each browser its owner is known by, and each other source; four times as many
    for all of those."""
    regions: tuple[str, ...] = ()
    """Countries (ISO 3166-1, two capital letters) whose telephone numbers are written to and called; empty: none."""
    texts_per_range_per_hour: int = 20
    """Messages and calls to numbers that share all but their last four digits, in an hour of the clock."""
    texts_per_hour: int = 500
    """Messages and calls to all numbers together, in an hour of the clock: what somebody can cost who finds a way round the other limits."""

    def __post_init__(self) -> None:
        if not 1 <= self.sends_per_hour <= _MOST_SENDS:
            raise ValueError(f"sends_per_hour: must lie between 1 and {_MOST_SENDS}")
        if strangers := [region for region in self.regions if not is_region(region)]:
            raise ValueError(f"regions: `{strangers[0][:20]}` is no country; write two capital letters, such as DE")
        if not 1 <= self.texts_per_range_per_hour <= self.texts_per_hour <= _MOST_TEXTS:
            raise ValueError(f"texts_per_range_per_hour, texts_per_hour: must lie between 1 and {_MOST_TEXTS}, the first not above the second")
        if len(self.sender) > _LONGEST_NAME or not self.sender.isprintable():
            raise ValueError(f"sender: a name on one line of at most {_LONGEST_NAME} characters")
        if self.reply_to and (self.reply_to.count("@") != 1 or not self.reply_to.isprintable()):
            raise ValueError("reply_to: must be an address")
