"""Reads a tenant file into what it asks for. Nothing is compared with a database here."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from limen.app import discover
from limen.app.reading import Source, Step, Wrong, key_of, nearest, read_file, record, referenced
from limen.kernel.ids import ClientId, TenantId
from limen.kernel.secrets import Secret
from limen.modules import clients, tenants
from limen.modules.clients import AuthMethod, Client, ClientKind, ConsentRule, GrantType
from limen.modules.tenants import Flaw, Resource, Tenant, TokenFormat
from limen.platform.pages import Brand
from limen.platform.wire.jose import Alg

UNCHANGED: Final = "unchanged"
"""What an export writes in place of a secret."""

_KEYS: Final = ("name", "default", "domain", "languages", "brand", "resource", "client")
_LOGOS: Final = {".svg": "svg+xml", ".png": "png", ".webp": "webp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantTable:
    """`[[tenant]]`: one organisation's customers, apps and looks. A key that is left out keeps what the database has."""

    name: str
    """Up to 40 of a-z, 0-9 and -, beginning with a letter; it never changes."""
    default: bool = False
    """Whether it stands at the base URL; without any, the tenant made first does. The others stand under `/t/<name>`."""
    domain: str | None = None
    """A host name of its own, in ASCII and lower case, in place of `/t/<name>`; scheme and port are those of `base_url`."""
    languages: tuple[str, ...] = ("en",)
    """What its pages and messages speak; the first where a visitor reads none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceTable:
    """`[[tenant.resource]]`: an API that takes access tokens. At most 100 to a tenant."""

    identifier: str
    """Its audience: an absolute URI without a fragment (RFC 8707, section 2), at most 255 characters."""
    scopes: dict[str, str] = field(default_factory=dict)
    """Each scope with the words the consent page shows, at most 200 characters; a scope belongs to one resource of the tenant."""
    token_format: TokenFormat = TokenFormat.JWT
    """`jwt` (RFC 9068), which it checks itself, or `opaque`, which it asks about (RFC 7662)."""
    client: str | None = None
    """A client of kind service that may introspect its tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTable(clients.Metadata):
    """`[[tenant.client]]`: an application; what is left out is as for a new client."""

    id: str
    """Its client_id: up to 100 of letters, digits, `.`, `_`, `~` and `-`."""
    kind: ClientKind
    """Where it runs: `web` and `service` keep a secret, `spa` and `native` cannot."""
    name: str = ""
    """What people are told it is called, at most 100 characters; empty: its id."""
    secret: str | None = None
    """`env:NAME` or `file:PATH` with 32 to 256 printable ASCII characters, read when the file is applied (dev mode takes any text); `unchanged` keeps it."""
    auth_method: AuthMethod | None = None
    """How it shows its secret; left out: in either way."""
    redirect_uris: tuple[str, ...] = ()
    """Where the browser comes back to, compared letter by letter; https, for native apps also loopback (any port) and reverse-domain schemes. At most 50."""
    post_logout_redirect_uris: tuple[str, ...] = ()
    """Where the browser may go after sign-out, likewise."""
    grants: tuple[GrantType, ...] = ()
    """What it may use; left out: `authorization_code`, for a service `client_credentials`. `refresh_token` goes with `authorization_code`."""
    scopes: tuple[str, ...] = ()
    """What it may ask for: `openid`, `profile`, `email`, `address`, `phone`, `offline_access`, those of the tenant's resources, and `limen:` scopes."""
    pkce_required: bool = True
    """Whether a code needs PKCE with S256; only a client with a secret may do without."""
    consent: ConsentRule = ConsentRule.ASK
    """Whether people are asked before it gets what it wants; `none` is for an app of the operator's own, and `prompt=consent` asks all the same."""
    id_token_signed_response_alg: Alg | None = None
    """What its ID tokens are signed with, one of the tenant's `algorithms`; left out: the first of them."""
    client_uri: str | None = None
    """Its home page, as the API tells it."""
    policy_uri: str | None = None
    """Its privacy notice, linked where people are asked."""
    tos_uri: str | None = None
    """Its terms, likewise."""
    contacts: tuple[str, ...] = ()
    """Whom to ask about it, as the API tells it."""


_MORE: Final = tuple(one.name for one in fields(clients.Metadata))
CLIENT_KEYS: Final = (*(one.name for one in fields(ClientTable) if one.name not in {"id", "secret", *_MORE}), *_MORE)
"""What a file says of a client beside its name and its secret; the record has fields of the same names."""


