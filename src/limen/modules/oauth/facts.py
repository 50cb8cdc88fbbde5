"""What happens at the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact
from limen.kernel.ids import ApprovalId, ClientId, GrantId, JobId, SessionId, TokenId


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeIssued(Fact):
    """An authorization code went to an app."""

    name: ClassVar[str] = "oauth.code_issued"
    client: ClientId
    session: SessionId
    grant: GrantId
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPushed(Fact):
    """An app sent an authorization request itself (RFC 9126); a public app, whose name anybody can say, `count` of them within a minute."""

    name: ClassVar[str] = "oauth.request_pushed"
    client: ClientId
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAuthorizationRequested(Fact):
    """A device asked for a code to show (RFC 8628); devices of a public app, whose name anybody can say, asked for `count` within a minute."""

    name: ClassVar[str] = "oauth.device_authorization_requested"
    client: ClientId
    scope: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceApproved(Fact):
    """A person let an app in on a device; what it gets then stands apart from the session she said it in."""

    name: ClassVar[str] = "oauth.device_approved"
    client: ClientId
    session: SessionId
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDenied(Fact):
    """A device that waited was turned away: the person said no, or could not give what was asked for."""

    name: ClassVar[str] = "oauth.device_denied"
    client: ClientId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCodeRefused(Fact):
    """So many codes of devices were typed wrong, or came too often, within a minute."""

    name: ClassVar[str] = "oauth.user_code_refused"
    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssued(Fact):
    """An access token went to an app. `expires` in seconds since 1970, as in the token; `network` is a keyed label of where it was asked for from."""

    name: ClassVar[str] = "oauth.token_issued"
    client: ClientId
    grant_type: str
    token: TokenId
    grant: GrantId | None
    scope: str
    expires: int
    network: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenExchanged(Fact):
    """A client brought another app's token and got one of its own (RFC 8693). By `impersonation` the token does not say so; this does."""

    name: ClassVar[str] = "oauth.token_exchanged"
    client: ClientId
    presented: TokenId
    of: ClientId
    token: TokenId
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefused(Fact):
    """A client that proved itself asked for what it does not get; or a client of whatever kind brought a refresh token that was used before."""

    name: ClassVar[str] = "oauth.token_refused"
    client: ClientId
    grant_type: str
    reason: str
    network: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeReplayed(Fact):
    """A code came a second time; what the first use gave has been ended. `presenter` is the client that brought it."""

    name: ClassVar[str] = "oauth.code_replayed"
    presenter: ClientId


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRevoked(Fact):
    """An app gave a token back (RFC 7009). With `grant` alone the whole grant ended."""

    name: ClassVar[str] = "oauth.token_revoked"
    client: ClientId
    token: TokenId | None
    grant: GrantId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspected(Fact):
    """Tokens of one grant (or of one service) were looked at so many times within a minute; `active` of them stood.

    `network` labels where the question came from; it is empty for tokens that are bound to a key, and for those that did not stand.
    """

    name: ClassVar[str] = "oauth.introspected"
    by: ClientId
    client: ClientId | None
    grant: GrantId | None
    count: int
    active: int
    network: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserinfoRead(Fact):
    """An app asked so many times within a minute who the person is; `network` as in `oauth.introspected`."""

    name: ClassVar[str] = "oauth.userinfo_read"
    client: ClientId
    grant: GrantId | None
    count: int
    network: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRefused(Fact):
    """So many authorization requests of an app were sent back with an error within a minute."""

    name: ClassVar[str] = "oauth.authorization_refused"
    client: ClientId
    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOut(Fact):
    """An app signed a person out here."""

    name: ClassVar[str] = "oauth.logged_out"
    client: ClientId | None
    session: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class AppTold(Fact):
    """An app was told, server to server, that a session is over (Back-Channel Logout 1.0). `accepted` is False where it heard and said it could not.

    `session` is empty where all of the person's at this app are meant; `job` is the logout token's `jti`.
    """

    name: ClassVar[str] = "oauth.app_told"
    client: ClientId
    session: SessionId
    job: JobId
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BackchannelAsked(Fact):
    """An app began a back-channel request (CIBA Core 1.0). `approval` is empty where nobody was asked, for the `reason`."""

    name: ClassVar[str] = "oauth.backchannel_asked"
    client: ClientId
    approval: ApprovalId | None
    mode: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackchannelDelivered(Fact):
    """An app was called about its back-channel request, and said that it heard."""

    name: ClassVar[str] = "oauth.backchannel_delivered"
    client: ClientId
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackchannelUndelivered(Fact):
    """An app could not be called about its back-channel request; the tokens that were made for it, if any, have been ended."""

    name: ClassVar[str] = "oauth.backchannel_undelivered"
    client: ClientId
    mode: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalySeen(Fact):
    """Tokens were asked for or shown as they usually are not: `observed` within `window` seconds, where up to `expected` is nothing to tell.

    `kind`: `burst`, `refresh_reuse`, `scope_drift`, `many_networks` or `new_network`; `detail` names the scopes or the network that are new.
    """

    name: ClassVar[str] = "oauth.anomaly_seen"
    kind: str
    client: ClientId
    grant: GrantId | None
    observed: int
    expected: int
    window: int
    detail: str = ""
