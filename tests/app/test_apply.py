"""Tenant files: applied, compared, exported, refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limen.app.apply import apply
from limen.app.difference import Diff
from limen.app.export import export
from limen.app.reading import Misconfigured, read_text
from limen.app.settings import Mode, ServerSettings
from limen.app.writing import toml
from limen.kernel.ids import ClientId, TenantId
from limen.modules import clients, tenants
from limen.modules.sessions.settings import Tenant as SessionLimits
from limen.platform.commands import Console
from limen.platform.sql import Database, DatabaseFull, Work
from limen.platform.sql.sqlite import Sqlite
from limen.platform.wire.jose import Alg
from tests.conftest import World

pytestmark = pytest.mark.anyio

DEV = ServerSettings(mode=Mode.DEV)
PUBLIC = ServerSettings(base_url="https://id.example.com")
ENVIRON: Mapping[str, str] = MappingProxyType({"SHOP_SECRET": "s" * 32, "SVC_SECRET": "t" * 40})

ACME = """
[[tenant]]
name = "acme"
default = true
languages = ["en", "de", "ar"]
[tenant.brand]
name = "Acme"
accent = "#aa0000"
[tenant.sessions]
idle = "12h"
[[tenant.resource]]
identifier = "https://api.acme.example"
scopes = { read = "Read your orders", write = "Change your orders" }
token_format = "jwt"
[[tenant.client]]
id = "shop"
kind = "web"
secret = "env:SHOP_SECRET"
redirect_uris = ["https://shop.example/callback"]
post_logout_redirect_uris = ["https://shop.example/bye"]
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "offline_access"]
[[tenant.client]]
id = "svc"
kind = "service"
secret = "env:SVC_SECRET"
grants = ["client_credentials"]
scopes = ["read", "limen:accounts:read"]
[[tenant.client]]
id = "phone"
kind = "native"
name = "Acme for your phone"
redirect_uris = ["com.acme.phone:/callback", "http://127.0.0.1/callback"]
"""


async def bring(
    db: Database,
    folder: Path,
    text: str,
    environ: Mapping[str, str] = ENVIRON,
    *,
    server: ServerSettings = PUBLIC,
    dry_run: bool = False,
    prune: bool = False,
) -> Diff:
    file = folder / "acme.toml"
    file.write_text(text)
    return await apply(db, file, server, environ, dry_run=dry_run, prune=prune)


def lines(diff: Diff) -> list[str]:
    return [str(one) for one in diff.changes]


async def exported(db: Database, *names: str) -> str:
    return "".join([part async for part in export(db, names)])


async def client(world: World, name: str) -> clients.Client | None:
    async with world.read() as read:
        return await clients.find(read, ClientId(name))


async def test_the_file_of_the_manual_is_applied(world: World, tmp_path: Path) -> None:
    """Tenant, brand, settings, resource and clients stand in the database, and the difference says so."""
    diff = await bring(world.db, tmp_path, ACME)
    assert lines(diff) == [
        "+ acme tenant",
        "+ acme resource https://api.acme.example",
        '~ acme sessions: idle (nothing) -> "12h"',
        "+ acme client shop",
        "+ acme client svc",
        "+ acme client phone",
    ]
    async with world.read() as read:
        acme = await tenants.find(read)
        assert (acme.display, acme.default, acme.languages, acme.brand.accent) == ("Acme", True, ("en", "de", "ar"), "#aa0000")
        assert await tenants.settings(read, "sessions", SessionLimits) == SessionLimits(idle=timedelta(hours=12))
    shop = await client(world, "shop")
    assert shop is not None
    assert clients.check_secret(shop, "s" * 32, world.clock.now())
    phone = await client(world, "phone")
    assert phone is not None
    assert (phone.public, phone.grants) == (True, (clients.GrantType.AUTHORIZATION_CODE,))


async def test_applying_again_changes_nothing(world: World, tmp_path: Path) -> None:
    """Idempotent: no difference, no fact, the same versions, and a day later still."""
    await bring(world.db, tmp_path, ACME)
    before = await client(world, "shop")
    world.advance(90_000)
    again = await bring(world.db, tmp_path, ACME, prune=True)
    assert not again
    assert await client(world, "shop") == before
    out = StringIO()
    again.show(Console(out))
    assert out.getvalue() == "Nothing to change.\n"


async def test_a_dry_run_tells_and_does_nothing(world: World, tmp_path: Path) -> None:
    """The same difference as the real thing, which is still to be done."""
    dry = await bring(world.db, tmp_path, ACME, dry_run=True)
    assert await tenants.all_names(world.db) == []
    assert lines(await bring(world.db, tmp_path, ACME)) == lines(dry)


async def test_every_change_is_told_by_key(world: World, tmp_path: Path) -> None:
    """Before and after stand there, except for a secret."""
    await bring(world.db, tmp_path, ACME)
    changed = ACME.replace("12h", "13h").replace("Read your", "See your").replace('"email", ', "").replace("#aa0000", "#00aa00")
    diff = await bring(world.db, tmp_path, changed, {**ENVIRON, "SVC_SECRET": "u" * 40})
    assert [(one.thing, one.key) for one in diff.changes] == [
        ("brand", "accent"),
        ("resource https://api.acme.example", "scopes"),
        ("sessions", "idle"),
        ("client shop", "scopes"),
        ("client svc", "secret"),
    ]
    out = StringIO()
    diff.show(Console(out))
    assert '~ acme client shop: scopes ["openid", "profile", "email", "offline_access"] -> ["openid", "profile", "offline_access"]' in out.getvalue()
    assert '~ acme sessions: idle "12h" -> "13h"' in out.getvalue()
    assert "uuu" not in out.getvalue()
    service = await client(world, "svc")
    assert service is not None
    now = world.clock.now()
    assert [clients.check_secret(service, one * 40, at) for one, at in (("u", now), ("t", now), ("t", now + timedelta(days=2)))] == [True, True, False]


async def test_a_resource_may_name_the_client_that_introspects_its_tokens(world: World, tmp_path: Path) -> None:
    """One of the file or one that stays; a client of another kind, or one that goes, is refused."""
    named = ACME.replace('token_format = "jwt"', 'token_format = "opaque"\nclient = "svc"')
    await bring(world.db, tmp_path, named)
    only = '[[tenant]]\nname = "acme"\n[[tenant.resource]]\nidentifier = "https://api.acme.example"\nclient = "svc"\nscopes = { read = "x" }\n'
    await bring(world.db, tmp_path, only)
    assert not await bring(world.db, tmp_path, await exported(world.db), prune=True)
    for wrong in (only.replace("svc", "shop"), named.replace('client = "svc"', 'client = "phone"')):
        with pytest.raises(Misconfigured, match="no client of kind service"):
            await bring(world.db, tmp_path, wrong)
    with pytest.raises(Misconfigured, match="no client of kind service"):
        await bring(world.db, tmp_path, only, prune=True)


TEAM = """
[[tenant]]
name = "acme"
[[tenant.client]]
id = "team"
kind = "spa"
redirect_uris = ["https://team.example/"]
"""


async def test_what_a_file_does_not_mention_stays(world: World, tmp_path: Path) -> None:
    """A second file with one more client leaves brand, languages, resources and the other clients alone."""
    await bring(world.db, tmp_path, ACME)
    before = await tenants.by_name(world.db, "acme")
    assert lines(await bring(world.db, tmp_path, TEAM)) == ["+ acme client team"]
    assert await tenants.by_name(world.db, "acme") == before
    assert await client(world, "shop")


async def test_prune_leaves_what_the_file_says_and_nothing_else(world: World, tmp_path: Path) -> None:
    """Clients, resources and settings go, and are told one by one; another tenant is never touched."""
    await bring(world.db, tmp_path, ACME.replace("acme", "beta").replace("default = true", ""))
    await bring(world.db, tmp_path, ACME)
    diff = await bring(world.db, tmp_path, TEAM, prune=True)
    assert "- acme resource https://api.acme.example" in lines(diff)
    assert [one.thing for one in diff.changes if one.sign.value == "-"] == [
        "resource https://api.acme.example",
        *("client phone", "client shop", "client svc"),
    ]
    assert {(one.thing, one.key) for one in diff.changes if one.key} == {
        ("tenant", "default"),
        ("tenant", "languages"),
        ("brand", "accent"),
        ("sessions", "idle"),
    }
    assert await client(world, "shop") is None
    assert not await bring(world.db, tmp_path, TEAM, prune=True)
    assert await tenants.all_names(world.db) == ["acme", "beta"]


async def test_what_registered_by_itself_is_no_configuration(world: World, tmp_path: Path) -> None:
    """An export leaves it out, and neither `apply` nor `prune` touches it."""
    await bring(world.db, tmp_path, ACME)
    async with world.work() as work:
        said = clients.read_metadata({"redirect_uris": ["https://new.example/callback"]})
        proposal = await clients.propose(work, said, dev=False)
        await clients.register(work, proposal)
    text = await exported(world.db)
    assert proposal.client.id not in text
    assert not await bring(world.db, tmp_path, text, {}, prune=True)
    assert await client(world, proposal.client.id)


async def test_the_policy_of_registrations_is_set_by_file(world: World, tmp_path: Path) -> None:
    """What would give away Limen's own API, or cannot be meant, is refused with its line."""
    file = ACME.replace("[tenant.sessions]", '[tenant.registration]\nopen = "token"\nhosts = [".example.com"]\nscopes = ["openid", "read"]\n[tenant.sessions]')
    await bring(world.db, tmp_path, file)
    assert not await bring(world.db, tmp_path, await exported(world.db), prune=True)
    for right, wrong in (('"read"]\n[tenant.s', '"limen:audit:read"]\n[tenant.s'), (".example.com", "*.example.com"), ('"token"', '"everybody"')):
        with pytest.raises(Misconfigured, match=r"line \d+: \[tenant.registration\]|\[tenant.registration\]"):
            await bring(world.db, tmp_path, file.replace(right, wrong))


