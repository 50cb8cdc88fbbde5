"""Who may register applications, and what those may have."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

from limen.modules.clients.model import REGISTRABLE_SCOPES, RESPONSE_TYPES, AuthMethod, GrantType
from limen.platform.wire.jose import ASYMMETRIC, JoseError, KeySet

NEVER: Final = timedelta()
_OWN: Final = "limen:"
_HOST: Final = re.compile(r"\.?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST: Final = timedelta(days=400)
_MOST: Final = 100_000
_LONGEST_ISSUER: Final = 500
_METHODS: Final = tuple(one for one in AuthMethod if one is not AuthMethod.SECRET_JWT)


class Openness(enum.Enum):
    """Who may register."""

    OFF = "off"
    """The operator enters every application."""
    TOKEN = "token"  # noqa: S105 - a word of the configuration
    """Who has an initial access token of the operator's."""
    ANYONE = "anyone"
    """Everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementIssuer:
    """Who vouches for applications: what stands in a software statement of its making (RFC 7591, section 2.3) counts before what the application says."""

    issuer: str
    """Its `iss`, letter by letter."""
    jwks: str
    """Its public keys: a JWK Set as JSON text."""

    def __post_init__(self) -> None:
        if not self.issuer or len(self.issuer) > _LONGEST_ISSUER:
            raise ValueError("issuer: needs a text, as it stands in `iss`")
        try:
            KeySet.parse(self.jwks.encode(), ASYMMETRIC)
        except JoseError as trouble:
            raise ValueError(f"jwks: {trouble}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.registration]`: who may register applications by themselves, and what those may have. What the operator enters is not held to it."""

    section: ClassVar[str] = "registration"
    open: Openness | None = None
    """`off`, `token` (with a token of `limen client registration-token`) or `anyone`; left out: `off`, in dev mode `anyone`."""
    hosts: tuple[str, ...] = ()
    """Hosts their https addresses may be on: `app.example.com`, or `.example.com` for every name under it; empty: any."""
    loopback: bool = True
    """Whether native apps may come back to `http://127.0.0.1` and `http://[::1]`."""
    localhost: bool = True
    """Whether, where they may, `http://localhost` by name will do too, as many agents have it (RFC 8252, section 8.3, advises against it)."""
    private_use: bool = False
    """Whether they may come back to a scheme of their own, such as `com.example.app:`."""
    scopes: tuple[str, ...] = REGISTRABLE_SCOPES
    """What they may ask for, and get where they ask for nothing in particular; scopes of resources are named here, `limen:` ones cannot be."""
    grants: tuple[GrantType, ...] = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)
    """Which grants they may use."""
    auth_methods: tuple[AuthMethod, ...] = _METHODS
    """How they may authenticate at the token endpoint."""
    response_types: tuple[str, ...] = ("code",)
    """What they may ask the authorization endpoint for."""
    pkce_required: bool = True
    """Whether those with a secret need PKCE; those without always do."""
    legacy: bool = False
    """Whether those that prove themselves are held to older ways, such as an assertion whose audience is the token endpoint (see `legacy` of a client)."""
    max_clients: int = 1_000
    """So many at most, documents included."""
    hourly: int | None = None
    """So many from one address in an hour, where anyone may register; left out: 30, in dev mode as many as one likes."""
    trust_addresses: bool = False
    """Whether a browser is led to their addresses at once, as to those an operator entered: with an error, after a no or a sign-out, to begin a sign-in.
    Otherwise its person decides (RFC 9700, section 4.11.2). Those with a token or a software statement, on `hosts`, or on her own device are trusted anyway."""
    drop_unused: timedelta = timedelta(days=30)
    """One that anyone may have registered goes after so long, unless somebody has let it in; `0s`: never. Services stay."""
    statement_issuers: tuple[StatementIssuer, ...] = ()
    """Whose software statements are believed."""
    statement_required: bool = False
    """Whether nobody registers without one."""
    client_id_documents: bool = False
    """Whether a client's id may be the https address of a document that describes it (draft-ietf-oauth-client-id-metadata-document-01)."""

    def __post_init__(self) -> None:
        for host in self.hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(f"hosts: `{host[:60]}` is no host name, in lower case; `.example.com` stands for every name under it")
        if any(one.startswith(_OWN) for one in self.scopes):
            raise ValueError("scopes: those of Limen's own API are given away by operators alone")
        if unknown := {_sorted(one) for one in self.response_types} - {_sorted(one) for one in RESPONSE_TYPES}:
            raise ValueError(f"response_types: `{min(unknown)[:40]}` is none of {', '.join(RESPONSE_TYPES)}")
        if self.statement_required and not self.statement_issuers:
            raise ValueError("statement_required: without statement_issuers nobody can register")
        self._check_numbers()

    def _check_numbers(self) -> None:
        if not 0 <= self.max_clients <= _MOST:
            raise ValueError(f"max_clients: must lie between 0 and {_MOST}")
        if self.hourly is not None and not 1 <= self.hourly <= _MOST:
            raise ValueError(f"hourly: must lie between 1 and {_MOST}")
        if not NEVER <= self.drop_unused <= _LONGEST:
            raise ValueError("drop_unused: must lie between 0s and 400d")

    def openness(self, *, dev: bool) -> Openness:
        """Return who may register."""
        return self.open or (Openness.ANYONE if dev else Openness.OFF)


def _sorted(words: str) -> str:
    return " ".join(sorted(words.split()))
