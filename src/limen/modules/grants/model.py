"""What a grant is, what a code stands for, and how refresh tokens follow one another. Pure.

What is made for each request is a Struct: those are made in a tenth of the time a frozen dataclass takes.
"""

from __future__ import annotations

import enum
import re
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from limen.kernel import secrets
from limen.kernel.ids import AccountId, ClientId, GrantId, SessionId, TenantId, TokenId
from limen.kernel.secrets import Secret
from limen.modules import keys
from limen.platform.crypto import Place
from limen.platform.wire.jose import Malformed, b64url, unb64url

OFFLINE: Final = "offline_access"
"""The scope of what outlives a session."""
GRANT_PREFIX: Final = "gra"
TOKEN_PREFIX: Final = "tok"  # noqa: S105 - of ids, which are no secrets
CODE_PREFIX: Final = "lmn_ac_"
REFRESH_PREFIX: Final = "lmn_rt_"
ACCESS_PREFIX: Final = "lmn_at_"
"""Scanners of leaked secrets know them."""
GRACE: Final = timedelta(seconds=10)
"""So long a refresh token answers with the same successor once more: the network may have lost the first answer."""

FAMILIES: Final = keys.Sealed(name="grants.families")
"""The keys of refresh tokens."""

_FAMILY: Final = re.compile(r"gra_([0-9a-hjkmnp-tv-z]{26})")
_LETTERS: Final = 26
_GENERATION_OCTETS: Final = 4
_MAC_OCTETS: Final = 32
_OCTETS: Final = _LETTERS + _GENERATION_OCTETS + _MAC_OCTETS
_REFRESH_LENGTH: Final = len(REFRESH_PREFIX) + -(-_OCTETS * 4 // 3)


class Ending(enum.Enum):
    """Why a grant ended."""

    SESSION_ENDED = "session_ended"
    REVOKED = "revoked"
    """By the app (RFC 7009)."""
    CONSENT_WITHDRAWN = "consent_withdrawn"
    ACCOUNT_CLEARED = "account_cleared"
    """Suspension, a changed credential, "not me", or all sessions revoked."""
    CLIENT_DROPPED = "client_dropped"
    CODE_REPLAYED = "code_replayed"
    REFRESH_REPLAYED = "refresh_replayed"


class Extra(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What few permits have. JSON texts are kept as they were read: the door knows what they mean."""

    subject: str = ""
    """`sub` as this app knows the person, where that is not the account's id."""
    claims: str = ""
    """The parameter `claims` (OpenID Connect Core 1.0, section 5.5)."""
    details: str = ""
    """Authorization details (RFC 9396)."""
    said: tuple[str, ...] = ()
    """The same in the words the person read when she allowed them."""
    resources: tuple[str, ...] = ()
    """The resources the request named (RFC 8707)."""
    bound: str = ""
    """The key without which a code, or a refresh token, gives nothing, as the door writes it."""


class Permit(msgspec.Struct, frozen=True):
    """What a person lets an app do from a session: a code stands for it, and a grant is made from it."""

    account: AccountId
    client: ClientId
    session: SessionId
    """Empty where there was none: she answered elsewhere than in a browser of ours."""
    scopes: tuple[str, ...]
    audience: tuple[str, ...]
    """Of access tokens: the resource, and the issuer where userinfo may be asked."""
    acr: str
    amr: tuple[str, ...]
    auth_time: datetime
    extra: Extra | None = None

    @property
    def subject(self) -> str:
        """`sub` as the app is told."""
        return self.account if self.extra is None else self.extra.subject or self.account

    @property
    def bound(self) -> str:
        """The key that is needed to get a token by it; empty for none."""
        return "" if self.extra is None else self.extra.bound

    @property
    def offline(self) -> bool:
        """Whether it outlives the session (OpenID Connect Core 1.0, section 11)."""
        return OFFLINE in self.scopes

    @property
    def bound_to_session(self) -> bool:
        """Whether it ends with the session it came from."""
        return bool(self.session) and not self.offline


class Ground(NamedTuple):
    """What a code stood on when it was looked at; it is used only if that is so still, and stays so until the Work has ended."""

    session: SessionId | None
    """None where it lives no more."""
    scopes: str | None
    """All that the account lets the client have, in one text."""


class Code(msgspec.Struct, frozen=True):
    """An authorization code as stored: the permit, and what the token request must match."""

    grant: GrantId
    permit: Permit
    redirect_uri: str
    redirect_given: bool
    """Whether the authorization request named it, so that the token request must too (RFC 6749, section 4.1.3)."""
    challenge: str
    """S256 (RFC 7636); empty where a confidential client need not use it."""
    nonce: str
    expires: datetime
    ground: Ground | None = None
    """None before it is used."""


class Grant(msgspec.Struct, frozen=True):
    """An app's standing permission. Ended ones are kept for a while, so that what comes late is recognised."""

    id: GrantId
    permit: Permit
    created: datetime
    expires: datetime
    """Absolute limit of its refresh tokens, or the end of its only access token."""
    idle_until: datetime | None
    """When its refresh token ends unless used; None for a grant without one."""
    last_used: datetime
    ended_at: datetime | None


class CodeRefusal(enum.Enum):
    """Why a code gives nothing."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REPLAYED = "replayed"
    """Used before: what it gave has been ended."""
    SESSION_ENDED = "session_ended"
    CONSENT_WITHDRAWN = "consent_withdrawn"


class RefreshRefusal(enum.Enum):
    """Why a refresh token gives nothing."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    ENDED = "ended"
    SESSION_ENDED = "session_ended"
    REPLAYED = "replayed"
    """An older one of the family came back: the family has been ended."""


class Family(msgspec.Struct, frozen=True):
    """The refresh tokens of one grant: each generation's token is an HMAC under the family's key."""

    grant: GrantId
    key: bytes

    def token(self, generation: int) -> Secret[str]:
        """Return the token of a generation: the family, the number, and the proof that we made it."""
        head = self.grant.removeprefix(f"{GRANT_PREFIX}_").encode("ascii") + generation.to_bytes(_GENERATION_OCTETS)
        mac = secrets.mac(self.key, head)
        return Secret(REFRESH_PREFIX + b64url(head + mac).decode())


def family_place(tenant: TenantId, grant: GrantId) -> Place:
    """Return where a family's key is sealed for."""
    return Place("grants", "family_key", tenant, grant)


class Claimed(msgspec.Struct, frozen=True):
    """What a refresh token says of itself, not proved."""

    grant: GrantId
    generation: int


def claimed(token: str) -> Claimed | None:
    """Read a refresh token; None where it cannot be one of ours."""
    if not token.startswith(REFRESH_PREFIX) or len(token) != _REFRESH_LENGTH or not token.isascii():
        return None
    try:
        octets = unb64url(token[len(REFRESH_PREFIX) :].encode())
        grant = f"{GRANT_PREFIX}_{octets[:_LETTERS].decode('ascii')}"
    except (Malformed, UnicodeDecodeError):
        return None
    if len(octets) != _OCTETS or not _FAMILY.fullmatch(grant):
        return None
    return Claimed(GrantId(grant), int.from_bytes(octets[_LETTERS : _LETTERS + _GENERATION_OCTETS]))


class Turn(enum.Enum):
    """What a genuine refresh token is within its family."""

    CURRENT = "current"
    REPEATED = "repeated"
    """The one before, in time, and its successor is unused: the same answer again."""
    REPLAYED = "replayed"


def turn(presented: int, current: int, rotated_at: datetime, now: datetime) -> Turn:
    """Judge a genuine token of generation `presented` in a family that stands at `current` since `rotated_at`.

    That the family still stands at the successor is what says the successor is unused.
    """
    if presented == current:
        return Turn.CURRENT
    if presented == current - 1 and now - rotated_at <= GRACE:
        return Turn.REPEATED
    return Turn.REPLAYED


class OpaqueToken(msgspec.Struct, frozen=True):
    """An opaque access token as stored, by digest (RFC 7662 tells the resource what it means)."""

    id: TokenId
    grant: GrantId | None
    account: AccountId | None
    client: ClientId
    scopes: tuple[str, ...]
    audience: tuple[str, ...]
    issued: datetime
    expires: datetime
    bound: str | None = None
    """The key without which it is worth nothing, as the door writes it; it knows what that means."""
