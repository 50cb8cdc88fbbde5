"""A server killed under load: what it acknowledged over HTTP is there afterwards, single use stays single, and the log has no gap."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import json
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from limen.kernel.clock import SystemClock
from limen.kernel.ids import SERVER
from limen.platform.crypto import Keyring, KeyringSettings
from limen.platform.sql import Follower, StoredFact, Work, last_position, open_database
from tests.proofs.house import PATIENT, TENANTS, House, Person, Reply, Site, advance, new_database, until
from tests.rig.postgres import Cluster
from tests.rig.server import free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proofs")]

GONE: Final = (OSError, http.client.HTTPException)
"""What a client sees of a server that is killed; nothing was acknowledged then."""
_CODES: Final = 24
_FAMILIES: Final = 4
_TO_REVOKE: Final = 24


class Following:
    """A follower of facts in a thread with a database of its own, that goes on while servers come and go."""

    def __init__(self, url: str, folder: Path) -> None:
        self.taken: dict[int, str] = {}
        self.twice = 0
        self.tokens: set[str] = set()
        self._url, self._folder = url, folder
        self._stop = threading.Event()
        self._last = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()

    async def _run(self) -> None:
        keyring = Keyring.load(KeyringSettings(file=self._folder / "keys/master.key", epochs=self._folder / "keys/epochs"), environ={})
        db = await open_database(self._url, keyring, SystemClock())
        held: list[StoredFact] = []

        async def take(work: Work, facts: Sequence[StoredFact]) -> None:
            del work
            held[:] = facts

        follower = Follower(db, "proof", take)
        try:
            while not self._stop.is_set():
                with contextlib.suppress(Exception):  # the database is busy: the step is taken again
                    held.clear()
                    if await follower.step():
                        self._keep(held)
                        continue
                await asyncio.sleep(0.02)
                with contextlib.suppress(Exception):
                    async with db.read(SERVER) as read:
                        self._last = await last_position(read)
        finally:
            await db.close()

    def _keep(self, facts: Sequence[StoredFact]) -> None:
        for fact in facts:
            self.twice += fact.pos in self.taken
            self.taken[fact.pos] = fact.name
            if isinstance(token := fact.data.get("token"), str):
                self.tokens.add(token)

    def finish(self) -> int:
        """Wait until it has taken all there is; return how many facts that were."""
        until(lambda: self._last and self._last == max(self.taken, default=0), 20)
        self._stop.set()
        self._thread.join(10)
        return len(self.taken)


@dataclass
class Said:
    """What the server acknowledged, as its clients noted it."""

    signed_up: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    exchanged: Counter[str] = field(default_factory=Counter)
    given: dict[str, dict[str, str]] = field(default_factory=dict)
    newest: dict[int, list[str]] = field(default_factory=dict)
    """Of each family the refresh tokens it was answered, the newest last."""
    revoked: list[str] = field(default_factory=list)
    issued: list[str] = field(default_factory=list)
    """Ids of access tokens."""
    broken: list[str] = field(default_factory=list)

    def count(self) -> int:
        return len(self.signed_up) + sum(self.exchanged.values()) + sum(len(one) - 1 for one in self.newest.values()) + len(self.revoked)


def _id_of(access_token: str) -> str:
    payload = access_token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["jti"])


@dataclass
class Material:
    """What the load works with, made before it."""

    codes: list[tuple[str, str]]
    families: list[str]
    to_revoke: list[str]


def _prepare(site: Site) -> Material:
    """Somebody signs up and an app gets codes and tokens for her."""
    person = site.person()
    site.sign_up(person, f"load-{secrets.token_hex(6)}@example.com")
    families = [site.tokens(person)["refresh_token"] for _ in range(_FAMILIES)]
    to_revoke = [site.tokens(person)["refresh_token"] for _ in range(_TO_REVOKE)]
    return Material([site.code(person) for _ in range(_CODES)], families, to_revoke)


class Load:
    """Threads that do one thing each, as fast as they are answered, until the server is gone."""

    def __init__(self, sites: Sequence[Site], material: Material) -> None:
        self.said = Said()
        self._sites = sites
        self._material = material
        self._threads = [threading.Thread(target=self._until_gone, args=(work,), daemon=True) for work in self._works()]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> Said:
        for thread in self._threads:
            thread.join(40)
        assert self.said.broken == []
        return self.said

    def _until_gone(self, work: Iterator[None]) -> None:
        try:
            for _ in work:
                pass
        except GONE:
            return
        except Exception as error:  # noqa: BLE001 - told by the main thread
            self.said.broken.append(repr(error))

    def _works(self) -> list[Iterator[None]]:
        makers: list[Iterator[None]] = [self._sign_up(self._site(n)) for n in range(2)]
        makers += [self._exchange(self._site(n), self._material.codes[n::2]) for n in range(2)]
        makers += [self._refresh(self._site(n), n) for n in range(_FAMILIES)]
        makers.append(self._revoke(self._site(0)))
        return makers

    def _site(self, number: int) -> Site:
        return self._sites[number % len(self._sites)]

    def _sign_up(self, site: Site) -> Iterator[None]:
        while True:
            email, person = f"new-{secrets.token_hex(8)}@example.com", site.person()
            site.sign_up(person, email)
            self.said.signed_up.append((email, dict(person.cookies(site))))
            yield

    def _exchange(self, site: Site, codes: Sequence[tuple[str, str]]) -> Iterator[None]:
        for code, verifier in codes:
            reply = _sound(site.exchange(code, verifier))
            self.said.exchanged[code] += 1
            self.said.given[code] = reply.json
            self.said.issued.append(_id_of(reply.json["access_token"]))
            time.sleep(0.02)  # so that some are left when the end comes
            yield

    def _refresh(self, site: Site, family: int) -> Iterator[None]:
        held = self.said.newest[family] = [self._material.families[family]]
        while True:
            reply = _sound(site.refresh(held[-1]))
            held.append(reply.json["refresh_token"])
            self.said.issued.append(_id_of(reply.json["access_token"]))
            yield

    def _revoke(self, site: Site) -> Iterator[None]:
        for token in self._material.to_revoke:
            _sound(site.revoke(token))
            self.said.revoked.append(token)
            time.sleep(0.03)
            yield


def _sound(reply: Reply) -> Reply:
    assert reply.status == 200, (reply.status, reply.body)
    return reply


def _check(site: Site, said: Said, material: Material) -> None:
    """Look for all that was acknowledged, by the same doors."""
    token = site.service()
    for email, cookies in said.signed_up:
        found = site.api(token, "GET", f"/accounts?identifier={email.replace('@', '%40')}")
        assert len(found.json["items"]) == 1, f"{email} is lost"
        person = site.person()
        person.cookies(site).update(cookies)
        assert person.once(f"{site.issuer}/account").status == 200, f"the session of {email} is lost"
    for refresh in said.revoked:
        assert site.introspect(refresh).json == {"active": False}
        assert site.refresh(refresh).error == "invalid_grant"
    _check_codes(site, said, material)


def _check_codes(site: Site, said: Said, material: Material) -> None:
    """No code gives tokens twice, before and after together; and a second use ends what the first gave."""
    for code, verifier in material.codes:
        again = site.exchange(code, verifier)
        if again.status == 200:
            said.exchanged[code] += 1
            assert site.exchange(code, verifier).error == "invalid_grant"
        else:
            assert again.error == "invalid_grant"
        assert said.exchanged[code] <= 1, "a code was good for two exchanges"
        if code in said.given:
            assert site.introspect(said.given[code]["refresh_token"]).json == {"active": False}


def _check_families(site: Site, said: Said) -> None:
    """The newest token each app holds goes on; one used long before ends the family."""
    for held in said.newest.values():
        onward = site.refresh(held[-1])
        assert onward.status == 200, f"the app's newest token is void: {onward.body!r}"
        successor = onward.json["refresh_token"]
        assert successor not in held
        if len(held) > 2:
            assert site.refresh(held[0]).error == "invalid_grant"
            assert site.refresh(successor).error == "invalid_grant", "a family outlived the replay of an old token"


def rounds(server: House, url: str, count: int) -> tuple[int, int]:
    """Kill the server so many times under load; return how much was acknowledged, and how many facts the follower took."""
    site = server.site()
    following = Following(url, server.folder)
    acknowledged = 0
    issued: list[str] = []
    for _ in range(count):
        material = _prepare(site)
        load = Load([site], material)
        load.start()
        time.sleep(0.4 + random.random() * 0.6)  # noqa: S311 - a moment, no secret
        server.kill()
        ended = time.monotonic()
        said = load.join()
        server.start()
        away = time.monotonic() - ended
        advance(server, -away)  # an answer that was lost may be asked for again within ten seconds, which a slow machine must not decide
        _check_families(site, said)
        advance(server, away)
        acknowledged += said.count()
        issued += said.issued
        _check(site, said, material)
    facts = following.finish()
    assert sorted(following.taken) == list(range(1, facts + 1)), "the log has a gap"
    assert following.twice == 0
    assert set(issued) <= following.tokens, "a token left without its fact"
    return acknowledged, facts


@pytest.fixture(params=["sqlite", "postgresql"])
def killed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[House, str]]:
    """A server to be killed, and the address of its database, which survives what a machine would."""
    database = ""
    cluster = None
    if request.param == "postgresql":
        cluster = Cluster()
        cluster.start()
        database = new_database(cluster)
    server = House(tmp_path, database, extra=PATIENT)
    try:
        server.prepare(TENANTS)
        server.start()
        yield server, database or f"sqlite:///{tmp_path}/limen.db"
    finally:
        server.stop()
        if cluster is not None:
            cluster.drop()


def test_three_kills(killed: tuple[House, str]) -> None:
    """Sign-ups, exchanges, refreshes and revocations under way at three kills."""
    acknowledged, facts = rounds(*killed, 3)
    assert acknowledged > 60
    assert facts > acknowledged


@pytest.mark.soak
def test_twenty_kills(killed: tuple[House, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Likewise, twenty times."""
    acknowledged, facts = rounds(*killed, 20)
    with capsys.disabled():
        kind = "PostgreSQL" if killed[0].database else "SQLite"
        print(f"\n20 kills under load over HTTP, {kind}: {acknowledged} acknowledged, 0 lost; {facts} facts followed, none missed")


