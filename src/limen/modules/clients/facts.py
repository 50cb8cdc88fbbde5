"""What happens to clients. Configuration, not people: no subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact
from limen.kernel.ids import ClientId


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
