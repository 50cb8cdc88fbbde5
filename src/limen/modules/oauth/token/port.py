"""What a grant of the token endpoint is: it decides, the endpoint does the rest.

What is made for each request is a Struct: those are made in a tenth of the time a frozen dataclass takes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from limen.kernel.ids import AccountId, ClientId, GrantId
from limen.modules.clients import Client, GrantType
from limen.modules.oauth.access_token import Made
from limen.modules.oauth.errors import Refused
from limen.modules.oauth.ground import Press
from limen.modules.oauth.id_token import IdClaims
from limen.platform.http import Call, Form
from limen.platform.sql import Work


class Wish(msgspec.Struct, frozen=True):
    """A token request whose client has proved itself."""

    form: Form
    client: Client
    press: Press
    prepared: object = None
    """What the grant's own `prepare` came to."""
    bound: str = ""
    """The key it showed, to which what it gets is bound (`possession`)."""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the client gets, not signed yet."""

    access: Made
    client: ClientId
    scope: str
    lifetime: int
    """Seconds."""
    account: AccountId | None = None
    grant: GrantId | None = None
    refresh: str | None = None
    identity: IdClaims | None = None
    encrypted: Client | None = None
    """Whose key the ID token is encrypted with; None: it is not."""
    kind: str = ""
    """`issued_token_type` (RFC 8693, section 2.2.1)."""
    details: str = ""
    """Authorization details (RFC 9396, section 7) as JSON text."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One value of `grant_type`. What it refuses is a value and commits: a code stays used, a replay ends what it has to."""

    type: GrantType
    needs: tuple[str, ...]
    """Parameters that must be there."""
    decide: Callable[[Work, Wish], Awaitable[Given | Refused]]
    prepare: Callable[[Call], Awaitable[object]] | None = None
    """What takes time, such as fetching somebody's keys: done before the Work. What it finds wrong it returns as Refused."""
