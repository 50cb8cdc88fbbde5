"""What differs between a tenant file and the database, in lines an operator reads before and after she applies it."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from limen.app.reading import key_of
from limen.app.wanted import CLIENT_KEYS, WantedClient, sections
from limen.app.writing import toml
from limen.kernel.ids import ClientId, TenantId
from limen.modules.clients import Client
from limen.modules.tenants import Resource, Tenant
from limen.platform.commands import Console, Style
from limen.platform.pages import Brand

_LONGEST_SHOWN: Final = 100


class Sign(enum.Enum):
    """What becomes of a thing."""

    ADDED = "+"
    CHANGED = "~"
    DROPPED = "-"


_COLOURS: Final = {Sign.ADDED: Style.GREEN, Sign.CHANGED: Style.YELLOW, Sign.DROPPED: Style.RED}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the difference: `~ acme client shop: scopes ["openid"] -> ["openid", "email"]`."""

    sign: Sign
    tenant: TenantId
    thing: str
    key: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        words = f"{self.sign.value} {self.tenant} {self.thing}".rstrip()
        if not self.key:
            return words
        return f"{words}: {self.key} {self.before or '(nothing)'} -> {self.after or '(nothing)'}"


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs, or differed before it was applied."""

    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def show(self, console: Console) -> None:
        """Print it, a line a change."""
        for one in self.changes:
            console.say((str(one), _COLOURS[one.sign]))
        if not self.changes:
            console.say("Nothing to change.")


def of_tenant(before: Tenant | None, after: Tenant) -> Iterator[Change]:
    """Tell what differs in a tenant itself: its own keys, brand, resources and settings."""
    name = after.name
    if before is None:
        yield Change(Sign.ADDED, name, "tenant")
    else:
        for key in ("default", "domain", "languages"):
            yield from _difference(name, "tenant", key, getattr(before, key), getattr(after, key))
        for one in dataclasses.fields(Brand):
            yield from _difference(name, "brand", one.name, getattr(before.brand, one.name), getattr(after.brand, one.name))
    yield from _of_resources(name, before.resources if before else (), after.resources)
    yield from _of_settings(name, before.settings if before else {}, after.settings)


def of_client(tenant: TenantId, one: WantedClient, before: Client | None, now: datetime) -> Iterator[Change]:
    """Tell what differs in a client; of a secret only that it is another."""
    thing = f"client {one.client.id}"
    if before is None:
        yield Change(Sign.ADDED, tenant, thing)
        return
    for key in CLIENT_KEYS:
        yield from _difference(tenant, thing, key, getattr(before, key), getattr(one.client, key))
    if one.over(before, now).secrets != before.secrets:
        yield Change(Sign.CHANGED, tenant, thing, "secret", "one", "another")


def of_dropped(tenant: TenantId, client: ClientId) -> Change:
    """Tell that a client goes."""
    return Change(Sign.DROPPED, tenant, f"client {client}")


def of_dethroned(tenant: TenantId) -> Change:
    """Tell that a tenant is the default no longer because another one is."""
    return Change(Sign.CHANGED, tenant, "tenant", "default", "true", "false")


def _of_resources(tenant: TenantId, before: tuple[Resource, ...], after: tuple[Resource, ...]) -> Iterator[Change]:
    old, new = {one.identifier: one for one in before}, {one.identifier: one for one in after}
    for identifier, one in new.items():
        if identifier not in old:
            yield Change(Sign.ADDED, tenant, f"resource {identifier}")
            continue
        for key in ("scopes", "token_format", "client"):
            yield from _difference(tenant, f"resource {identifier}", key, getattr(old[identifier], key), getattr(one, key))
    for identifier in old.keys() - new.keys():
        yield Change(Sign.DROPPED, tenant, f"resource {identifier}")


def _of_settings(tenant: TenantId, before: Mapping[str, Mapping[str, object]], after: Mapping[str, Mapping[str, object]]) -> Iterator[Change]:
    for section in sorted(before.keys() | after.keys()):
        old, new = _typed(section, before.get(section, {})), _typed(section, after.get(section, {}))
        for key in sorted(old.keys() | new.keys()):
            yield from _difference(tenant, section, key_of(key), old.get(key), new.get(key))


def _typed(section: str, values: Mapping[str, object]) -> Mapping[str, object]:
    """Return settings as the module's own types, which say how they are written: a duration as "12h"."""
    kind = sections().get(section)
    if kind is None or not values:
        return values  # of a module that is gone
    made: object = msgspec.convert(values, kind)
    return {name: getattr(made, name) for name in values}


def _difference(tenant: TenantId, thing: str, key: str, before: object, after: object) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, tuple) and isinstance(after, tuple) and max(len(toml(before)), len(toml(after))) > _LONGEST_SHOWN:
        gone, came = tuple(one for one in before if one not in after), tuple(one for one in after if one not in before)
        if gone or came:
            key, before, after = f"{key}, what differs:", gone, came
    yield Change(Sign.CHANGED, tenant, thing, key, _shown(before), _shown(after))


def _shown(value: object) -> str:
    if value in (None, "", (), {}):
        return ""
    text = toml(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}... ({len(text):,} characters)"
