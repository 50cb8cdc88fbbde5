"""What a tenant settles of the protocol."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final, Literal

_SECOND: Final = timedelta(seconds=1)
_PUSHED_CEILING: Final = timedelta(minutes=10)
_WINDOW_CEILING: Final = timedelta(minutes=5)
_NONCE_FLOOR: Final = timedelta(seconds=10)
_NONCE_CEILING: Final = timedelta(hours=1)
_DEVICE_FLOOR: Final = timedelta(minutes=1)
DEVICE_CEILING: Final = timedelta(minutes=30)
"""No code that a device shows lives longer."""
_BACKCHANNEL_CEILING: Final = timedelta(hours=1)
_SHORTEST_MESSAGE: Final = 8
_LONGEST_MESSAGE: Final = 200
_TYPE: Final = re.compile(r"[\x21-\x7e]{1,100}")
_BASE: Final = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?(/t/[a-z0-9-]+)?")
_MOST_WORDS: Final = 200
_MOST_TOKENS: Final = 1_000_000
_MOST_PERSONAL: Final = 1_000
_LEARNING_FLOOR: Final = timedelta(hours=1)
_LEARNING_CEILING: Final = timedelta(days=30)
_WITHIN_CEILING: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailType:
    """A type of authorization details (RFC 9396): what an app may ask for by it, and how the consent page says so."""

    type: str
    """Its identifier, such as `payment_initiation`; at most 100 visible ASCII characters."""
    words: str
    """What the person reads; `{instructedAmount.amount}` stands for a member of the request. At most 200 characters."""
    required: tuple[str, ...] = ()
    """Members that must be there."""
    optional: tuple[str, ...] = ()
    """Members that may be there; any other is refused."""
    resource: str | None = None
    """The resource whose tokens carry it; left out: those for the issuer too."""

    def __post_init__(self) -> None:
        if not _TYPE.fullmatch(self.type):
            raise ValueError("type: up to 100 visible ASCII characters")
        if not 0 < len(self.words.strip()) <= _MOST_WORDS:
            raise ValueError(f"words: the person must be told, in at most {_MOST_WORDS} characters")


class ExchangeMode(enum.Enum):
    """What the token that comes of an exchange says (RFC 8693, section 1.1)."""

    DELEGATION = "delegation"
    """`act` names who acts for the person."""
    IMPERSONATION = "impersonation"
    """Nobody can tell that it is not the person's own app; the log can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRule:
    """Who may exchange whose tokens for which API (RFC 8693). Without a rule nobody may."""

    client: str
    """Who may."""
    subjects: tuple[str, ...]
    """The clients whose tokens it may bring."""
    resources: tuple[str, ...] = ()
    """The APIs it may get tokens for; left out: those that own its scopes."""
    mode: ExchangeMode = ExchangeMode.DELEGATION
    """`delegation` names it in `act`; `impersonation` does not."""
    announced: bool = False
    """Whether tokens of the subjects say so in `may_act`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIssuer:
    """An issuer whose assertions stand for people (RFC 7523, section 2.1)."""

    issuer: str
    """Its `iss`, letter by letter."""
    clients: tuple[str, ...]
    """Who may bring its assertions."""
    jwks: str | None = None
    """Its public keys as JSON text, or:"""
    jwks_uri: str | None = None
    """Where they stand: https on port 443."""
    subject: Literal["account", "email"] = "email"
    """Whether `sub` is an account's id or an address."""

    def __post_init__(self) -> None:
        if (self.jwks is None) == (self.jwks_uri is None):
            raise ValueError("jwks: give jwks or jwks_uri, and not both")


