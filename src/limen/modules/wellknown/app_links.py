"""Which apps belong to this place: Digital Asset Links for Android, Associated Domains for Apple's platforms. Each system fetches its own file."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.modules import tenants
from limen.modules.wellknown.settings import AndroidApp, AppleApp, Tenant
from limen.platform.http import PUBLIC, Answer, Call, Cors, Endpoint, Json, NoSuchPlace, kept_for_all

_SIGNS_IN: Final = "delegate_permission/common.get_login_creds"
_OPENS_LINKS: Final = "delegate_permission/common.handle_all_urls"


class Target(msgspec.Struct, frozen=True):
    """The app a statement is about."""

    package_name: str
    sha256_cert_fingerprints: tuple[str, ...]
    namespace: str = "android_app"


class Statement(msgspec.Struct, frozen=True):
    """What an Android app may do here."""

    relation: tuple[str, ...]
    target: Target


class WebCredentials(msgspec.Struct, frozen=True):
    """Apps that may use what is kept for this place: passkeys and passwords."""

    apps: tuple[str, ...]


class Component(msgspec.Struct, frozen=True):
    """A pattern of paths."""

    path: str = msgspec.field(name="/")


class Links(msgspec.Struct, frozen=True):
    """An app, and the paths that it opens."""

    apps: tuple[str, ...] = msgspec.field(name="appIDs")
    components: tuple[Component, ...]


class AppLinks(msgspec.Struct, frozen=True):
    """Apps that open links."""

    details: tuple[Links, ...]


class Association(msgspec.Struct, frozen=True, omit_defaults=True):
    """Apple's file."""

    webcredentials: WebCredentials
    applinks: AppLinks | None = None


def _statement(app: AndroidApp) -> Statement:
    return Statement((_SIGNS_IN, _OPENS_LINKS) if app.links else (_SIGNS_IN,), Target(app.package, app.fingerprints))


def _association(apps: tuple[AppleApp, ...]) -> Association:
    opening = tuple(Links((one.app,), tuple(Component(path) for path in one.links)) for one in apps if one.links)
    return Association(WebCredentials(tuple(one.app for one in apps)), AppLinks(opening) if opening else None)


async def _android(call: Call) -> Answer:
    async with call.read() as reader:
        apps = (await tenants.settings(reader, Tenant.section, Tenant)).android
    if not apps:
        raise NoSuchPlace
    return Json([_statement(app) for app in apps], headers=kept_for_all(call))


async def _apple(call: Call) -> Answer:
    async with call.read() as reader:
        apps = (await tenants.settings(reader, Tenant.section, Tenant)).apple
    if not apps:
        raise NoSuchPlace
    return Json(_association(apps), headers=kept_for_all(call))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/.well-known/assetlinks.json",
        who=PUBLIC,
        call=_android,
        gives=list[Statement],
        summary="Say which Android apps belong to this place (Digital Asset Links)",
        cors=Cors.METADATA,
        refusals=(NoSuchPlace,),
    ),
    Endpoint(
        method="GET",
        path="/.well-known/apple-app-site-association",
        who=PUBLIC,
        call=_apple,
        gives=Association,
        summary="Say which apps of Apple's platforms belong to this place (Associated Domains)",
        cors=Cors.METADATA,
        refusals=(NoSuchPlace,),
    ),
)
