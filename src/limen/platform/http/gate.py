"""How the edge asks who somebody is. Sessions and tokens live in modules above, which answer through `Gate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from limen.kernel.ids import AccountId, ClientId, SessionId

if TYPE_CHECKING:
    from limen.platform.http.call import Call


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token proves: its client, the account it speaks for (none for a service), its scopes."""

    client: ClientId
    account: AccountId | None
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a token will not do: an error code of RFC 6750, section 3.1 (`invalid_token`, `insufficient_scope`), in words for the client.

    `challenge` is the scheme that would do and what its challenge says besides (RFC 9449, section 7.1).
    """

    error: str
    description: str
    challenge: tuple[str, str] = ("Bearer", "")
    headers: tuple[tuple[str, str], ...] = ()


class Gate(Protocol):
    """Tells who is calling."""

    async def session(self, call: Call) -> tuple[AccountId, SessionId] | None:
        """Return who is signed in by the request's session cookie, alive now; None if nobody."""
        ...

    async def bearer(self, call: Call, token: str, scope: str, *, by_dpop: bool) -> Access | Refusal:
        """Check an access token of this tenant for the API and the scope; `by_dpop` says that it is shown with a proof (RFC 9449), to be checked too."""
        ...
