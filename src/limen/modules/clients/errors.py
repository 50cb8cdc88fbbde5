"""Broken preconditions of clients."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError
from limen.modules.tenants import Flaw


class NoSuchClient(LimenError):
    """There is no client of that id."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code: ClassVar[str] = "no_such_client"


class ClientExists(LimenError):
    """The id is taken."""

    kind: ClassVar[Kind] = Kind.CONFLICT
    code: ClassVar[str] = "client_exists"


class ClientChangedMeanwhile(LimenError):
    """Somebody else saved it since it was read: read it again."""

    kind: ClassVar[Kind] = Kind.CONFLICT
    code: ClassVar[str] = "client_changed_meanwhile"


class ScopeNotHeld(LimenError):
    """Nobody gives away a scope of Limen's own API that they do not have themselves."""

    kind: ClassVar[Kind] = Kind.FORBIDDEN
    code: ClassVar[str] = "scope_not_held"


class InvalidClient(LimenError):
    """A client that must not be saved; `flaws` says why."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "invalid_client_metadata"  # RFC 7591, section 3.2.2

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("; ".join(str(flaw) for flaw in flaws))
        self.flaws = flaws


class InvalidStatement(InvalidClient):
    """A software statement that cannot be read, is not signed by its issuer, or is too old."""

    code: ClassVar[str] = "invalid_software_statement"  # RFC 7591, section 3.2.2


class UnapprovedStatement(InvalidClient):
    """A software statement of somebody whose word does not count here."""

    code: ClassVar[str] = "unapproved_software_statement"  # likewise


class RegistrationClosed(LimenError):
    """Applications do not register here by themselves."""

    kind: ClassVar[Kind] = Kind.FORBIDDEN
    code: ClassVar[str] = "registration_closed"


class RegistrationTokenRefused(LimenError):
    """A token for registering, or for managing a registration, that does not do."""

    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    code: ClassVar[str] = "invalid_token"  # RFC 6750, section 3.1


class TooManyClients(LimenError):
    """As many applications have registered as the tenant allows."""

    kind: ClassVar[Kind] = Kind.FORBIDDEN
    code: ClassVar[str] = "too_many_clients"


class NoSuchRegistrationToken(LimenError):
    """There is no initial access token of that id."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code: ClassVar[str] = "no_such_registration_token"
