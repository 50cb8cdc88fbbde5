"""What a consent is: one scope that a person lets one app have. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from limen.kernel.ids import AccountId, ClientId
from limen.platform.pages import _m

STANDARD: Final[Mapping[str, str]] = {
    "openid": _m("Know who you are"),
    "profile": _m("See your profile: name, picture, language, birthday and the like"),
    "email": _m("See your e-mail address"),
    "phone": _m("See your phone number"),
    "address": _m("See your postal address"),
    "offline_access": _m("Stay connected when you are not using it"),
}
"""The words for scopes that every tenant has, in the order in which a page lists them (OpenID Connect Core 1.0, 5.4 and 11)."""


@dataclass(frozen=True, slots=True)
class Consent:
    """One scope of one app. Withdrawn ones are kept, so that it can be shown when somebody had what."""

    account: AccountId
    client: ClientId
    scope: str
    given_at: datetime
    withdrawn_at: datetime | None
    implied: bool = False
    """She was not asked: the operator lets this app of her own in (`consent = "none"`)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A version of the tenant's terms that a person agreed to, and when."""

    version: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """The version of the terms that a person has to agree to, where it stands, and the one she agreed to last (or empty)."""

    version: str
    address: str
    before: str
