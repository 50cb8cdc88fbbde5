"""Tenants in the database, and where the web finds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

import pytest

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import TenantId
from limen.modules import tenants
from limen.modules.tenants import InvalidTenant, Resource, Tenant, TokenFormat
from limen.modules.tenants.api import Directory
from limen.platform.pages import Brand, FooterLink
from tests.conftest import World

pytestmark = pytest.mark.anyio

ORDERS = Resource(identifier="https://api.acme.example", scopes={"write": "Change your orders", "read": "Read your orders"}, token_format=TokenFormat.OPAQUE)


async def save(world: World, name: str, **fields: object) -> tuple[str, ...]:
    tenant = replace(tenants.plain(TenantId(name)), **fields)  # type: ignore[arg-type] # fields of a tenant
    async with world.db.work(tenant.name, SYSTEM) as work:
        return await tenants.save(work, tenant)


async def find(world: World, name: str) -> Tenant:
    async with world.db.read(TenantId(name)) as read:
        return await tenants.find(read)


async def test_a_tenant_comes_back_as_it_was_saved(world: World) -> None:
    """Every field survives the database, the order of scopes too; saving the same again is no change."""
    fields: Mapping[str, object] = {
        "default": True,
        "languages": ("de", "en"),
        "brand": Brand(name="Acme", accent="#aa0000", links=(FooterLink("Terms", "https://acme.example/terms"),)),
        "resources": (ORDERS,),
        "settings": {"sessions": {"idle": "PT12H"}},
    }
    assert await save(world, "acme", **fields)
    kept = await find(world, "acme")
    assert replace(kept, made=None) == replace(tenants.plain(TenantId("acme")), **fields)  # type: ignore[arg-type] # fields of a tenant
    assert list(kept.resources[0].scopes) == ["write", "read"]
    assert await save(world, "acme", **fields) == ()


async def test_a_change_is_seen_at_once_and_told(world: World) -> None:
    """The copy in memory goes with the commit; the fact names the field."""
    await save(world, "acme")
    await find(world, "acme")
    assert await save(world, "acme", languages=("en", "ar")) == ("languages",)
    assert (await find(world, "acme")).languages == ("en", "ar")


async def test_a_tenant_that_is_not_there_is_an_error(world: World) -> None:
    """`find` is asked for the tenant in hand, which has to be."""
    with pytest.raises(tenants.NoSuchTenant):
        await find(world, "nobody")
    assert await tenants.by_name(world.db, "nobody") is None


async def test_the_default_is_the_one_that_says_so_else_the_first_made(world: World) -> None:
    """SURFACE, section 3; the crown passes to whoever takes it last."""
    assert await tenants.default(world.db) is None
    await save(world, "zeta")
    world.advance(1)
    await save(world, "acme")
    assert (await tenants.default(world.db) or tenants.plain(TenantId("x"))).name == "zeta"
    await save(world, "acme", default=True)
    assert (await tenants.default(world.db) or tenants.plain(TenantId("x"))).name == "acme"
    await save(world, "zeta", default=True)
    assert (await tenants.default(world.db) or tenants.plain(TenantId("x"))).name == "zeta"
    assert not (await find(world, "acme")).default


async def test_a_domain_belongs_to_one_tenant(world: World) -> None:
    """A second one is refused with the field's name."""
    await save(world, "acme", domain="id.acme.example")
    with pytest.raises(InvalidTenant, match="domain"):
        await save(world, "beta", domain="id.acme.example")


WRONG = [
    (replace(tenants.plain(TenantId("acme")), domain="https://id.acme.example"), "domain"),
    (replace(tenants.plain(TenantId("acme")), domain="id.acme.example:443"), "domain"),
    (replace(tenants.plain(TenantId("acme")), domain="ID.acme.example"), "domain"),
    (replace(tenants.plain(TenantId("acme")), domain="b\u00fccher.example"), "domain"),
    (replace(tenants.plain(TenantId("acme")), domain="127.0.0.1"), "domain"),
    (replace(tenants.plain(TenantId("acme")), domain="acme"), "domain"),
    (replace(tenants.plain(TenantId("acme")), domain="id.acme.example", default=True), "domain"),
    (replace(tenants.plain(TenantId("acme")), languages=()), "languages"),
    (replace(tenants.plain(TenantId("acme")), languages=("en", "en")), "languages"),
    (replace(tenants.plain(TenantId("acme")), languages=("tlh",)), "languages"),
    (replace(tenants.plain(TenantId("acme")), resources=(replace(ORDERS, identifier="orders"),)), "resource.identifier"),
    (replace(tenants.plain(TenantId("acme")), resources=(replace(ORDERS, identifier="https://a.example/#x"),)), "resource.identifier"),
    (replace(tenants.plain(TenantId("acme")), resources=(replace(ORDERS, identifier="https://"),)), "resource.identifier"),
    (replace(tenants.plain(TenantId("acme")), resources=(replace(ORDERS, identifier="https://a b"),)), "resource.identifier"),
    (replace(tenants.plain(TenantId("acme")), resources=(ORDERS, ORDERS)), "resource.identifier"),
    (replace(tenants.plain(TenantId("acme")), resources=(ORDERS, replace(ORDERS, identifier="urn:x"))), "resource.scopes"),
    (replace(tenants.plain(TenantId("acme")), resources=(replace(ORDERS, scopes={"a b": "x"}),)), "resource.scopes"),
    (replace(tenants.plain(TenantId("acme")), resources=(replace(ORDERS, scopes={"openid": "x"}),)), "resource.scopes"),
    (replace(tenants.plain(TenantId("acme")), resources=(replace(ORDERS, scopes={"limen:x": "x"}),)), "resource.scopes"),
    (replace(tenants.plain(TenantId("acme")), resources=(replace(ORDERS, scopes={"read": " "}),)), "resource.scopes"),
    *((tenants.plain(TenantId(name)), "name") for name in ("Acme", "1acme", "a_b", "a" * 41, "a.b", "../x")),
]


