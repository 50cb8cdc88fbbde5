"""The token watch: each kind of anomaly is told once, and what is as usual is not."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from limen.kernel.ids import AccountId
from limen.modules import keys, oauth
from limen.modules.oauth.watch import following
from limen.modules.oauth.watch.networks import widened
from tests.modules.oauth.conftest import BASE, SECRET, VERIFIER, Door, basic
from tests.modules.oauth.test_dpop import USERINFO, key, personal, who
from tests.modules.oauth.watching import DAY, HOUR, begin, kept, public, service, settled, watch
from tests.rig.asgi import Client
from tests.rig.prover import Prover

pytestmark = pytest.mark.anyio

__all__ = ["key"]


async def test_a_burst_of_a_client_is_told_once_an_hour(door: Door) -> None:
    """Up to the floor nothing, beyond it once, however long it lasts; in another hour again, until it is what is usual."""
    await begin(door)
    await service(door)
    assert await watch(door) == []
    door.world.advance(HOUR)
    await service(door, 5)
    assert await watch(door) == []
    with capture_logs() as lines:
        await service(door, 9)
        (told,) = await watch(door)
    assert (told.subject, told.data) == (
        None,
        {"kind": "burst", "client": "svc", "grant": None, "observed": 9, "expected": 5, "window": 60, "detail": ""},
    )
    (line,) = [one for one in lines if one["event"] == "watch.anomaly_seen"]
    assert (line["log_level"], line["tenant"], line["client"], line["observed"]) == ("warning", "acme", "svc", 9)
    assert "rotate the client's secret" in line["advice"]
    assert oauth.anomalies(door.world.db) == {"burst": 1, "refresh_reuse": 0, "scope_drift": 0, "many_networks": 0, "new_network": 0}
    await service(door, 9)
    assert len(await watch(door)) == 1
    door.world.advance(HOUR)
    await service(door, 30)
    assert len(await watch(door)) == 2


async def test_what_is_usual_for_a_client_is_no_burst(door: Door) -> None:
    """Limits follow the client: who always gets twelve a minute may get forty, and another client may not."""
    await begin(door, watch_client_hour=100_000)
    for _ in range(3):
        await service(door, 12)
        await service(door, client="orders-api")
        assert await watch(door) == []
    door.world.advance(HOUR)
    await service(door, 40)
    await service(door, 40, client="orders-api")
    (told,) = await watch(door)
    assert (told.data["client"], told.data["observed"], told.data["expected"]) == ("orders-api", 40, 5)


async def test_many_tokens_for_a_person(door: Door) -> None:
    """A person who gets more than people do is told of once, with her name; nobody else is."""
    await begin(door, watch_client_minute=1_000, watch_client_hour=1_000)
    ada, bob = await door.person(), await door.person()
    await door.tokens(bob)
    for _ in range(6):
        await door.tokens(ada)
    (told,) = await watch(door)
    assert (told.subject, told.data["kind"], told.data["observed"], told.data["expected"], told.data["window"]) == (ada.account, "burst", 6, 4, 60)
    for _ in range(6):
        await door.tokens(ada)
    assert len(await watch(door)) == 1


@pytest.mark.parametrize(("thief", "where"), [("198.51.100.9", "other_network"), ("192.0.2.200", "same_network")])
async def test_a_refresh_token_that_comes_back(door: Door, thief: str, where: str) -> None:
    """It is told once, and whether it came from where its app usually comes from; a public client's too."""
    await begin(door)
    ada = await door.person()
    code = await door.code(ada, "spa")
    redeemed = await public(door, "192.0.2.1", grant_type="authorization_code", code=code, redirect_uri="https://spa.example/", code_verifier=VERIFIER)
    first = redeemed.json()["refresh_token"]
    assert (await public(door, "192.0.2.77", grant_type="refresh_token", refresh_token=first)).status == 200
    door.world.advance(11)
    for _ in range(3):
        assert (await public(door, thief, grant_type="refresh_token", refresh_token=first)).json()["error"] == "invalid_grant"
    (told,) = await watch(door)
    assert (told.subject, told.data["kind"], told.data["client"], told.data["detail"]) == (ada.account, "refresh_reuse", "spa", where)
    assert len(await watch(door)) == 1


