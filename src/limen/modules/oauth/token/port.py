"""What a grant of the token endpoint is: it decides, the endpoint does the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from limen.kernel.ids import AccountId, ClientId, GrantId
from limen.modules.clients import Client, GrantType
from limen.modules.oauth.access_token import Issued
from limen.modules.oauth.errors import Refused
from limen.modules.oauth.ground import Press
from limen.platform.http import Form
from limen.platform.sql import Work


@dataclass(frozen=True, slots=True)
class Wish:
    """A token request whose client has proved itself."""

    form: Form
    client: Client
    press: Press


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the client gets."""

    access: Issued
    client: ClientId
    scope: str
    account: AccountId | None = None
    grant: GrantId | None = None
    refresh: str | None = None
    id_token: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """One value of `grant_type`. What it refuses is a value and commits: a code stays used, a replay ends what it has to."""

    type: GrantType
    needs: tuple[str, ...]
    """Parameters that must be there."""
    decide: Callable[[Work, Wish], Awaitable[Given | Refused]]
