"""What a session is and when it lives. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from limen.kernel.ids import AccountId, SessionId
from limen.kernel.secrets import Secret
from limen.modules import keys

PREFIX: Final = "ses"
COOKIE: Final = "s"
"""Name of the cookie that carries a session's secret."""
STATE: Final = "b"
"""Name of the cookie that scripts of the session iframe read: another random value with each session, and none without (Session Management 1.0)."""
TOUCH_EVERY: Final = timedelta(minutes=1)
"""Being seen is written down at most this often, so that reading pages costs no writes."""
ADDRESSES: Final = keys.Indexed(name="sessions.addresses")


class EndReason(enum.Enum):
    """Why a session ended. What follows for the tokens that came from it hangs on `keeps_offline`."""

    SIGNED_OUT = "signed_out"
    EXPIRED = "expired"
    REPLACED = "replaced"
    """Somebody else signed in with the same browser."""
    REVOKED = "revoked"
    CREDENTIAL_CHANGED = "credential_changed"
    NOT_ME = "not_me"
    SUSPENDED = "suspended"
    CLOSED = "closed"

    @property
    def keeps_offline(self) -> bool:
        """True if grants with `offline_access` outlive a session that ends so (Back-Channel Logout 1.0, section 2.7)."""
        return self in (EndReason.SIGNED_OUT, EndReason.EXPIRED, EndReason.REPLACED)


@dataclass(frozen=True, slots=True)
class Session:
    """One browser signed in as one account. `id` is the `sid` that apps are told; it stays while the cookie's secret changes."""

    id: SessionId
    account: AccountId
    acr: str
    amr: tuple[str, ...]
    auth_time: datetime
    created: datetime
    last_seen: datetime
    idle_until: datetime
    expires: datetime

    def alive(self, now: datetime) -> bool:
        """True while neither limit is reached."""
        return now < self.idle_until and now < self.expires


@dataclass(frozen=True, slots=True)
class Opened:
    """A session and the secret its cookie carries; the secret is told this once."""

    session: Session
    secret: Secret[str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session was last opened or raised: personal, for its owner's eyes."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A living session with its place, as the portal shows it."""

    session: Session
    place: Place
