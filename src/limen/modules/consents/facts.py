"""What happens to consents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact
from limen.kernel.ids import ClientId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven(Fact):
    """A person let an app have scopes it did not have before."""

    name: ClassVar[str] = "consents.consent_given"
    client: ClientId
    scopes: tuple[str, ...]
    implied: bool = False
    """She was not asked, since the operator lets this app of her own in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRefused(Fact):
    """A person was asked and said no."""

    name: ClassVar[str] = "consents.consent_refused"
    client: ClientId
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsAccepted(Fact):
    """A person agreed to a version of the tenant's terms, on her way to an app or to her account."""

    name: ClassVar[str] = "consents.terms_accepted"
    version: str
    client: ClientId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWithdrawn(Fact):
    """An app lost scopes. With `whole` it has none left."""

    name: ClassVar[str] = "consents.consent_withdrawn"
    client: ClientId
    scopes: tuple[str, ...]
    whole: bool