async def test_an_export_applied_again_is_an_empty_difference(world: World, tmp_path: Path) -> None:
    """It holds everything but secrets, and needs none."""
    await bring(world.db, tmp_path, ACME)
    text = await exported(world.db)
    assert text.count('secret = "unchanged"') == 2
    assert "sss" not in text
    assert not await bring(world.db, tmp_path, text, {}, prune=True)
    shop = await client(world, "shop")
    assert shop is not None
    assert clients.check_secret(shop, "s" * 32, world.clock.now())
    assert await exported(world.db, "acme") == text
    with pytest.raises(tenants.NoSuchTenant):
        await exported(world.db, "nobody")


async def test_an_export_elsewhere_asks_for_its_secrets(world: World, tmp_path: Path) -> None:
    """`unchanged` says nothing to a database without the client, and nothing is written."""
    await bring(world.db, tmp_path, ACME)
    text = (await exported(world.db)).replace('name = "acme"', 'name = "copy"').replace("default = true\n", "")
    with pytest.raises(Misconfigured, match="needs one") as refused:
        await bring(world.db, tmp_path, text, {})
    assert {one.key for one in refused.value.mistakes} == {"[[tenant.client]] #2 secret", "[[tenant.client]] #3 secret"}
    assert await tenants.by_name(world.db, "copy") is None