@pytest.mark.parametrize(("wrong", "field"), WRONG)
async def test_what_cannot_be_is_refused_with_its_field(wrong: Tenant, field: str) -> None:
    """The flaw names the field."""
    assert field in {flaw.field for flaw in tenants.flaws(wrong)}


async def test_a_tenant_with_a_flaw_is_not_saved(world: World) -> None:
    """Nothing is written, nor is a tenant that is not the one in hand."""
    for wrong in (replace(tenants.plain(world.tenant), languages=()), tenants.plain(TenantId("other"))):
        with pytest.raises(InvalidTenant):
            async with world.work() as work:
                await tenants.save(work, wrong)
    assert await tenants.all_names(world.db) == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Settings some module might have."""

    section: ClassVar[str] = "limits"
    idle: timedelta = timedelta(hours=24)
    most: int = 5


async def test_settings_are_read_as_the_modules_own_dataclass(world: World) -> None:
    """What is not set has the module's default; what the module no longer understands is an error that says so."""
    await save(world, "acme", settings={"limits": {"idle": "PT12H"}, "broken": {"most": "many"}})
    async with world.read() as read:
        assert await tenants.settings(read, "limits", Limits) == Limits(idle=timedelta(hours=12))
        assert await tenants.settings(read, "else", Limits) == Limits()
        with pytest.raises(tenants.UnusableSettings) as refused:
            await tenants.settings(read, "broken", Limits)
    assert "[tenant.broken] of acme" in refused.value.operator


async def test_scopes_belong_to_resources(world: World) -> None:
    """Its own, or the built-in one under the issuer; those about the person to none."""
    await save(world, "acme", resources=(ORDERS,))
    acme = await find(world, "acme")
    issuer = "https://id.example"
    assert acme.owner_of("read", issuer) == ORDERS
    built_in = acme.owner_of("limen:accounts:read", issuer)
    assert built_in is not None
    assert built_in.identifier == "https://id.example/api/v1"
    assert len(built_in.scopes) == 16
    assert acme.owner_of("openid", issuer) is None
    assert acme.owner_of("limen:nothing:read", issuer) is None


async def test_a_thousand_tenants_are_gone_through_page_by_page(world: World) -> None:
    """Nobody loads them all; each is found by its name."""
    names = [f"t{number:04}" for number in range(200)]
    for name in names:
        await save(world, name)
    listed: list[str] = []
    while page := await tenants.all_names(world.db, listed[-1] if listed else "", 64):
        listed += page
    assert listed == names


BASE = "https://id.example"


async def house(world: World) -> Directory:
    await save(world, "first")
    world.advance(1)
    await save(world, "beta")
    await save(world, "own", domain="id.own.example")
    return Directory(BASE, world.db, dev=False)


LIVING = [
    ("id.example", "/signin", "first", "https://id.example", ""),
    ("id.example", "/", "first", "https://id.example", ""),
    ("id.example", "/t", "first", "https://id.example", ""),
    ("id.example", "/t/beta", "beta", "https://id.example/t/beta", "/t/beta"),
    ("id.example", "/t/beta/signin", "beta", "https://id.example/t/beta", "/t/beta"),
    ("id.own.example", "/signin", "own", "https://id.own.example", ""),
]
EMPTY = [
    ("evil.example", "/"),
    ("id.example:444", "/"),
    ("id.own.example:444", "/"),
    ("", "/"),
    ("id.example", "/t/"),
    ("id.example", "/t/nobody/signin"),
    ("id.example", "/t/first/signin"),
    ("id.example", "/t/own/signin"),
    ("id.example", "/t/BETA/signin"),
    ("id.own.example", "/t/beta/signin"),
]


async def test_an_address_leads_to_one_tenant_or_to_nobody(world: World) -> None:
    """Base URL, path or own domain. A tenant has one issuer: the default one has no path, one with a domain is not under the base URL."""
    directory = await house(world)
    for host, path, tenant, issuer, prefix in LIVING:
        site = await directory.find(host, path)
        assert site is not None, path
        assert (site.tenant, site.issuer, site.prefix, site.host, site.dev) == (tenant, issuer, prefix, host, False)
    for host, path in EMPTY:
        assert await directory.find(host, path) is None, (host, path)


async def test_dev_mode_keeps_the_port(world: World) -> None:
    """A domain is a name; scheme and port are those of the base URL."""
    await save(world, "own", domain="own.localhost")
    await save(world, "acme", default=True)
    directory = Directory("http://localhost:8400", world.db, dev=True)
    site = await directory.find("own.localhost:8400", "/signin")
    assert site is not None
    assert site.issuer == "http://own.localhost:8400"
    assert await directory.find("own.localhost", "/signin") is None
    first = await directory.find("localhost:8400", "/signin")
    assert first is not None
    assert (first.tenant, first.issuer) == ("acme", "http://localhost:8400")


async def test_a_new_default_moves_at_once(world: World) -> None:
    """The directory asks the database, so that no process goes on under the old issuer."""
    directory = await house(world)
    await save(world, "beta", default=True)
    site = await directory.find("id.example", "/signin")
    assert site is not None
    assert site.tenant == "beta"
    old = await directory.find("id.example", "/t/first/signin")
    assert old is not None
    assert old.issuer == "https://id.example/t/first"