def _both(works: Sequence[Callable[[], Reply]]) -> list[Reply]:
    """Do things at the same moment."""
    gate = threading.Barrier(len(works))
    replies: list[Reply] = []

    def go(work: Callable[[], Reply]) -> None:
        gate.wait(10)
        replies.append(work())

    threads = [threading.Thread(target=go, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(replies) == len(works)
    return replies


class Elsewhere(House):
    """A second process of the same house: same file, another port, told apart from the base URL it answers for."""

    def at(self, first: House) -> None:
        self.write()
        text = first.config.read_text().replace(f'listen = "127.0.0.1:{first.port}"', f'listen = "127.0.0.1:{self.port}"')
        self.config.write_text(text)


@pytest.fixture
def two(tmp_path: Path, cluster: Cluster) -> Iterator[tuple[Site, Site]]:
    """One tenant, served by two processes that share nothing but PostgreSQL and the keyring."""
    first = House(tmp_path / "first", new_database(cluster), extra=PATIENT)
    second = Elsewhere(tmp_path / "second", first.database, extra=PATIENT, port=free_port())
    first.folder.mkdir()
    second.folder.mkdir()
    first.prepare(TENANTS)
    second.at(first)
    try:
        first.start()
        second.start()
        yield first.site(), Site(first, "acme", first.issuer, second.port)
    finally:
        first.stop()
        second.stop()


def test_two_processes_on_one_postgresql(two: tuple[Site, Site]) -> None:
    """Codes are single use and refresh families whole with one process racing the other; what one revokes or ends is dead in the other at once."""
    one, other = two
    person = one.person()
    one.sign_up(person, f"two-{secrets.token_hex(6)}@example.com")
    for _ in range(5):
        code, verifier = one.code(person)
        answers = _both([partial(site.exchange, code, verifier) for site in (one, other) * 2])
        assert sum(answer.status == 200 for answer in answers) == 1
    for _ in range(5):
        token = one.tokens(person)["refresh_token"]
        answers = _both([partial(site.refresh, token) for site in (one, other) * 2])
        assert {answer.status for answer in answers} == {200}, [answer.body for answer in answers]
        assert len({answer.json["refresh_token"] for answer in answers}) == 1, "two processes gave two successors"
    _revoked_elsewhere(one, other, person)


def _revoked_elsewhere(one: Site, other: Site, person: Person) -> None:
    tokens = one.tokens(person)
    assert other.userinfo(tokens["access_token"]).status == 200
    one.revoke(tokens["access_token"])
    assert other.userinfo(tokens["access_token"]).status == 401
    tokens = one.tokens(person)
    other.revoke(tokens["refresh_token"])
    assert one.refresh(tokens["refresh_token"]).error == "invalid_grant"
    assert one.userinfo(tokens["access_token"]).status == 401
    there = Person(other.port)
    there.cookies(other).update(person.cookies(one))
    assert there.once(f"{other.issuer}/account").status == 200
    account = one.introspect(one.tokens(person)["access_token"]).json["sub"]
    tokens = one.tokens(person)
    assert one.api(one.service(), "POST", f"/accounts/{account}/suspend", {}).status < 300
    assert there.once(f"{other.issuer}/account").status == 303
    assert other.userinfo(tokens["access_token"]).status == 401
    assert other.refresh(tokens["refresh_token"]).error == "invalid_grant"