async def test_secrets_in_the_file_are_for_dev_mode(world: World, tmp_path: Path) -> None:
    """A literal of any length there; in production not at all, and a reference of 32 characters at least."""
    literal = ACME.replace("env:SHOP_SECRET", "shop")
    with pytest.raises(Misconfigured, match="does not stand in a file"):
        await bring(world.db, tmp_path, literal)
    await bring(world.db, tmp_path, literal, server=DEV)
    shop = await client(world, "shop")
    assert shop is not None
    assert clients.check_secret(shop, "shop", world.clock.now())
    with pytest.raises(Misconfigured, match="has 31 characters") as refused:
        await bring(world.db, tmp_path, ACME, {**ENVIRON, "SHOP_SECRET": "z" * 31})
    assert "zzz" not in refused.value.public
    with pytest.raises(Misconfigured, match="there is no variable SVC_SECRET"):
        await bring(world.db, tmp_path, ACME, {"SHOP_SECRET": "s" * 32})


async def test_the_default_passes_from_one_tenant_to_another(world: World, tmp_path: Path) -> None:
    """The file that has it wins; the other tenant's own file may take it back."""
    await bring(world.db, tmp_path, ACME)
    await bring(world.db, tmp_path, '[[tenant]]\nname = "beta"\ndefault = true\n')
    first = await tenants.default(world.db)
    assert first is not None
    assert first.name == "beta"
    assert lines(await bring(world.db, tmp_path, ACME)) == ["~ acme tenant: default false -> true", "~ beta tenant: default true -> false"]


