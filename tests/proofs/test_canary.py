"""Whoever steals the database, the log or the figures learns nobody's name: every octet is searched for what was entered."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw
import asyncpg
import pytest

from limen.app import ground, settings
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId, TenantId
from limen.modules import keys
from tests.proofs.house import API, new_database, send
from tests.proofs.public import CALLBACK, Public, public
from tests.rig.collector import collector
from tests.rig.postgres import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proofs")]

EMAIL: Final = "zaubernuss.hollerbusch@quittenhof.example"
UNKNOWN: Final = "nirgendwer.niemandsland@ackerwinde.example"
PASSWORD: Final = "Mondkalb tanzt quer durch Buxtehude"
ADDRESS: Final = "203.0.113.77"
AGENT: Final = "Kanarienvogel/47.11 (Sumpfdotterblume)"
CANARIES: Final = {
    "e-mail": EMAIL,
    "local part": "zaubernuss",
    "unknown e-mail": UNKNOWN,
    "unknown local part": "nirgendwer",
    "password": PASSWORD,
    "given name": "Wolkenschaf",
    "family name": "Pustekuchen-Ährenfeld",
    "nickname": "Schlummertrunk",
    "phone": "+4915112345678",
    "street": "Kichererbsenweg",
    "locality": "Hintertupfingen",
    "website": "purzelbaum.example",
    "client address": ADDRESS,
    "user agent": "Sumpfdotterblume",
}
_SHORTEST_BASE64: Final = 6


def forms(text: str) -> Iterator[bytes]:
    """Return what a value looks like in the encodings that software puts values into."""
    for cased in {text, text.lower(), text.upper(), text.title()}:
        plain = cased.encode()
        yield plain
        yield cased.encode("utf-16-le")
        yield cased.encode("utf-16-be")
        yield plain.hex().encode()
        yield plain.hex().upper().encode()
        yield from _in_base64(plain)
        yield ascii(cased)[1:-1].encode()
        yield ascii(cased)[1:-1].replace("\\xc4", "\\u00c4").replace("\\xe4", "\\u00e4").encode()
        yield cased.replace("@", "%40").replace("+", "%2B").encode()
        yield cased.replace(" ", "+").encode()


def _in_base64(plain: bytes) -> Iterator[bytes]:
    """Return the part that a value keeps in base64 wherever in a longer text it begins."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + plain)
        part = whole[4 if before else 0 :]
        part = part[: len(part) - 4] if len(plain) % 3 else part
        if len(part) > _SHORTEST_BASE64:
            yield part
            yield part.replace(b"+", b"-").replace(b"/", b"_")


_SOUGHT: Final = {form: name for name, text in CANARIES.items() for form in forms(text)}