class Nonces(enum.Enum):
    """Whether DPoP proofs need a nonce of the server (RFC 9449, section 8)."""

    OFF = "off"
    """None is given, and none is looked at. To give some and take proofs without is forbidden (section 11.3): it would protect nobody."""
    REQUIRED = "required"
    """A proof without is refused with one to use, and every answer to a proof brings the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.oauth]`: what the door does beyond the usual."""

    section: ClassVar[str] = "oauth"
    pushed_request: timedelta = timedelta(seconds=60)
    """How long a pushed request waits for its browser (RFC 9126, section 2.2)."""
    device_code: timedelta = timedelta(minutes=10)
    """How long a device waits for its person (RFC 8628, section 3.2), and over how long wrong codes are counted."""
    public_requests: int | None = None
    """So many requests a minute that one client without proof of its own may leave here from one network, pushed ones and devices'; left out: 100, in dev mode
    as many as one likes. Each process counts by itself."""
    backchannel_request: timedelta = timedelta(minutes=2)
    """How long a person has to answer a back-channel request that names no time (CIBA Core 1.0, section 7.3)."""
    backchannel_longest: timedelta = timedelta(minutes=10)
    """The longest time such a request gets (`requested_expiry`)."""
    backchannel_message: int = 60
    """Characters of a `binding_message` at most."""
    backchannel_names_unknown: bool = False
    """Whether an app is told at once that there is no account for its hint (`unknown_user_id`), or that its person was asked too often. Otherwise it
    waits for an answer that never comes, and cannot find out who has an account."""
    details: tuple[DetailType, ...] = ()
    """The types of authorization details there are (RFC 9396)."""
    exchange: tuple[ExchangeRule, ...] = ()
    """Who may exchange whose tokens (RFC 8693)."""
    issuers: tuple[TrustedIssuer, ...] = ()
    """Whose assertions stand for people (RFC 7523)."""
    dpop_window: timedelta = timedelta(seconds=60)
    """How old a DPoP proof may be (RFC 9449, section 11.1)."""
    dpop_nonces: Nonces = Nonces.OFF
    """Whether proofs need a nonce of the server: `off`, or `required` against proofs made ahead of time."""
    dpop_nonce: timedelta = timedelta(minutes=5)
    """A nonce is accepted for so long at least, and twice as long at most."""
    mtls_base: str | None = None
    """Where clients come with certificates, as the issuer is written (RFC 8705, section 5); left out: at the issuer itself."""
    global_token_revocation: bool = False
    """Whether a caller with `limen:sessions:write` may end all of a person's tokens (draft-parecki-oauth-global-token-revocation-06)."""
    watch: bool = True
    """Whether the token watch tells of what is not as usual (`oauth.anomaly_seen`)."""
    watch_client_minute: int = 100
    """So many tokens of a client a minute are never a burst, whatever is usual for it."""
    watch_client_hour: int = 1_000
    """Nor so many an hour."""
    watch_times: int = 4
    """Beyond that, so many times what is usual for the client is one."""
    watch_account_minute: int = 30
    """More tokens a minute for one person are a burst."""
    watch_account_hour: int = 300
    """So are more an hour."""
    watch_networks: int = 5
    """What one grant gives may be shown from so many networks (`/24`, or `/48` of IPv6) within the time below."""
    watch_networks_within: timedelta = timedelta(minutes=10)
    """The time within which they count."""
    watch_few_networks: int = 3
    """A client that proves itself and always came from so many networks at most is told of when it comes from another."""
    watch_learning: timedelta = timedelta(days=7)
    """A client's scopes and networks are learnt for so long, its rates a day at most, before anything is told."""

    def _check_backchannel(self) -> None:
        if not _SECOND <= self.backchannel_request <= self.backchannel_longest <= _BACKCHANNEL_CEILING:
            raise ValueError("backchannel_request, backchannel_longest: must lie between 1s and 1h, the first not above the second")
        if not _SHORTEST_MESSAGE <= self.backchannel_message <= _LONGEST_MESSAGE:
            raise ValueError(f"backchannel_message: must lie between {_SHORTEST_MESSAGE} and {_LONGEST_MESSAGE}")

    def _check_watch(self) -> None:
        if not 1 <= self.watch_client_minute <= self.watch_client_hour <= _MOST_TOKENS:
            raise ValueError(f"watch_client_minute, watch_client_hour: must lie between 1 and {_MOST_TOKENS}, the first not above the second")
        if not 1 <= self.watch_account_minute <= self.watch_account_hour <= _MOST_PERSONAL:
            raise ValueError(f"watch_account_minute, watch_account_hour: must lie between 1 and {_MOST_PERSONAL}, the first not above the second")
        if not 2 <= self.watch_times <= 100:  # noqa: PLR2004 - once as many as usual is usual
            raise ValueError("watch_times: must lie between 2 and 100")
        if not 1 <= self.watch_networks <= 100 or not 1 <= self.watch_few_networks <= 10:  # noqa: PLR2004 - beyond, networks are not counted
            raise ValueError("watch_networks: must lie between 1 and 100, and watch_few_networks between 1 and 10")
        if not timedelta(minutes=1) <= self.watch_networks_within <= _WITHIN_CEILING:
            raise ValueError("watch_networks_within: must lie between 1m and 1h")
        if not _LEARNING_FLOOR <= self.watch_learning <= _LEARNING_CEILING:
            raise ValueError("watch_learning: must lie between 1h and 30d")

    def __post_init__(self) -> None:
        if not _SECOND <= self.pushed_request <= _PUSHED_CEILING:
            raise ValueError("pushed_request: must lie between 1s and 10m")
        if not _DEVICE_FLOOR <= self.device_code <= DEVICE_CEILING:
            raise ValueError("device_code: must lie between 1m and 30m")
        if self.public_requests is not None and not 1 <= self.public_requests <= _MOST_TOKENS:
            raise ValueError(f"public_requests: must lie between 1 and {_MOST_TOKENS}")
        self._check_backchannel()
        self._check_watch()
        names = [one.type for one in self.details]
        if len(set(names)) < len(names):
            raise ValueError("details: a type stands there twice")
        if not _SECOND <= self.dpop_window <= _WINDOW_CEILING:
            raise ValueError("dpop_window: must lie between 1s and 5m")
        if self.mtls_base is not None and not _BASE.fullmatch(self.mtls_base):
            raise ValueError("mtls_base: must be an https address without a slash at its end")
        if not _NONCE_FLOOR <= self.dpop_nonce <= _NONCE_CEILING:
            raise ValueError("dpop_nonce: must lie between 10s and 1h")