async def test_a_logo_is_taken_from_a_file_beside(world: World, tmp_path: Path) -> None:
    """It becomes a data: address, which an export has too."""
    (tmp_path / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    text = '[[tenant]]\nname = "acme"\n[tenant.brand]\nlogo = "file:logo.svg"\n'
    await bring(world.db, tmp_path, text)
    acme = await tenants.by_name(world.db, "acme")
    assert acme is not None
    assert (acme.brand.logo or "").startswith("data:image/svg+xml;base64,")
    assert not await bring(world.db, tmp_path, await exported(world.db), prune=True)


async def test_hundreds_of_clients_come_in_bounded_pieces(world: World, tmp_path: Path) -> None:
    """No Work holds the writer for long; prune takes them away likewise."""
    many = "".join(f'[[tenant.client]]\nid = "c{number:03}"\nkind = "spa"\nredirect_uris = ["https://c{number}.example/"]\n' for number in range(120))
    await bring(world.db, tmp_path, f'[[tenant]]\nname = "acme"\n{many}')
    assert not await bring(world.db, tmp_path, await exported(world.db), prune=True)
    assert len((await bring(world.db, tmp_path, '[[tenant]]\nname = "acme"\n', prune=True)).changes) == 120


async def test_of_long_lists_only_what_differs_is_told(world: World, tmp_path: Path) -> None:
    """One address among fifty can be seen; a list that is merely in another order is told as one; a logo by its beginning and its length."""
    many = [f"https://app{number}.example/callback" for number in range(50)]
    file = '[[tenant]]\nname = "acme"\n[tenant.brand]\nlogo = "{logo}"\n[[tenant.client]]\nid = "spa"\nkind = "spa"\nredirect_uris = {uris}\n'
    logo = "data:image/svg+xml,%3Csvg%20xmlns%3D%22http://www.w3.org/2000/svg%22%3E%3Cpath%20d%3D%22M0%200h9v9H0z%22/%3E%3C/svg%3E{}"
    await bring(world.db, tmp_path, file.format(logo=logo.format(""), uris=toml(many)))
    diff = await bring(world.db, tmp_path, file.format(logo=logo.format("%20"), uris=toml([*many[:30], "https://new.example/", *many[31:]])))
    brand, uris = lines(diff)
    assert uris == '~ acme client spa: redirect_uris, what differs: ["https://app30.example/callback"] -> ["https://new.example/"]'
    assert re.fullmatch(r'~ acme brand: logo "data:image.*\.\.\. \(120 characters\) -> "data:.*\.\.\. \(123 characters\)', brand), brand
    (turned,) = lines(await bring(world.db, tmp_path, file.format(logo=logo.format("%20"), uris=toml(["https://new.example/", *many[:30], *many[31:]]))))
    assert turned.startswith('~ acme client spa: redirect_uris ["https://app0.')


def domains(*pairs: tuple[str, str]) -> str:
    return "".join(f'[[tenant]]\nname = "{name}"\n' + (f'domain = "{domain}"\n' if domain else "") for name, domain in pairs)


async def test_a_domain_of_another_tenant_is_refused_before_anything_is_written(world: World, tmp_path: Path) -> None:
    """Whether the file says nothing of its holder, keeps it there, or has the two swap: the good tenant of the file is not made either."""
    await bring(world.db, tmp_path, domains(("one", "one.example"), ("two", "two.example")))
    for pairs in (
        [("good", ""), ("three", "one.example")],
        [("good", ""), ("two", "one.example")],
        [("good", ""), ("two", "one.example"), ("one", "two.example")],
    ):
        with pytest.raises(Misconfigured, match=r"domain: `\w+.example` belongs to the tenant \w+. Give that one another domain first"):
            await bring(world.db, tmp_path, domains(*pairs))
        assert await tenants.by_name(world.db, "good") is None
        assert [await tenants.by_domain(world.db, f"{name}.example") is not None for name in ("one", "two")] == [True, True]


async def test_a_domain_is_handed_on(world: World, tmp_path: Path) -> None:
    """One tenant gives it up and another takes it, a new one or one that is there, in one file."""
    await bring(world.db, tmp_path, domains(("one", "one.example"), ("two", "two.example")))
    await bring(world.db, tmp_path, domains(("new", "one.example"), ("one", "other.example")))
    await bring(world.db, tmp_path, domains(("new", "newer.example"), ("two", "one.example"), ("last", "two.example")))
    held = [await tenants.by_domain(world.db, f"{name}.example") for name in ("one", "two", "other", "newer")]
    assert [one.name for one in held if one] == ["two", "last", "one", "new"]


async def test_many_tenants_are_written_several_at_a_time(world: World, tmp_path: Path) -> None:
    """The first of the file is the default all the same, and how far it is can be told; on SQLite many share a commit, and one wait for the disk."""
    names = [f"t{number:03}" for number in reversed(range(100))]
    client_of = '[[tenant.client]]\nid = "spa"\nkind = "spa"\nredirect_uris = ["https://spa.example/"]\n'
    file = tmp_path / "many.toml"
    file.write_text("".join(f'[[tenant]]\nname = "{name}"\n{client_of}' for name in names))
    before = world.db.writer.commits if isinstance(world.db, Sqlite) else 0
    told: list[str] = []
    diff = await apply(world.db, file, PUBLIC, {}, told=told.append)
    assert lines(diff) == [line for name in names for line in (f"+ {name} tenant", f"+ {name} client spa")]
    first = await tenants.default(world.db)
    assert first is not None
    assert first.name == "t099"
    assert told[0] == "reading"
    assert told[-1] == "100 of 100 tenants written"
    assert sorted(await tenants.all_names(world.db)) == sorted(names)
    if isinstance(world.db, Sqlite):
        assert world.db.writer.commits - before <= 20


async def test_one_that_cannot_be_written_ends_it(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the database is told as it is, once nothing is under way any more; applied again, what lacks is made."""
    save = tenants.save

    async def failing(work: Work, tenant: tenants.Tenant) -> tuple[str, ...]:
        if tenant.name == "t5":
            raise DatabaseFull("no space")
        return await save(work, tenant)

    monkeypatch.setattr(tenants, "save", failing)
    text = domains(*((f"t{number}", "") for number in range(30)))
    with pytest.raises(DatabaseFull):
        await bring(world.db, tmp_path, text)
    assert "t5" not in await tenants.all_names(world.db)
    monkeypatch.undo()
    diff = await bring(world.db, tmp_path, text)
    assert "+ t5 tenant" in lines(diff)
    assert "+ t1 tenant" not in lines(diff)
    assert len(await tenants.all_names(world.db)) == 30


MISTAKES = [
    ('[[tenant]]\nname = "acme"\nlangauges = ["en"]\n', ("acme.toml line 3", "langauges: unknown key", "`languages`")),
    ('[tenant]\nname = "acme"\n', ("tenant", "[[tenant]]")),
    ('[[tenants]]\nname = "acme"\n', ("tenants: unknown key", "[[tenant]]")),
    ("[[tenant]]\ndefault = true\n", ("[[tenant]] #1 name: is missing",)),
    ('[[tenant]]\nname = "Acme"\n', ("line 2", "no tenant's name", "a-z")),
    ('[[tenant]]\nname = "acme"\n[[tenant]]\nname = "acme"\n', ("[[tenant]] #2 name", "line 4", "stands there twice")),
    ('[[tenant]]\nname = "a"\ndefault = true\n[[tenant]]\nname = "b"\ndefault = true\n', ("[[tenant]] #2 default", "`a` is the default already")),
    ('[[tenant]]\nname = "a"\ndomain = "id.example.com"\n', ("domain", "`id.example.com` is taken", "base_url")),
    ('[[tenant]]\nname = "a"\ndomain = "x.example"\n[[tenant]]\nname = "b"\ndomain = "x.example"\n', ("#2 domain", "taken")),
    ('[[tenant]]\nname = "acme"\nlanguages = "en"\n', ("languages: must be a list, not text",)),
    ('[[tenant]]\nname = "acme"\nlanguages = ["xx"]\n', ("languages", "`xx` has no translation")),
    ('[[tenant]]\nname = "acme"\n[tenant.brand]\naccent = "red"\n', ("line 4", "accent", "#3b5bdb")),
    ('[[tenant]]\nname = "acme"\n[tenant.brand]\ncolour = "#aa0000"\n', ("colour: unknown key", "nearest")),
    ('[[tenant]]\nname = "acme"\n[tenant.brand]\nlogo = "file:none.svg"\n', ("logo", "cannot be read")),
    ('[[tenant]]\nname = "acme"\n[tenant.brand]\nlogo = "file:logo.bmp"\n', ("logo", ".svg")),
    ('[[tenant]]\nname = "acme"\n[tenant.sesions]\nidle = "1h"\n', ("sesions: unknown key", "`sessions`")),
    ('[[tenant]]\nname = "acme"\n[tenant.sessions]\nidel = "1h"\n', ("line 4", "idel: unknown key", "`idle`")),
    ('[[tenant]]\nname = "acme"\n[tenant.sessions]\nidle = 3600\n', ("line 4", "idle", "no duration", '"24h"')),
    ('[[tenant]]\nname = "acme"\n[tenant.sessions]\nidle = "900d"\n', ("line 4", "[tenant.sessions] idle: must lie between")),
    ('[[tenant]]\nname = "acme"\nsessions = 1\n', ("sessions: must be a table",)),
    ('[[tenant]]\nname = "acme"\n[tenant.client]\nid = "x"\n', ("client", "must be an array of tables", "[[tenant.client]]")),
    ('[[tenant]]\nname = "acme"\n[[tenant.resource]]\nscopes = { a = "b" }\n', ("[[tenant.resource]] #1 identifier: is missing",)),
    ('[[tenant]]\nname = "acme"\n[[tenant.resource]]\nidentifier = "orders"\n', ("resource", "`orders` is no absolute URI")),
    ('[[tenant]]\nname = "acme"\n[[tenant.resource]]\nidentifier = "urn:a"\nscopes = { read = 1 }\n', ("scopes: must be text",)),
    ('[[tenant]]\nname = "acme"\n[[tenant.resource]]\nidentifier = "urn:a"\ntoken_format = "jwe"\n', ("token_format", "none of jwt, opaque")),
    (
        '[[tenant]]\nname = "acme"\n' + "".join(f'[[tenant.resource]]\nidentifier = "urn:{one}"\nscopes = {{ r = "x" }}\n' for one in "ab"),
        ("`r` belongs to urn:a already",),
    ),
    ('[[tenant]]\nname = "acme"\n[[tenant.resource]]\nidentifier = "urn:a"\nclient = "x"\n', ("line 5", "#1 client", "`x` is no client of kind service")),
    ('[[tenant]]\nname = "acme"\n[[tenant.client]]\nid = "x"\n', ("kind: is missing", 'kind = "web"')),
    ('[[tenant]]\nname = "acme"\n[[tenant.client]]\nid = "x"\nkind = "tablet"\n', ("`tablet` is none of web, spa, native, service, device",)),
    ('[[tenant]]\nname = "acme"\n[[tenant.client]]\nid = "x"\nkind = "spa"\n', ("redirect_uris", "needs at least one")),
    (
        '[[tenant]]\nname = "acme"\n[[tenant.client]]\nid = "x"\nkind = "spa"\nredirect_uris = ["http://app.example/"]\n',
        ("line 6", "[[tenant.client]] #1 redirect_uris", "is not https"),
    ),
    (
        '[[tenant]]\nname = "acme"\n[[tenant.client]]\nid = "x"\nkind = "spa"\nredirect_uris = ["https://a.example/"]\nscopes = ["raed"]\n',
        ("line 7", "`raed` belongs to no resource"),
    ),
    (
        '[[tenant]]\nname = "acme"\n[[tenant.client]]\nid = "x"\nkind = "spa"\nsecret = "env:SHOP_SECRET"\nredirect_uris = ["https://a.example/"]\n',
        ("line 6", "secret", "cannot keep one"),
    ),
    ('[[tenant]]\nname = "acme"\n[[tenant.client]]\nid = "x"\nkind = "service"\n', ("secret", "needs one")),
    (
        '[[tenant]]\nname = "acme"\n' + '[[tenant.client]]\nid = "x"\nkind = "spa"\nredirect_uris = ["https://a.example/"]\n' * 2,
        ("[[tenant.client]] #2 id", "stands there twice"),
    ),
    (
        '[[tenant]]\nname = "acme"\n[[tenant.client]]\nid = "x"\nkind = "native"\nredirect_uris = ["com.example.app:/x"]\nconsent = "none"\n',
        ("line 7", "consent", "RFC 8252"),
    ),
    ('[[tenant]]\nname = "acme"\n[[tenant.client]]\nid = "x"\nkind = "spa"\nconsent = "no"\n', ("line 6", "`no` is none of ask, none")),
    (
        '[[tenant]]\nname = "a"\n[tenant.keys]\nalgorithms = ["ES256"]\n[[tenant.client]]\nid = "x"\nkind = "spa"\nid_token_signed_response_alg = "RS256"\n',
        ("line 8", "id_token_signed_response_alg", "`RS256` is not what this tenant signs with", "ES256"),
    ),
    ("[[tenant]]\nname = \n", ("acme.toml line 2",)),
]


async def test_a_mistake_is_told_and_nothing_is_written(world: World, tmp_path: Path) -> None:
    """Each names its line, its key, the reason and what to write."""
    for text, says in MISTAKES:
        with pytest.raises(Misconfigured) as refused:
            await bring(world.db, tmp_path, text)
        for part in says:
            assert part in refused.value.public, text
    assert await tenants.all_names(world.db) == []


async def test_one_mistake_holds_the_whole_file_back(world: World, tmp_path: Path) -> None:
    """The good tenant before the bad one is not made either."""
    with pytest.raises(Misconfigured):
        await bring(world.db, tmp_path, '[[tenant]]\nname = "good"\n[[tenant]]\nname = "bad"\nlanguages = []\n')
    assert await tenants.all_names(world.db) == []


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
TOML_VALUES = st.recursive(
    st.one_of(WORDS, st.booleans(), st.integers(-(2**63), 2**63 - 1)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=8,
)


@given(TOML_VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    """Every text, table and list survives TOML."""
    assert read_text(f"key = {toml(value)}\n", Path("x.toml"), {}).tables == {"key": value}


NAMES = st.text(st.characters(categories=("Lu", "Ll", "Lo", "Nd", "Po", "Sm"), exclude_characters="\x00"), min_size=1, max_size=30)
RESOURCES = st.lists(
    st.tuples(st.from_regex(r"https://[a-z]{1,8}\.example/[a-z]{0,4}", fullmatch=True), NAMES),
    max_size=3,
    unique_by=lambda pair: pair[0],
)
URIS = st.from_regex(r"https://[a-z]{1,8}\.example/[A-Za-z0-9/_~-]{0,9}(\?[a-z]{2,3}=%C3[0-9]{1,3})?", fullmatch=True)
CLIENTS = st.lists(
    st.tuples(
        st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,20}", fullmatch=True),
        st.sampled_from([kind for kind in clients.ClientKind if kind is not clients.ClientKind.SERVICE]),
        NAMES,
        st.lists(
            st.from_regex(r"https://[a-z]{1,8}\.example/[A-Za-z0-9/_~-]{0,9}(\?[a-z]{2,3}=%20?[0-9]{1,3})?", fullmatch=True),
            min_size=1,
            max_size=3,
            unique=True,
        ),
        st.booleans(),
        st.sampled_from(clients.ConsentRule),
        st.sampled_from([None, Alg.ES256, Alg.RS256, Alg.ED25519]),
    ),
    max_size=4,
    unique_by=lambda one: one[0],
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(brand=NAMES, resources=RESOURCES, apps=CLIENTS)
async def test_whatever_is_in_the_database_survives_export_and_apply(
    world: World,
    tmp_path: Path,
    brand: str,
    resources: list[tuple[str, str]],
    apps: list[tuple[str, clients.ClientKind, str, list[str], bool, clients.ConsentRule, Alg | None]],
) -> None:
    """Any tenant and any clients that can be saved come out of an export so that applying it is an empty difference."""
    plain = tenants.plain(TenantId("acme"))
    listed = tuple(tenants.Resource(identifier=uri, scopes={f"s{number}": words}) for number, (uri, words) in enumerate(resources))
    tenant = replace(plain, brand=replace(plain.brand, name=brand), resources=listed)
    if tenants.flaws(tenant):
        return
    async with world.work() as work:
        await tenants.save(work, tenant)
    made = []
    for name, kind, words, uris, both, consent, alg in apps:
        app = clients.Client(
            id=ClientId(name),
            kind=kind,
            name=words,
            redirect_uris=tuple(uris),
            grants=(clients.GrantType.AUTHORIZATION_CODE, clients.GrantType.REFRESH_TOKEN) if both else (),
            pkce_required=both or kind is not clients.ClientKind.WEB,
            consent=consent,
            id_token_signed_response_alg=alg,
        )
        app = clients.completed(app if app.public else clients.with_secret(app, clients.new_secret(), world.clock.now()))
        if not clients.flaws(app, dev=False):
            made.append(app)
    async with world.work() as work:
        for app in made:
            await clients.save(work, app)
    assert not await bring(world.db, tmp_path, await exported(world.db), {}, prune=True)
