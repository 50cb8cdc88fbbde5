"""What happens to clients. Configuration, not people: no subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact
from limen.kernel.ids import ClientId
from limen.modules.clients.model import Registered


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientChanged(Fact):
    """A client was registered or changed; `changed` names the fields, never their values."""

    name: ClassVar[str] = "clients.client_changed"
    client: ClientId
    made: bool
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDropped(Fact):
    """A client was deleted; what it was given ends."""

    name: ClassVar[str] = "clients.client_dropped"
    client: ClientId


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRotated(Fact):
    """A client has a new secret; the previous one works for `overlap` seconds more."""

    name: ClassVar[str] = "clients.secret_rotated"
    client: ClientId
    overlap: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRegistered(Fact):
    """A client came by itself; `token` is the initial access token it showed, `issuer` who signed its software statement, each empty for none."""

    name: ClassVar[str] = "clients.client_registered"
    client: ClientId
    by: Registered
    token: str = ""
    issuer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationTokenMade(Fact):
    """An initial access token was made for `uses` registrations within `seconds`, each 0 for no limit."""

    name: ClassVar[str] = "clients.registration_token_made"
    token: str
    uses: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationTokenDropped(Fact):
    """An initial access token works no longer; what registered with it stays."""

    name: ClassVar[str] = "clients.registration_token_dropped"
    token: str