@dataclass(frozen=True, slots=True)
class WantedClient:
    """A client as the file has it. `secret` None: it keeps what it has, which a public one has not."""

    client: Client
    secret: Secret[str] | None
    way: tuple[Step, ...]

    def over(self, before: Client | None, now: datetime) -> Client:
        """Return the client as it is to be: with the secrets it has, and the file's as the current one where it gives one."""
        kept = before.secrets if before and not self.client.public else ()
        held = replace(self.client, secrets=kept, sealed_secret=before.sealed_secret if before else None) if kept else self.client
        return clients.with_secret(held, self.secret, now) if self.secret else held


@dataclass(frozen=True, slots=True)
class WantedTenant:
    """A tenant as the file has it; `given` are the keys that stand there, the others are left as they are."""

    tenant: Tenant
    given: frozenset[str]
    clients: tuple[WantedClient, ...]
    way: tuple[Step, ...]

    def over(self, before: Tenant | None, *, prune: bool) -> Tenant:
        """Return the tenant as it is to be: what the file has over what is there, and with `prune` nothing else."""
        mine = self.tenant
        if before is None or prune:
            return mine
        kept = {name: getattr(before, name) for name in ("default", "domain", "languages", "brand") if name not in self.given}
        replaced = {one.identifier: one for one in mine.resources}
        resources = [replaced.pop(one.identifier, one) for one in before.resources]
        return replace(mine, **kept, resources=(*resources, *replaced.values()), settings={**before.settings, **mine.settings})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A whole file. Mistakes found later, in company of what the database has, are noted at `source` too."""

    tenants: tuple[WantedTenant, ...]
    source: Source


@cache
def sections() -> dict[str, type]:
    """Return the settings a tenant can have: `[tenant.<name>]` to the dataclass of the module or extension."""
    found: dict[str, type] = {}
    for package, kind in discover.gathered(("settings",), "Tenant", type):
        name = getattr(kind, "section", discover.short_name(package))
        if name in _KEYS or found.setdefault(name, kind) is not kind:
            message = f"{package}: [tenant.{name}] is taken"
            raise TypeError(message)
    return found


def read(file: Path, environ: Mapping[str, str], *, base_url: str, dev: bool) -> Wanted:
    """Read a file strictly; `Misconfigured` has every mistake that shows without a database."""
    source = read_file(file, environ, makes="Write one, or begin with what `limen export` prints")
    for key in source.tables.keys() - {"tenant"}:
        source.wrong((key,), "unknown key", "A tenant file has [[tenant]] tables only")
    listed = source.tables.get("tenant", [])
    if not isinstance(listed, list):
        source.wrong(("tenant",), "must be an array of tables", "Write [[tenant]], with two brackets")
        listed = []
    found = [_tenant(source, ("tenant", number), table, dev=dev) for number, table in enumerate(listed)]
    wanted = tuple(one for one in found if one is not None)
    _check_together(source, wanted, base_url)
    source.finish()
    return Wanted(wanted, source)


def _check_together(source: Source, wanted: tuple[WantedTenant, ...], base_url: str) -> None:
    """Find what no two tenants may both have, and no tenant beside the base URL."""
    names: set[str] = set()
    domains = {urlsplit(base_url).hostname or ""}
    default: TenantId | None = None
    for one in wanted:
        tenant = one.tenant
        if tenant.name in names:
            source.wrong((*one.way, "name"), f"`{tenant.name}` stands there twice", "Write all of a tenant under one [[tenant]]")
        if tenant.domain in domains:
            source.wrong((*one.way, "domain"), f"`{tenant.domain}` is taken", "Each tenant has a domain of its own, and none that of base_url")
        if tenant.default and default:
            source.wrong((*one.way, "default"), f"`{default}` is the default already", "Only one can stand at the base URL")
        names.add(tenant.name)
        domains |= {tenant.domain} if tenant.domain else set()
        default = tenant.name if tenant.default else default


def _tenant(source: Source, way: tuple[Step, ...], table: object, *, dev: bool) -> WantedTenant | None:
    if not isinstance(table, dict):
        source.wrong(way, "must be a table", "Write [[tenant]] on a line of its own")
        return None
    modules = sections()
    for key in table.keys() - {*_KEYS, *modules}:
        source.wrong((*way, key), "unknown key", nearest(key, [*_KEYS, *modules]))
    own = record(TenantTable, source, way, {key: table[key] for key in ("name", "default", "domain", "languages") if key in table})
    if own is None:
        return None
    plain = tenants.plain(TenantId(own.name))
    tenant = Tenant(
        name=plain.name,
        default=own.default,
        domain=own.domain,
        languages=own.languages,
        brand=_brand(source, (*way, "brand"), table.get("brand"), plain.brand),
        resources=tuple(_resources(source, way, table)),
        settings={name: kept for name, kind in modules.items() if name in table and (kept := _settings(source, (*way, name), kind, table[name])) is not None},
    )
    for flaw in tenants.flaws(tenant):
        note(source, way, flaw)
    return WantedTenant(tenant, frozenset(table), tuple(_clients(source, way, table, dev=dev)), way)


def note(source: Source, way: tuple[Step, ...], flaw: Flaw) -> None:
    """Note a flaw of a record at the place in the file it comes from."""
    source.wrong((*way, *flaw.field.split(".")), flaw.reason, flaw.suggestion)


def _tables(source: Source, way: tuple[Step, ...], table: Mapping[str, object], key: str) -> Iterator[tuple[tuple[Step, ...], Mapping[str, object]]]:
    listed = table.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        source.wrong((*way, key), "must be an array of tables", f"Write [[tenant.{key}]], with two brackets")
        return
    for number, one in enumerate(listed):
        yield (*way, key, number), one


def _brand(source: Source, way: tuple[Step, ...], table: object, plain: Brand) -> Brand:
    if table is None:
        return plain
    if not isinstance(table, dict):
        source.wrong(way, "must be a table", "Write [tenant.brand] on a line of its own")
        return plain
    values = {"name": plain.name, **table}
    if isinstance(logo := values.get("logo"), str) and logo.startswith("file:"):
        try:
            values["logo"] = _image(source, logo.removeprefix("file:"))
        except Wrong as wrong:
            source.wrong((*way, "logo"), wrong.reason, wrong.suggestion)
            return plain
    return record(Brand, source, way, values) or plain


def _image(source: Source, name: str) -> str:
    """Return a picture beside the file as a `data:` address."""
    path = source.folder / name
    kind = _LOGOS.get(path.suffix)
    if kind is None:
        raise Wrong(f"`{name[:60]}` is no picture known here", "There are .svg, .png and .webp")
    try:
        return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
    except OSError:
        raise Wrong(f"`{name[:60]}` cannot be read", "It is looked for beside this file") from None


def _resources(source: Source, way: tuple[Step, ...], table: Mapping[str, object]) -> Iterator[Resource]:
    for place, values in _tables(source, way, table, "resource"):
        if one := record(ResourceTable, source, place, values):
            client = ClientId(one.client) if one.client else None
            yield Resource(identifier=one.identifier, scopes=one.scopes, token_format=one.token_format, client=client)


def _settings(source: Source, way: tuple[Step, ...], kind: type, table: object) -> Mapping[str, object] | None:
    """Return what the file sets, checked by the module's own dataclass; its defaults are not kept, so that better ones can come."""
    if not isinstance(table, dict):
        source.wrong(way, "must be a table", f"Write [tenant.{way[-1]}] on a line of its own")
        return None
    made = record(kind, source, way, table)
    if made is None:
        return None
    every = msgspec.to_builtins(made)
    return {name: value for name, value in every.items() if key_of(name) in table}


