"""Clients in the database: saved, found, dropped, and their secrets."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from limen.kernel.clock import SystemClock
from limen.kernel.ids import ClientId, TenantId
from limen.kernel.secrets import Secret
from limen.modules import clients, tenants
from limen.modules.clients import AuthMethod, Client, ClientKind, ConsentRule, GrantType, InvalidClient
from limen.platform.wire.jose import Alg
from tests.conftest import World

pytestmark = pytest.mark.anyio

SHOP = ClientId("shop")


def acme() -> tenants.Tenant:
    resource = tenants.Resource(identifier="https://api.acme.example", scopes={"read": "Read your orders"})
    return replace(tenants.plain(TenantId("acme")), resources=(resource,))


async def make_tenant(world: World) -> None:
    async with world.work() as work:
        await tenants.save(work, acme())


def shop() -> Client:
    return Client(
        id=SHOP,
        kind=ClientKind.WEB,
        name="The shop",
        redirect_uris=("https://shop.example/callback",),
        grants=(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN),
        scopes=("openid", "read"),
    )


async def save_shop(world: World) -> Secret[str]:
    await make_tenant(world)
    secret = clients.new_secret()
    async with world.work() as work:
        await clients.save(work, clients.with_secret(shop(), secret, work.now))
    return secret


async def found(world: World, client: ClientId = SHOP) -> Client | None:
    async with world.read() as read:
        return await clients.find(read, client)


async def test_a_client_comes_back_as_it_was_saved(world: World) -> None:
    """Every field survives the database; saving the same again changes nothing and records no fact."""
    await save_shop(world)
    kept = await found(world)
    assert kept is not None
    assert replace(kept, made=None, version=0, secrets=()) == shop()
    async with world.work() as work:
        assert await clients.save(work, kept) == ()
        assert work.facts == []


async def test_a_change_names_its_fields_and_is_seen_at_once(world: World) -> None:
    """What is kept in memory is dropped with the commit; the fact has names, no values."""
    await save_shop(world)
    kept = await found(world)
    assert kept is not None
    async with world.work() as work:
        assert await clients.save(work, replace(kept, name="Shop")) == ("name",)
        assert [(fact.name, getattr(fact, "changed", None)) for fact in work.facts] == [("clients.client_changed", ("name",))]
    changed = await found(world)
    assert changed is not None
    assert (changed.name, changed.version) == ("Shop", 2)


async def test_a_dropped_client_is_gone_at_once(world: World) -> None:
    """It is not found from memory either; dropping it again is no error."""
    await save_shop(world)
    assert await found(world)
    async with world.work() as work:
        assert await clients.drop(work, SHOP)
        assert not await clients.drop(work, SHOP)
        assert [fact.name for fact in work.facts] == ["clients.client_dropped"]
    assert await found(world) is None


async def test_a_client_of_one_tenant_is_none_of_another(world: World) -> None:
    """The same id elsewhere is somebody else."""
    await save_shop(world)
    async with world.db.read(TenantId("other")) as read:
        assert await clients.find(read, SHOP) is None


async def test_the_previous_secret_works_for_a_day(world: World) -> None:
    """Rotation: both work until the overlap ends; a third rotation ends the first at once."""
    first = await save_shop(world)
    async with world.work() as work:
        second = await clients.rotate_secret(work, SHOP)
    kept = await found(world)
    assert kept is not None
    now = world.clock.now()
    assert clients.check_secret(kept, first.reveal(), now)
    assert clients.check_secret(kept, second.reveal(), now)
    assert not clients.check_secret(kept, first.reveal(), now + timedelta(hours=24, seconds=1))
    assert clients.check_secret(kept, second.reveal(), now + timedelta(days=400))
    assert second.reveal().startswith("lmn_cs_")
    async with world.work() as work:
        third = await clients.rotate_secret(work, SHOP)
    kept = await found(world)
    assert kept is not None
    assert [clients.check_secret(kept, one.reveal(), now) for one in (first, second, third)] == [False, True, True]


async def test_a_leaked_secret_can_end_at_once(world: World) -> None:
    """An overlap of zero leaves only the new one."""
    first = await save_shop(world)
    async with world.work() as work:
        second = await clients.rotate_secret(work, SHOP, overlap=timedelta())
    kept = await found(world)
    assert kept is not None
    assert [clients.check_secret(kept, one.reveal(), world.clock.now()) for one in (first, second)] == [False, True]


async def test_no_secret_stands_in_the_database(world: World) -> None:
    """Digests only."""
    secret = await save_shop(world)
    kept = await found(world)
    assert secret.reveal() not in repr(kept)
    assert not clients.check_secret(kept or shop(), "", world.clock.now())


async def test_a_change_on_an_old_reading_is_refused(world: World) -> None:
    """Two people edit at once: the second is told, and nothing is lost."""
    await save_shop(world)
    async with world.work() as work:
        kept = await clients.take(work, SHOP)
        await clients.save(work, replace(kept, name="One"), expected=kept.version)
    with pytest.raises(clients.ClientChangedMeanwhile):
        async with world.work() as work:
            await clients.save(work, replace(kept, name="Two"), expected=kept.version)


async def test_clients_are_listed_page_by_page(world: World) -> None:
    """Keyset pages in the order of ids, the same on both databases."""
    await make_tenant(world)
    names = ["a", "B", "a-1", "a_2", "z", "Z9", "0"]
    async with world.work() as work:
        for name in names:
            app = Client(id=ClientId(name), kind=ClientKind.SPA, redirect_uris=("https://spa.example/",))
            await clients.save(work, app)
    listed: list[str] = []
    async with world.read() as read:
        while page := await clients.list_of(read, listed[-1] if listed else "", 3):
            listed += [one.id for one in page]
    assert listed == sorted(names)


WRONG = [
    (replace(shop(), id=ClientId("")), "id"),
    (replace(shop(), id=ClientId("a b")), "id"),
    (replace(shop(), id=ClientId("../x")), "id"),
    (replace(shop(), id=ClientId("x" * 101)), "id"),
    (replace(shop(), name="x" * 101), "name"),
    (replace(shop(), name="a\x00b"), "name"),
    (replace(shop(), redirect_uris=()), "redirect_uris"),
    (replace(shop(), redirect_uris=("https://a.example/", "https://a.example/")), "redirect_uris"),
    (replace(shop(), redirect_uris=("http://localhost/x",)), "redirect_uris"),
    (replace(shop(), redirect_uris=("javascript:alert(1)",)), "redirect_uris"),
    (replace(shop(), post_logout_redirect_uris=("https://a.example/#x",)), "post_logout_redirect_uris"),
    (replace(shop(), redirect_uris=tuple(f"https://a.example/{n}" for n in range(51))), "redirect_uris"),
    (replace(shop(), scopes=("raed",)), "scopes"),
    (replace(shop(), scopes=('a"b',)), "scopes"),
    (replace(shop(), auth_method=AuthMethod.NONE), "auth_method"),
    (replace(shop(), grants=(GrantType.REFRESH_TOKEN,)), "grants"),
    (replace(shop(), kind=ClientKind.SERVICE), "grants"),
    (replace(shop(), kind=ClientKind.SPA), "secret"),
    (replace(shop(), id_token_signed_response_alg=Alg.EDDSA), "id_token_signed_response_alg"),
    (replace(shop(), id_token_signed_response_alg=Alg.PS256), "id_token_signed_response_alg"),
    (Client(id=SHOP, kind=ClientKind.SERVICE, consent=ConsentRule.NONE), "consent"),
    (Client(id=SHOP, kind=ClientKind.NATIVE, redirect_uris=("com.example.app:/x",), consent=ConsentRule.NONE), "consent"),
    (Client(id=SHOP, kind=ClientKind.NATIVE, redirect_uris=("https://a.example/", "http://127.0.0.1/x"), consent=ConsentRule.NONE), "consent"),
    (replace(shop(), client_uri="javascript:alert(1)"), "client_uri"),
    (replace(shop(), tos_uri="http://a.example"), "tos_uri"),
    (replace(shop(), contacts=("x\n",)), "contacts"),
    (Client(id=SHOP, kind=ClientKind.SERVICE, scopes=("openid",)), "scopes"),
    (Client(id=SHOP, kind=ClientKind.SERVICE, redirect_uris=("https://a.example/",)), "redirect_uris"),
    (Client(id=SHOP, kind=ClientKind.SPA, redirect_uris=("https://a.example/",), pkce_required=False), "pkce_required"),
    (Client(id=SHOP, kind=ClientKind.NATIVE, redirect_uris=("app:/x",)), "redirect_uris"),
]


@pytest.mark.parametrize(("wrong", "field"), WRONG)
async def test_what_cannot_be_is_refused_with_its_field(wrong: Client, field: str) -> None:
    """The flaw names the field."""
    client = clients.completed(clients.with_secret(wrong, clients.new_secret(), SystemClock().now()))
    found = (*clients.flaws(client, dev=False), *clients.flaws_beside(client, acme()))
    assert field in {flaw.field for flaw in found}


GOOD = [
    replace(shop(), consent=ConsentRule.NONE, id_token_signed_response_alg=Alg.RS256),
    Client(id=SHOP, kind=ClientKind.SPA, redirect_uris=("https://a.example/",), consent=ConsentRule.NONE),
    Client(id=SHOP, kind=ClientKind.NATIVE, redirect_uris=("https://a.example/",), consent=ConsentRule.NONE, id_token_signed_response_alg=Alg.ED25519),
]


@pytest.mark.parametrize("good", GOOD)
async def test_an_app_whose_address_is_its_own_need_not_ask(world: World, good: Client) -> None:
    """Wherever the address tells the app, nobody need be asked; what was set comes back from the database."""
    await make_tenant(world)
    async with world.work() as work:
        await clients.save(work, good if good.public else clients.with_secret(good, clients.new_secret(), work.now))
    kept = await found(world)
    assert kept is not None
    assert (kept.consent, kept.id_token_signed_response_alg) == (ConsentRule.NONE, good.id_token_signed_response_alg)


async def test_a_client_with_a_flaw_is_not_saved(world: World) -> None:
    """Nothing is written; a scope of no resource is a flaw too."""
    await make_tenant(world)
    for wrong in (replace(shop(), redirect_uris=("javascript:alert(1)",)), replace(shop(), scopes=("raed",))):
        with pytest.raises(InvalidClient):
            async with world.work() as work:
                await clients.save(work, clients.with_secret(wrong, clients.new_secret(), work.now))
    assert await found(world) is None


async def test_a_confidential_client_without_a_secret_is_refused(world: World) -> None:
    """It could not prove who it is."""
    await make_tenant(world)
    with pytest.raises(InvalidClient, match="secret"):
        async with world.work() as work:
            await clients.save(work, shop())


@pytest.mark.parametrize(
    ("kind", "method", "shown", "accepted"),
    [
        (ClientKind.WEB, None, AuthMethod.BASIC, True),
        (ClientKind.WEB, None, AuthMethod.POST, True),
        (ClientKind.WEB, None, AuthMethod.NONE, False),
        (ClientKind.WEB, AuthMethod.BASIC, AuthMethod.POST, False),
        (ClientKind.WEB, AuthMethod.POST, AuthMethod.POST, True),
        (ClientKind.SERVICE, None, AuthMethod.NONE, False),
        (ClientKind.SPA, None, AuthMethod.NONE, True),
        (ClientKind.NATIVE, AuthMethod.NONE, AuthMethod.BASIC, False),
    ],
)
async def test_the_ways_to_authenticate_follow_from_kind_and_method(kind: ClientKind, method: AuthMethod | None, shown: AuthMethod, accepted: bool) -> None:  # noqa: FBT001 - the table's column
    """A secret by either way unless one is named; a public client by none alone."""
    assert Client(id=SHOP, kind=kind, auth_method=method).accepts(shown) is accepted


@pytest.mark.parametrize(
    ("secret", "dev", "good"), [("x" * 31, False, False), ("x" * 32, False, True), ("x", True, True), ("", True, False), ("x" * 257, False, False)]
)
async def test_a_given_secret_has_a_length(secret: str, dev: bool, good: bool) -> None:  # noqa: FBT001 - the table's columns
    """At least 32 characters, one in dev mode; the message never shows it."""
    flaw = clients.secret_flaw(Secret(secret), dev=dev)
    assert (flaw is None) is good
    assert flaw is None or not secret or secret not in str(flaw)


@pytest.mark.parametrize("secret", ["\u00fc" * 40, "x" * 40 + "\n", "\x00" * 40])
async def test_a_given_secret_is_printable_ascii(secret: str) -> None:
    """RFC 6749, appendix A.2."""
    assert clients.secret_flaw(Secret(secret), dev=False)


async def test_a_secret_is_checked_fast(world: World) -> None:
    """Microseconds, not milliseconds: it happens on every token request."""
    secret = (await save_shop(world)).reveal()
    kept = await found(world)
    assert kept is not None
    now = world.clock.now()
    start = time.process_time()
    for _ in range(2_000):
        clients.check_secret(kept, secret, now)
    assert (time.process_time() - start) / 2_000 < 50e-6
