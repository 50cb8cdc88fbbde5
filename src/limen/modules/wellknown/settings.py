"""What a tenant says at well-known addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from limen.modules.wellknown.model import MOST_LABELS, is_apple_app, is_contact, is_fingerprint, is_origin, is_package, labels_of

_MOST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AndroidApp:
    """An Android app of the tenant's own (Digital Asset Links): it may use passkeys and passwords of this place."""

    package: str
    """Its application id, such as `com.example.shop`."""
    fingerprints: tuple[str, ...]
    """SHA-256 of the certificates it is signed with, in capitals and with colons; an app in a store is signed with the store's."""
    links: bool = False
    """Whether it opens links to this place too (App Links)."""

    def __post_init__(self) -> None:
        if not is_package(self.package):
            raise ValueError("package: must be an application id, such as com.example.shop")
        if not self.fingerprints or not all(is_fingerprint(one) for one in self.fingerprints):
            raise ValueError("fingerprints: each is a SHA-256 of 32 pairs of capitals, with colons, and there is one at least")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppleApp:
    """An app of the tenant's own for Apple's platforms (Associated Domains): it may use passkeys and passwords of this place."""

    app: str
    """Team and bundle, such as `ABCDE12345.com.example.shop`."""
    links: tuple[str, ...] = ()
    """Paths of this place that it opens (Universal Links), such as `/account/*`; left out: none."""

    def __post_init__(self) -> None:
        if not is_apple_app(self.app):
            raise ValueError("app: must be team and bundle, such as ABCDE12345.com.example.shop")
        if not all(path.startswith("/") for path in self.links):
            raise ValueError("links: a path begins with a slash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.wellknown]`: what other sites and apps of the tenant's have to do with this place, and whom to tell of a hole in it."""

    section: ClassVar[str] = "wellknown"
    related_origins: tuple[str, ...] = ()
    """Other origins of the tenant's at which passkeys of this place work (Related Origin Requests): `https://shop.example`, of at most five names, since
    browsers look at no more."""
    android: tuple[AndroidApp, ...] = ()
    """Its Android apps, for `/.well-known/assetlinks.json`."""
    apple: tuple[AppleApp, ...] = ()
    """Its apps for Apple's platforms, for `/.well-known/apple-app-site-association`."""
    security_contact: tuple[str, ...] = ()
    """Where holes are reported, best first: `mailto:`, `https:` or `tel:`; without one there is no `/.well-known/security.txt` (RFC 9116)."""
    security_policy: str | None = None
    """The page that says how reports are dealt with, an https address."""

    def __post_init__(self) -> None:
        if wrong := [one for one in self.related_origins if not is_origin(one)]:
            raise ValueError(f"related_origins: {wrong[0][:60]!r} is no https origin of a named host, such as https://shop.example")
        if len(labels_of(self.related_origins)) > MOST_LABELS or len(self.related_origins) > _MOST:
            raise ValueError(f"related_origins: browsers look at {MOST_LABELS} names and no more")
        if max(len(self.android), len(self.apple)) > _MOST:
            raise ValueError(f"android, apple: at most {_MOST} apps")
        if not all(is_contact(one) for one in self.security_contact):
            raise ValueError("security_contact: each begins with mailto:, https:// or tel:+")
        if self.security_policy is not None and not (self.security_policy.startswith("https://") and is_contact(self.security_policy)):
            raise ValueError("security_policy: must be an https address")