async def test_scopes_a_client_had_not_used(door: Door) -> None:
    """After the time of learning a new one is told of once, and one it had not used for a month is new again."""
    await begin(door)
    await service(door, scope="read")
    assert await watch(door) == []
    await service(door, scope="read write")
    assert await watch(door) == [], "still learning"
    door.world.advance(HOUR)
    await service(door, scope="open")
    (told,) = await watch(door)
    assert (told.data["kind"], told.data["detail"], told.data["observed"]) == ("scope_drift", "open", 1)
    await service(door, scope="open")
    assert len(await watch(door)) == 1
    for _ in range(4):
        door.world.advance(8 * DAY)
        await service(door, scope="open")
        assert len(await watch(door)) == 1
    await service(door, scope="write")
    assert [fact.data["detail"] for fact in await watch(door)] == ["open", "write"]


@pytest.mark.parametrize("by", ["userinfo", "introspect"])
async def test_one_grant_shown_from_many_networks(door: Door, by: str) -> None:
    """From as many networks as allowed nothing, from one more once; many machines of one network are one."""
    await begin(door)
    ada = await door.person()
    token = (await door.tokens(ada))["access_token"]

    async def show(address: str) -> None:
        machine = Client(door.app, BASE, address=address)
        if by == "userinfo":
            answer = await machine.get(f"{BASE}/oauth/userinfo", headers={"authorization": f"Bearer {token}"})
        else:
            answer = await machine.post(f"{BASE}/oauth/introspect", form={"token": token}, headers={"authorization": basic("shop", SECRET)})
        assert answer.status == 200

    for address in ("192.0.2.1", "192.0.2.2", "198.51.100.1", "198.51.100.2", "203.0.113.1"):
        await show(address)
    assert await watch(door) == []
    await show("2001:db8:1::1")
    (told,) = await watch(door)
    assert (told.subject, told.data["kind"], told.data["observed"], told.data["expected"]) == (ada.account, "many_networks", 4, 3)
    assert told.data["grant"] is not None
    for number in range(3):
        await show(f"2001:db8:{number + 2}::1")
    assert len(await watch(door)) == 1


async def test_networks_one_after_another_are_a_journey(door: Door) -> None:
    """A phone that travels shows its token from many networks in a day, and never from many in ten minutes."""
    await begin(door)
    token = (await door.tokens(await door.person()))["access_token"]
    for number in range(1, 6):
        assert (await Client(door.app, BASE, address=f"198.51.{number}.1").get(f"{BASE}/oauth/userinfo", headers={"authorization": f"Bearer {token}"})).status
        door.world.advance(240)
        assert await watch(door) == []


async def test_a_bound_token_may_be_shown_from_anywhere(door: Door, key: Prover) -> None:
    """Without its key it is worth nothing, so where it is shown tells nothing and is not written down."""
    await begin(door)
    token = (await personal(door, key))["access_token"]
    for number in range(6):
        door.calls = Client(door.app, BASE, address=f"198.51.{number}.1")
        assert (await who(door, token, key.proof("GET", USERINFO, token))).status == 200
    assert await watch(door) == []
    assert {fact.data["network"] for fact in await door.facts("oauth.userinfo_read")} == {""}


