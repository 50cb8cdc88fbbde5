"""Disk full, fsync failed, database gone, mail server gone: said clearly to person and operator, nothing acknowledged lost, back without a restart."""

from __future__ import annotations

import resource
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.proofs import failing
from tests.proofs.house import PATIENT, TENANTS, House, Person, Reply, Site, new_database, send, until
from tests.proofs.kept import begun
from tests.proofs.public import public
from tests.rig import server as rig
from tests.rig.postgres import Cluster
from tests.rig.walker import Seen

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proofs")]


def _waits(seen_headers: dict[str, str]) -> bool:
    return 0 < int(seen_headers.get("retry-after", "0")) <= 120


def _says_so(site: Site) -> None:
    """A page that says what to do, OAuth's JSON, the API's: each 503 with Retry-After, none with a word from inside."""
    person = site.person()
    began = time.monotonic()
    page = person.once(f"{site.issuer}/signup")
    assert page.status == 503, page.words
    assert _waits(page.headers)
    assert "Please try again in a moment" in page.words
    person.language = "de"
    assert "Please" not in person.once(f"{site.issuer}/signup").words
    token = site.post("/oauth/token", {"grant_type": "client_credentials", "client_id": "svc", "client_secret": site.secret("svc"), "scope": "orders"})
    assert (token.status, token.error) == (503, "temporarily_unavailable")
    assert _waits(token.headers)
    for text in (page.text, token.body.decode()):
        assert not any(word in text.lower() for word in ("sqlite", "postgres", "traceback", "apsw", "asyncpg", "ioerror", "disk"))
    assert time.monotonic() - began < 30


def _operator_was_told(server: House, *words: str) -> None:
    text = server.log.read_text()
    assert "Traceback" not in text, text[-3000:]
    assert any(word in text for word in words), text[-3000:]


@contextmanager
def _disk_limit(server: House) -> Iterator[None]:
    """Let no file of the server grow beyond what its WAL has: what a full disk does, without one."""
    assert server.process is not None
    pid = server.process.pid
    usual = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    size = max((server.folder / name).stat().st_size for name in ("limen.db-wal", "server.log"))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 2048, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)


@contextmanager
def _on_the_failing_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[House, Path]]:
    mood = folder / "mood"
    monkeypatch.setenv(failing.MOOD, str(mood))
    server = House(folder, extra=PATIENT)
    server.prepare(TENANTS)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setattr(rig, "LIMEN", (sys.executable, "-m", "tests.proofs.failing"))
    try:
        server.start()
        yield server, mood
    finally:
        server.stop()


def _fill(site: Site) -> None:
    """Write until nothing can be written any more."""

    def refused() -> bool:
        return site.person().once(f"{site.issuer}/signup").status == 503

    until(refused, 20)


def test_no_file_may_grow(tmp_path: Path) -> None:
    """SQLite at the end of its disk quota (EFBIG, as ENOSPC): 503 while it lasts, then as if nothing had been."""
    server = House(tmp_path, extra=PATIENT)
    server.prepare(TENANTS)
    server.start()
    try:
        kept = begun(server.site())
        with _disk_limit(server):
            _fill(kept.site)
            _says_so(kept.site)
        kept.add()
        kept.check()
        assert server.process is not None
        assert server.process.poll() is None
        _operator_was_told(server, "database_unavailable", "database_full")
    finally:
        server.stop()


@pytest.mark.parametrize(("ails", "says"), [("full", "the database's disk is full"), ("readonly", "ReadOnlyError")])
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ails: str, says: str) -> None:
    """SQLITE_FULL or SQLITE_READONLY (a disk mounted anew after an error) at every write: likewise, and the operator reads which."""
    with _on_the_failing_disk(tmp_path, monkeypatch) as (server, mood):
        kept = begun(server.site())
        mood.write_text(ails)
        _fill(kept.site)
        _says_so(kept.site)
        mood.write_text("")
        kept.add()
        kept.check()
        _operator_was_told(server, says)


def test_the_file_gone_and_back(tmp_path: Path) -> None:
    """Moved away, or another put in its place, while it is served: nobody is told that something was stored that no file will have; back, it goes on."""
    server = House(tmp_path, extra=PATIENT)
    server.prepare(TENANTS)
    server.start()
    try:
        kept = begun(server.site())
        file, away = tmp_path / "limen.db", tmp_path / "limen.db.away"
        for other in (None, b"another file"):
            file.rename(away)
            if other is not None:
                file.write_bytes(other)
            _says_so(kept.site)
            ready = _answer(kept.site, "/health/ready")
            assert (ready.status, ready.json["failing"]) == (503, ["database"])
            away.rename(file)
            until(lambda: _answer(kept.site, "/health/ready").status == 200, 15)
            kept.add()
            kept.check()
        _operator_was_told(server, "limen.db was moved or deleted while it was served")
        _operator_was_told(server, "limen.db was replaced by another file while it was served")
    finally:
        server.stop()


def test_a_failed_fsync_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the disk holds is unknown then: nobody is told that all is well, one line says why, and the next start finds all that was acknowledged."""
    with _on_the_failing_disk(tmp_path, monkeypatch) as (server, mood):
        kept = begun(server.site())
        mood.write_text("fsync")
        with pytest.raises(OSError):  # noqa: PT011 - whatever a client sees of a connection that is cut
            kept.site.service("orders")
        assert server.process is not None
        assert server.process.wait(10) == 74
        last = server.log.read_text().splitlines()[-1]
        assert last.startswith("limen: the disk failed to make ")
        assert "Check the disk first." in last
        mood.write_text("")
        server.start()
        kept.check()


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server that the test may stop."""
    cluster = Cluster()
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.drop()


