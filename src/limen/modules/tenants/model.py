"""What a tenant is: its name, address, brand, languages, the APIs it protects, and what it set otherwise."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from limen.kernel.ids import ClientId, TenantId
from limen.platform import pages
from limen.platform.pages import Brand

API_PATH: Final = "/api/v1"
API_SUBJECTS: Final = ("accounts", "profiles", "sessions", "clients", "consents", "approvals", "audit", "outbox")
API_SCOPES: Final[Mapping[str, str]] = {f"limen:{subject}:{way}": f"{way.capitalize()} {subject}" for subject in API_SUBJECTS for way in ("read", "write")}
"""Scopes of the built-in resource, `<issuer>/api/v1`."""
OWN_SCOPES: Final = frozenset({"openid", "profile", "email", "address", "phone", "offline_access"})
"""OpenID Connect Core 1.0, sections 5.4 and 11: they are about the person, not about an API."""

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")  # RFC 6749, section 3.3
_IDENTIFIER: Final = re.compile(r"[a-z][a-z0-9+.-]*:[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+", re.IGNORECASE)
_IDENTIFIER_LIMIT: Final = 255
_DOMAIN_LIMIT: Final = 253
_WORDS_LIMIT: Final = 200
_COUNT_LIMIT: Final = 100


class TokenFormat(enum.Enum):
    """What an access token for a resource looks like: RFC 9068, or opaque and introspected (RFC 7662)."""

    JWT = "jwt"
    OPAQUE = "opaque"


@dataclass(frozen=True, slots=True)
class Flaw:
    """What makes a record unacceptable: the field as the file spells it, the reason, and what would do."""

    field: str
    reason: str
    suggestion: str = ""

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}" + (f". {self.suggestion}" if self.suggestion else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A protected API: its audience, and its scopes with the words the consent page shows. `client` may introspect its tokens."""

    identifier: str
    scopes: Mapping[str, str] = field(default_factory=dict)
    token_format: TokenFormat = TokenFormat.JWT
    client: ClientId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One organisation's customers, apps and looks. `settings` has, for each module, what this tenant set and nothing else."""

    name: TenantId
    brand: Brand
    default: bool = False
    domain: str | None = None
    languages: tuple[str, ...] = ("en",)
    resources: tuple[Resource, ...] = ()
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    made: datetime | None = None
    """When it was first saved; None for one that has not been."""

    @property
    def display(self) -> str:
        """Its name as people know it."""
        return self.brand.name

    def resource(self, identifier: str) -> Resource | None:
        """Return the resource of its own with that identifier (the built-in one depends on the issuer: `api_resource`)."""
        return next((one for one in self.resources if one.identifier == identifier), None)

    def owner_of(self, scope: str, issuer: str) -> Resource | None:
        """Return the resource a scope belongs to, or None for `openid` and its like and for unknown scopes."""
        if scope in API_SCOPES:
            return api_resource(issuer)
        return next((one for one in self.resources if scope in one.scopes), None)


def api_resource(issuer: str) -> Resource:
    """Return the resource every tenant has: Limen's own API."""
    return Resource(identifier=f"{issuer}{API_PATH}", scopes=API_SCOPES)


def plain(name: TenantId) -> Tenant:
    """Return a tenant with nothing set but its name."""
    return Tenant(name=name, brand=Brand(name=name.replace("-", " ").title()))


def flaws(tenant: Tenant) -> tuple[Flaw, ...]:
    """Return everything that forbids to save it; empty when all is well."""
    found = list(_flaws_of_names(tenant))
    if tenant.domain is not None and not is_domain(tenant.domain):
        found.append(Flaw("domain", f"`{tenant.domain[:60]}` is no host name", 'Write the bare name in ASCII and lower case, such as "id.example.com"'))
    if tenant.domain is not None and tenant.default:
        found.append(Flaw("domain", "the default tenant stands at the base URL", "Leave out `domain` or `default`"))
    if len(tenant.resources) > _COUNT_LIMIT:
        found.append(Flaw("resource", f"a tenant has at most {_COUNT_LIMIT}"))
    seen: dict[str, str] = {}
    for one in tenant.resources:
        found += _flaws_of_resource(one, seen)
    identifiers = [one.identifier for one in tenant.resources]
    found += [Flaw("resource.identifier", f"`{one}` stands there twice") for one in sorted({one for one in identifiers if identifiers.count(one) > 1})]
    return tuple(found)


def _flaws_of_names(tenant: Tenant) -> Iterator[Flaw]:
    if not _NAME.fullmatch(tenant.name):
        yield Flaw("name", f"`{tenant.name[:60]}` is no tenant's name", "Up to 40 of a-z, 0-9 and -, beginning with a letter")
    if not tenant.languages:
        yield Flaw("languages", "a tenant speaks at least one", 'Write ["en"]')
    if len(set(tenant.languages)) < len(tenant.languages):
        yield Flaw("languages", "one stands there twice")
    known = pages.languages()
    for language in tenant.languages:
        if language not in known:
            yield Flaw("languages", f"`{language[:60]}` has no translation here", f"There are {', '.join(sorted(known))}")


def _flaws_of_resource(resource: Resource, seen: dict[str, str]) -> Iterator[Flaw]:
    if not is_identifier(resource.identifier):
        yield Flaw(
            "resource.identifier",
            f"`{resource.identifier[:60]}` is no absolute URI without a fragment (RFC 8707, section 2)",
            'Write for example "https://api.example.com"',
        )
    if len(resource.scopes) > _COUNT_LIMIT:
        yield Flaw("resource.scopes", f"a resource has at most {_COUNT_LIMIT}")
    for scope, words in resource.scopes.items():
        yield from _flaws_of_scope(scope, words)
        if scope in seen:
            yield Flaw("resource.scopes", f"`{scope}` belongs to {seen[scope]} already", "A scope names one resource: rename one of them")
        seen[scope] = resource.identifier


def _flaws_of_scope(scope: str, words: str) -> Iterator[Flaw]:
    if not _SCOPE.fullmatch(scope):
        yield Flaw("resource.scopes", f"`{scope[:60]}` is no scope (RFC 6749, section 3.3)", "Up to 100 visible ASCII characters without quotes and backslash")
    if scope in OWN_SCOPES or scope.startswith("limen:"):
        yield Flaw("resource.scopes", f"`{scope[:60]}` has its meaning already", "Choose another name")
    if not 0 < len(words.strip()) <= _WORDS_LIMIT:
        yield Flaw(
            "resource.scopes",
            f"`{scope[:60]}` needs words for the consent page, at most {_WORDS_LIMIT} characters",
            'Write for example { read = "Read your orders" }',
        )


def is_domain(name: str) -> bool:
    """Whether it is a host name in lower-case ASCII (IDNA A-labels), with a dot unless it is localhost, and no address."""
    labels = name.split(".")
    named = len(labels) > 1 or name == "localhost"
    return named and len(name) <= _DOMAIN_LIMIT and all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit()


def is_identifier(uri: str) -> bool:
    """Whether it can name a resource: an absolute URI without fragment (RFC 8707, section 2), in ASCII; http(s) needs a host, without user."""
    if len(uri) > _IDENTIFIER_LIMIT or not _IDENTIFIER.fullmatch(uri):
        return False
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme not in ("http", "https") or (bool(parts.hostname) and "@" not in parts.netloc)