def _grep(files: Sequence[Path], content: bytes = b"") -> list[tuple[str, str]]:
    """Return (file, canary) of every match; grep looks for a thousand strings at once."""
    with tempfile.NamedTemporaryFile() as patterns:
        patterns.write(b"\n".join(_SOUGHT))
        patterns.flush()
        words = ["grep", "-FaoHZ", "-f", patterns.name, "--", *(map(str, files) if files else "-")]
        done = subprocess.run(words, input=content, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode in {0, 1}, done.stderr
    found = []
    for line in done.stdout.split(b"\n"):
        file, zero, match = line.partition(b"\0")
        if zero:
            found.append((file.decode(), _SOUGHT[match]))
    return found


def found_in(content: bytes) -> set[str]:
    """Return the names of the canaries in some octets."""
    return {name for _, name in _grep([], content)}


def search(files: Iterable[Path]) -> set[tuple[str, str]]:
    """Return the files with canaries in them, and which."""
    return set(_grep([file for file in files if file.is_file()]))


@dataclass
class Case:
    """A server that has seen the customer, and where its octets lie."""

    server: Public
    account: str
    tokens: dict[str, str]
    places: list[Path]

    def files(self) -> list[Path]:
        return [file for place in self.places for file in (place.rglob("*") if place.is_dir() else [place])]


def _live(server: Public) -> tuple[str, dict[str, str]]:
    """Let the customer sign up, use an app, make mistakes, recover, change her profile, and let an unknown one try."""
    site = server.site()
    person = site.person(agent=AGENT, address=ADDRESS)
    page = person.fill(person.go(person.once(f"{site.issuer}/signup")), identifier=EMAIL)
    page = person.fill(page, code=server.code_for(EMAIL))
    page = person.fill(page, new_password=PASSWORD)
    page = person.fill(page, given_name=CANARIES["given name"], family_name=CANARIES["family name"])
    assert page.url.endswith("/account"), page.words[:300]
    token = site.service(API)
    account = site.api(token, "GET", f"/accounts?identifier={EMAIL.replace('@', '%40')}").json["items"][0]["id"]
    changes = {
        "nickname": CANARIES["nickname"],
        "phone_number": CANARIES["phone"],
        "website": f"https://{CANARIES['website']}/",
        "address": {"street_address": f"{CANARIES['street']} 7", "locality": CANARIES["locality"]},
    }
    changed = site.api(token, "PATCH", f"/profiles/{account}", changes)
    assert changed.status == 200, changed.body
    scope = "openid profile email phone address offline_access"
    code, verifier = site.code(person, scope=scope, login_hint=EMAIL)
    tokens = site.exchange(code, verifier, redirect=CALLBACK).json
    tokens = site.refresh(tokens["refresh_token"]).json
    told = site.userinfo(tokens["access_token"]).json
    assert (told["email"], told["given_name"], told["phone_number"]) == (EMAIL, CANARIES["given name"], CANARIES["phone"])
    stranger = site.person(agent=AGENT, address=ADDRESS)
    page = stranger.fill(stranger.go(stranger.once(f"{site.issuer}/recover")), identifier=EMAIL)
    page = stranger.fill(page, code=server.code_for(EMAIL))
    page = stranger.fill(page, new_password=f"{PASSWORD} noch einmal")
    assert page.url.endswith("/account"), page.words[:300]
    code, verifier = site.code(stranger, scope=scope)
    tokens = site.exchange(code, verifier, redirect=CALLBACK).json
    _err(server)
    return account, tokens


def _err(server: Public) -> None:
    """Make the mistakes that tend to end in logs: wrong passwords, unknown addresses, broken requests that carry personal data."""
    site = server.site()
    for identifier in (EMAIL, UNKNOWN):
        person = site.person(agent=AGENT, address=ADDRESS)
        page = person.fill(person.go(person.once(f"{site.issuer}/signin")), identifier=identifier)
        person.fill(page, password=f"{PASSWORD}?")
        page = person.fill(person.go(person.once(f"{site.issuer}/signup")), identifier=identifier)
    about = {"User-Agent": AGENT, "X-Forwarded-For": ADDRESS, "Referer": f"https://{CANARIES['website']}/{EMAIL}"}
    for path in (f"/nowhere/{EMAIL}", f"/signin?identifier={EMAIL}", f"/oauth/authorize?client_id={EMAIL}&login_hint={EMAIL}", f"/api/v1/accounts/{EMAIL}"):
        assert send(site.port, "GET", f"{site.issuer}{path}", None, about).status < 500
    for path in ("/oauth/token", "/oauth/introspect", "/oauth/revoke", "/oauth/authorize", "/oauth/logout", "/signin"):
        reply = site.post(path, {"client_id": EMAIL, "client_secret": PASSWORD, "token": PASSWORD, "login_hint": EMAIL, "identifier": EMAIL}, about)
        assert reply.status < 500, path
    site.api(site.service(API), "POST", "/accounts", {"identifiers": [{"value": EMAIL}], "nickname": CANARIES["nickname"]})


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """The server, still running, after the customer's life with it."""
    folder = tmp_path_factory.mktemp(f"canary-{request.param}")
    places, database = [folder], ""
    cluster = None
    if request.param == "postgresql":
        cluster = Cluster({"fsync": "off", "log_min_messages": "info", "log_statement": "none", "log_min_error_statement": "error"})
        cluster.start()
        database, places = new_database(cluster), [folder, cluster.folder]
    try:
        with collector(folder / "spans.otlp") as traces, public(folder, database, traces=traces) as server:
            account, tokens = _live(server)
            yield Case(server, account, tokens, places)
    finally:
        if cluster is not None:
            cluster.drop()


def test_the_search_finds_what_is_there() -> None:
    """Each canary is found in each of its forms in the midst of other octets, so that finding none means something."""
    together = b"\0\n".join(_SOUGHT)
    assert found_in(together) == set(CANARIES)
    for form in list(_SOUGHT)[::40]:
        assert found_in(b"\x07vor" + form + b"nach\0"), form
    assert found_in(base64.b64encode(b"x" + EMAIL.encode() + b"yz")) == {"e-mail"}
    assert found_in(b"nothing of hers") == set()


def test_no_octet_of_the_database_shows_a_customer(case: Case) -> None:
    """The database's files (WAL, freed pages, PostgreSQL's own log), the server's log and its folder, while it runs and after it ended."""
    _settle(case)
    assert search(case.files()) == set()
    case.server.stop()
    assert search(case.files()) == set()
    case.server.start()


def test_traces_show_nobody(case: Case) -> None:
    """Every octet that the server sent to the collector, with spans of sign-ins, tokens, mails and broken requests among them."""
    file = case.server.folder / "spans.otlp"
    case.server.stop()
    case.server.start()
    octets = file.read_bytes()
    for name in (b"POST /signin", b"POST /oauth/token", b"password hash", b"job notices.mail", b"GET /(none)", b"limen.work.statements"):
        assert name in octets, name
    assert found_in(octets) == set()
    assert not [marked for marked in (b"acc_", b"ses_", b"jny_", b"lmn_", b"eyJ") if marked in octets]
    assert not [name for name, secret in case.tokens.items() if name != "expires_in" and str(secret).encode() in octets]  # 600 stands anywhere


def _settle(case: Case) -> None:
    """Have PostgreSQL write its pages; SQLite's lie in the WAL already."""
    if case.server.database:

        async def checkpoint() -> None:
            connection = await asyncpg.connect(case.server.database)
            await connection.execute("CHECKPOINT")
            await connection.close()

        asyncio.run(checkpoint())


def test_figures_configuration_and_audit_show_nobody(case: Case) -> None:
    """Metrics, `export` and the audit log, as an operator reads them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{case.server.metrics}/metrics", timeout=5) as answer:
        assert found_in(answer.read()) == set()
    exported = case.server.run("export").stdout.encode()
    assert b"[[tenant" in exported
    assert found_in(exported) == set()
    assert not any(secret.encode() in exported for secret in ("a secret of the shop", "a secret of the service"))
    site = case.server.site()
    facts = site.api(site.service("limen:audit:read"), "GET", "/audit/facts?limit=200")
    assert facts.status == 200, facts.body
    assert len(facts.json["facts"]) > 20
    assert found_in(facts.body) == set()


def test_nothing_of_hers_waits_in_the_outbox(case: Case) -> None:
    """Payloads are sealed and leave with the message; the commands that show the outbox show no address."""
    assert found_in(case.server.run("outbox", "list").stdout.encode()) == set()


def test_a_forgotten_customer_does_not_open(case: Case) -> None:
    """Her key destroyed, neither the server nor the keyring reads what is left of her, and no row holds the key any more."""
    case.server.stop()
    asyncio.run(_forget(case))
    case.server.start()
    site = case.server.site()
    told = site.api(site.service(API), "GET", f"/profiles/{case.account}")
    assert found_in(told.body) == set(), told.body
    assert told.status < 500, told.body
    info = site.userinfo(case.tokens["access_token"])
    assert info.status < 500, info.body
    assert found_in(info.body) == set()
    _settle(case)
    assert search(case.files()) == set()


async def _forget(case: Case) -> None:
    tenant, account = TenantId("acme"), AccountId(case.account)
    wrapped = await _wrapped(case)
    assert wrapped
    async with ground.opened(settings.load(case.server.config)) as opened:
        async with opened.db.read(tenant) as reader:
            await keys.subject_box(reader, account)
        async with opened.db.work(tenant, SYSTEM) as work:
            await keys.forget_subject(work, account)
        async with opened.db.read(tenant) as reader:
            with pytest.raises(keys.Forgotten):
                await keys.subject_box(reader, account)
    assert not await _wrapped(case)
    if not case.server.database:
        file = case.server.folder / "limen.db"
        with contextlib.closing(apsw.Connection(str(file))) as connection:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        assert wrapped not in file.read_bytes()


async def _wrapped(case: Case) -> bytes:
    """Return the customer's wrapped key as it stands in the database; empty where it is gone."""
    if case.server.database:
        postgres = await asyncpg.connect(case.server.database)
        try:
            found = await postgres.fetchval("SELECT wrapped FROM subject_keys WHERE subject = $1", case.account)
        finally:
            await postgres.close()
        return bytes(found or b"")
    with contextlib.closing(apsw.Connection(str(case.server.folder / "limen.db"))) as connection:
        row = connection.execute("SELECT wrapped FROM subject_keys WHERE subject = ?", (case.account,)).fetchone()
    return bytes(row[0]) if row else b""