def test_postgresql_gone_and_back(tmp_path: Path, own_cluster: Cluster) -> None:
    """Stopped in good order and by a crash: 503 and not ready meanwhile, and back as soon as it is."""
    server = House(tmp_path, new_database(own_cluster), extra=PATIENT)
    server.prepare(TENANTS)
    server.start()
    try:
        kept = begun(server.site())
        for how in (signal.SIGINT, signal.SIGQUIT):
            own_cluster.stop(how)
            _says_so(kept.site)
            ready = _answer(kept.site, "/health/ready")
            assert (ready.status, ready.json["failing"]) == (503, ["database"])
            assert _answer(kept.site, "/health/live").status == 200
            own_cluster.start()
            until(lambda: _answer(kept.site, "/health/ready").status == 200, 15)
            kept.add()
            kept.check()
        _operator_was_told(server, "database_unavailable")
        assert _told(server, "request.failed") <= 10, "a line for each request that failed"
        assert _told(server, "the outbox stands still") <= 2
    finally:
        server.stop()


def _told(server: House, words: str) -> int:
    return sum(words in line for line in server.log.read_text().splitlines())


def _answer(site: Site, path: str) -> Reply:
    return send(site.port, "GET", f"{site.issuer}{path}")


def test_the_mail_server_gone_and_back(tmp_path: Path) -> None:
    """Somebody who signs up meanwhile sees the usual page; her code comes once the mail server is there again, and the log says why it waited."""
    with public(tmp_path) as server:
        assert server.post is not None
        site = server.site()
        server.post.stop()
        email, person, page = _signing_up(site)
        until(lambda: "unreachable" in server.log.read_text(), 20)
        assert email not in server.log.read_text()
        server.post.start()
        page = person.fill(page, code=server.post.code_for(email, 60))
        assert any("new_password" in form.fields for form in page.forms), page.words
        _operator_was_told(server, "unreachable")


@pytest.mark.parametrize(
    ("mood", "reason"),
    [("greylists", "smtp 451 4.7.1"), ("hangs", "timed_out"), ("lets_go", "unreachable"), ("refuses_us", "smtp 554 5.7.1")],
)
def test_a_mail_server_with_moods(tmp_path: Path, mood: str, reason: str) -> None:
    """It asks to come again, says nothing, hangs up, or refuses us: the page is the usual one, the log says why, the code comes later."""
    with public(tmp_path) as server:
        assert server.post is not None
        moody, site = server.post.rig, server.site()
        match mood:
            case "greylists":
                moody.answers["RCPT"] = "451 4.7.1 greylisted, come again"
            case "hangs":
                moody.hangs.add("MAIL")
            case "lets_go":
                moody.drops.add("RCPT")
            case _:
                moody.answers["MAIL"] = "554 5.7.1 we do not know you"
        email, person, page = _signing_up(site)
        until(lambda: f'"{reason}"' in server.log.read_text(), 20)
        assert email not in server.log.read_text()
        for moods in (moody.answers, moody.hangs, moody.drops):
            moods.clear()
        page = person.fill(page, code=server.post.code_for(email, 60))
        assert any("new_password" in form.fields for form in page.forms), page.words
        assert server.run("outbox", "list", "--kind", "notices.mail").stdout == ""


def test_a_dead_letter_is_seen_and_sent_again(tmp_path: Path) -> None:
    """What the mail server refuses for good is given up: a figure, a line of the log and the list say so, without the address; replayed, it arrives."""
    with public(tmp_path) as server:
        assert server.post is not None
        server.post.rig.answers["RCPT"] = "550 5.1.1 no such user"
        email, person, page = _signing_up(server.site())
        until(lambda: "a job was given up" in server.log.read_text(), 20)
        (dead,) = server.run("outbox", "list", "--state", "dead").stdout.splitlines()
        tenant, job, kind, state, _, attempts, error = dead.split("\t")
        assert (tenant, kind, state, attempts, error) == ("acme", "notices.mail", "dead", "1", "smtp 550 5.1.1")
        until(lambda: "limen_outbox_dead 1.0" in _figures(server), 10)
        assert "jobs that were given up: 1" in _checked(server)
        assert email not in server.log.read_text() + dead
        server.post.rig.answers.clear()
        assert server.run("outbox", "replay", job).stdout == "1 sent on their way again\n"
        page = person.fill(page, code=server.post.code_for(email, 20))
        assert any("new_password" in form.fields for form in page.forms), page.words
        until(lambda: "limen_outbox_dead 0.0" in _figures(server), 10)


def _signing_up(site: Site) -> tuple[str, Person, Seen]:
    """Ask for a code; return the address, the browser, and the page that waits for the code."""
    email = f"patient-{secrets.token_hex(6)}@example.com"
    person = site.person()
    page = person.fill(person.go(person.once(f"{site.issuer}/signup")), identifier=email)
    assert any("code" in form.fields for form in page.forms), page.words
    return email, person, page


def _figures(server: House) -> str:
    return send(server.metrics, "GET", f"http://127.0.0.1:{server.metrics}/metrics").body.decode()


def _checked(server: House) -> str:
    done = subprocess.run([*rig.LIMEN, "check", "--config", str(server.config)], capture_output=True, text=True, check=False, timeout=60, cwd=server.folder)
    assert done.returncode == 1
    return done.stdout