async def test_a_service_that_comes_from_elsewhere(door: Door) -> None:
    """A client with a secret that always came from one or two networks is told of when it comes from a third, once for each."""
    await begin(door)
    await service(door, address="192.0.2.1")
    await service(door, address="198.51.100.1")
    assert await watch(door) == []
    door.world.advance(HOUR)
    await service(door, address="192.0.2.99")
    assert await watch(door) == []
    await service(door, address="203.0.113.5")
    await service(door, address="203.0.113.6")
    (told,) = await watch(door)
    assert (told.data["kind"], told.data["client"], told.data["observed"], told.data["expected"]) == ("new_network", "svc", 3, 2)
    labels = {fact.data["network"] for fact in await door.facts("oauth.token_issued")}
    assert len(labels) == 3
    assert told.data["detail"] in labels
    await service(door, address="203.0.113.5")
    await service(door, address="198.18.0.1")
    assert len(await watch(door)) == 1, "by now it comes from everywhere"


async def test_apps_of_people_come_from_everywhere(door: Door) -> None:
    """Where a public client's token was asked for is where its person is: that is never new."""
    await begin(door)
    token = (await door.tokens(await door.person(), "spa"))["refresh_token"]
    for number in (1, 1, 2):
        door.world.advance(HOUR)
        token = (await public(door, f"198.51.{number}.1", grant_type="refresh_token", refresh_token=token)).json()["refresh_token"]
        assert await watch(door) == []


async def test_another_index_key_is_no_move(door: Door) -> None:
    """When the key that labels networks rotates, all networks have new labels, and are learnt anew."""
    await begin(door)
    await service(door)
    await watch(door)
    door.world.advance(HOUR)
    before = {fact.data["network"] for fact in await door.facts("oauth.token_issued")}
    async with door.world.work() as work:
        await keys.rotate_tenant_key(work, keys.Use.INDEX)
    await watch(door)
    door.world.advance(HOUR)
    await service(door)
    assert await watch(door) == []
    assert len({fact.data["network"] for fact in await door.facts("oauth.token_issued")} - before) == 1


async def test_a_tenant_may_do_without(door: Door) -> None:
    """`watch = false`: nothing is told, and nothing is kept of its clients."""
    await begin(door, watch=False)
    await service(door, 20)
    door.world.advance(HOUR)
    await service(door, 20)
    assert await watch(door) == []
    assert "svc" not in await kept(door.world.db)


async def test_very_many_anomalies_are_not_told(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many an hour the server's log says how many there were, and the log of facts is spared."""
    monkeypatch.setattr(following, "MOST_HOURLY", 1)
    await begin(door)
    for client in ("svc", "orders-api"):
        await service(door, client=client)
    await watch(door)
    door.world.advance(HOUR)
    for client in ("svc", "orders-api"):
        await service(door, 9, client=client)
    with capture_logs() as lines:
        assert len(await watch(door)) == 1
    assert [(line["tenant"], line["count"]) for line in lines if line["event"] == "watch.anomalies_untold"] == [("acme", 1)]


async def test_nothing_is_kept_about_people(door: Door) -> None:
    """What the watch has in its tables names clients alone: there is nothing to forget when a person goes."""
    await begin(door)
    ada = await door.person()
    tokens = await door.tokens(ada)
    await door.userinfo(tokens["access_token"])
    await watch(door)
    await settled(door)
    rows = "\n".join(await kept(door.world.db))
    assert "shop" in rows
    for fact in await door.facts("oauth.token_issued"):
        assert AccountId(str(fact.subject)) not in rows
        assert str(fact.data["grant"]) not in rows


async def test_clients_are_forgotten_a_month_after_their_last_token(door: Door) -> None:
    """Rows do not pile up."""
    await begin(door)
    await service(door, client="orders-api")
    await watch(door)
    assert "orders-api" in await kept(door.world.db)
    door.world.advance(32 * DAY)
    await service(door)
    await watch(door)
    rows = await kept(door.world.db)
    assert "svc" in rows
    assert "orders-api" not in rows


def test_networks() -> None:
    """24 bits of an IPv4 address, 48 of an IPv6 one; what is none stays."""
    assert widened("192.0.2.77") == "192.0.2.0/24"
    assert widened("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert widened("") == ""