def _clients(source: Source, way: tuple[Step, ...], table: Mapping[str, object], *, dev: bool) -> Iterator[WantedClient]:
    seen: set[str] = set()
    for place, values in _tables(source, way, table, "client"):
        one = record(ClientTable, source, place, values)
        if one is None:
            continue
        if one.id in seen:
            source.wrong((*place, "id"), f"`{one.id[:60]}` stands there twice")
        seen.add(one.id)
        yield WantedClient(_client(one), _secret(source, place, one.secret, dev=dev), place)


def _client(one: ClientTable) -> Client:
    return clients.completed(Client(id=ClientId(one.id), **{name: getattr(one, name) for name in CLIENT_KEYS}))


def _secret(source: Source, way: tuple[Step, ...], text: str | None, *, dev: bool) -> Secret[str] | None:
    if text in (None, UNCHANGED):
        return None
    if not dev and not text.startswith(("env:", "file:")):
        source.wrong((*way, "secret"), "a secret does not stand in a file", 'Write secret = "env:NAME"; only dev mode takes it literally')
        return None
    try:
        secret = Secret(referenced(text, source))
    except Wrong as wrong:
        source.wrong((*way, "secret"), wrong.reason, wrong.suggestion)
        return None
    if flaw := clients.secret_flaw(secret, dev=dev):
        note(source, way, flaw)
        return None
    return secret
