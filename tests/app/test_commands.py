"""The verbs that begin and look after an installation, as an operator types them."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from limen.app import cli, ground, settings
from limen.app.reading import Misconfigured
from limen.kernel.clock import SystemClock
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import TenantId
from limen.modules import keys
from limen.modules.tenants import NoSuchTenant
from limen.platform.outbox import JobKind, enqueue
from limen.platform.sql import SchemaOutdated
from tests.proofs.house import new_database
from tests.rig.postgres import Cluster

TENANT = """
[[tenant]]
name = "acme"
default = true
[[tenant.client]]
id = "shop"
kind = "web"
secret = "a secret of the shop that only tests know"
redirect_uris = ["http://127.0.0.1:9009/callback"]
"""


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    """What commands print."""
    return capsys


@pytest.fixture(params=["sqlite", "postgresql"])
def here(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, or one whose limen.toml names an empty PostgreSQL database."""
    monkeypatch.chdir(tmp_path)
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        (tmp_path / "limen.toml").write_text(f'[server]\nmode = "dev"\n[database]\nurl = "{new_database(cluster)}"\n')
    return tmp_path


def run(*words: str) -> None:
    cli.run(list(words))


def test_from_nothing_to_a_configured_server(here: Path, said: pytest.CaptureFixture[str]) -> None:
    """init, apply and export: what is there is left alone, and applying an export changes nothing."""
    run("init")
    first = said.readouterr().out
    assert "made the master key var/master.key" in first
    assert "next: limen apply" in first
    assert stat.S_IMODE((here / "var/master.key").stat().st_mode) == 0o600
    key = (here / "var/master.key").read_text()
    run("init")
    again = said.readouterr().out
    assert "found the master key" in again
    assert "the database is at this version or beyond" in again
    assert (here / "var/master.key").read_text() == key
    (here / "acme.toml").write_text(TENANT)
    run("apply", "acme.toml", "--dry-run")
    assert said.readouterr().out == "+ acme tenant\n+ acme client shop\n"
    run("apply", "acme.toml")
    run("export")
    text = said.readouterr().out.partition("[[tenant]]")[2]
    assert 'secret = "unchanged"' in text
    (here / "again.toml").write_text(f"[[tenant]]{text}")
    run("apply", "again.toml")
    assert said.readouterr().out == "Nothing to change.\n"


def test_groups_stand_on_the_ground(here: Path, said: pytest.CaptureFixture[str]) -> None:
    """A verb of a module runs on the tenant that is named, else on the default one; tables are lines with tabs for scripts."""
    run("init")
    (here / "acme.toml").write_text(TENANT + '[[tenant]]\nname = "rival"\n')
    run("apply", "acme.toml")
    run("account", "add", "ada@example.com")
    account = said.readouterr().out.splitlines()[-1]
    run("account", "find", "ADA@example.com")
    assert said.readouterr().out.split("\t")[:2] == [account, "registered"]
    run("account", "suspend", account, "--reason", "chargeback")
    run("account", "find", account)
    assert "\tsuspended\t" in said.readouterr().out
    run("account", "resume", account)
    run("client", "list", "--tenant", "rival")
    assert said.readouterr().out == f"{account} is registered\n"
    run("client", "list")
    assert said.readouterr().out.startswith("shop\tweb\t")
    with pytest.raises(NoSuchTenant) as refused:
        run("client", "list", "--tenant", "nobody")
    assert "there is no tenant `nobody`" in refused.value.operator
    run("audit", "tail", "--kind", "accounts.", "--last", "2")
    lines = said.readouterr().out.splitlines()
    assert [line.split("\t")[1:4] for line in lines] == [
        ["accounts.account_suspended", "operator:command:account suspend", account],
        ["accounts.account_resumed", "operator:command:account resume", account],
    ]


def test_an_old_database_is_brought_up(here: Path, said: pytest.CaptureFixture[str]) -> None:
    """A command refuses a database it cannot serve and names the one that helps, whose dry run changes nothing."""
    run("init")
    said.readouterr()
    url = (here / "limen.toml").read_text().partition('[database]\nurl = "')[2].partition('"')[0]
    sql = "DROP TABLE dev_mailbox; UPDATE schema_versions SET number = 0 WHERE branch = 'mail'"
    if url.startswith("sqlite"):
        import apsw  # noqa: PLC0415 - one driver or the other

        connection = apsw.Connection(str(here / "var/limen.db"))
        connection.execute(sql)
        connection.close()
    else:
        subprocess.run(["psql", "-q", f"--command={sql}", url], check=True)
    with pytest.raises(SchemaOutdated) as refused:
        run("key", "list")
    assert "mail is at 0 of 1" in refused.value.operator
    assert "`limen upgrade`" in refused.value.operator
    for _ in range(2):
        run("upgrade", "--dry-run")
        assert said.readouterr().out.startswith("would run mail_0001: ")
    run("upgrade")
    assert said.readouterr().out.startswith("ran mail_0001: ")
    run("upgrade")
    assert said.readouterr().out == "the database is at this version or beyond\n"


def test_check_says_what_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: pytest.CaptureFixture[str]) -> None:
    """Keys beside the database, dev mode and tenants on one host are each a line; the exit code says that there is one."""
    monkeypatch.chdir(tmp_path)
    run("init")
    (tmp_path / "acme.toml").write_text(TENANT + '[tenant.password]\nminimum_alone = 8\n[[tenant]]\nname = "rival"\n')
    run("apply", "acme.toml")
    said.readouterr()
    with pytest.raises(SystemExit) as ended:
        run("check")
    assert ended.value.code == 1
    lines = said.readouterr().out
    assert 'server.mode is "dev"' in lines
    assert "the keyring lies beside the database" in lines
    assert "2 tenants stand under http://localhost:8400" in lines


def test_check_asks_for_the_proxy_of_a_public_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: pytest.CaptureFixture[str]) -> None:
    """In production somebody else ends TLS: that nobody's word about addresses and certificates is believed is a line; in dev mode it is none."""
    monkeypatch.chdir(tmp_path)
    run("init")
    config = tmp_path / "limen.toml"
    assert "trusted_proxies" not in _checked(said)
    config.write_text(config.read_text().replace('"dev"', '"production"').replace("http://localhost:8400", "https://id.example.com"))
    assert "server.trusted_proxies is empty" in _checked(said)
    config.write_text(config.read_text().replace('mode = "production"', 'mode = "production"\ntrusted_proxies = ["10.0.0.7"]'))
    assert "trusted_proxies" not in _checked(said)


class Nothing(msgspec.Struct):
    """What a job needs not know."""


async def _piled_up(config: Path, *, epoch_key: Path) -> None:
    """Let a newer version have been here, a job be given up, a person's epoch key be lost, and the epoch and a signing key have lasted too long."""
    async with ground.opened(settings.load(config)) as opened:
        db = opened.db
        async with db.work(TenantId("acme"), SYSTEM) as work:
            await enqueue(work, JobKind(name="test.dead", payload=Nothing, run=_run), Nothing())
        await db.execute("UPDATE outbox SET state = 'dead'")
        assert isinstance(db.clock, SystemClock)
        db.clock.offset -= timedelta(days=200)
        await keys.ensure(db, TenantId("acme"), "ES256")
        await db.execute("UPDATE schema_versions SET number = number + 1 WHERE branch = 'mail'")
        await db.execute("UPDATE subject_keys SET epoch = 'gone' WHERE subject = (SELECT min(subject) FROM subject_keys)")
    (line,) = epoch_key.read_text().splitlines()
    version, name, born, key = line.split(" ")
    epoch_key.write_text(f"{version} {name} {(datetime.fromisoformat(born) - timedelta(days=47)).isoformat()} {key}\n")


async def _run(_: object) -> None:
    return


def test_check_says_what_piled_up(here: Path, said: pytest.CaptureFixture[str]) -> None:
    """Jobs that were given up, people whose key is lost, an epoch and a signing key that nobody ended, a database ahead of the program: a line each."""
    run("init")
    assert "there is no tenant yet" in _checked(said)
    (here / "acme.toml").write_text(TENANT)
    run("apply", "acme.toml")
    for name in ("ada", "bob"):
        run("account", "add", f"{name}@example.com")
    assert "people" not in _checked(said)
    (epoch_key,) = (here / "var/epochs").glob("*.key")
    asyncio.run(_piled_up(here / "limen.toml", epoch_key=epoch_key))
    lines = _checked(said)
    assert "jobs that were given up: 1; see `limen outbox dead`" in lines
    assert "people whose data cannot be read: 1, since the epoch key gone is not in" in lines
    assert "the epoch is 17 days longer than meant" in lines
    assert "see why no server did" in lines
    assert "acme: the ES256 key signs 110 days longer than meant" in lines
    assert "brought up by a newer Limen (mail is at 2, this program at 1)" in lines


def _checked(said: pytest.CaptureFixture[str]) -> str:
    said.readouterr()
    with pytest.raises(SystemExit):
        run("check")
    return said.readouterr().out


def test_wrong_settings_stop_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the command, all mistakes of the file are told at once, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "limen.toml").write_text('[sever]\n[server]\nlistne = "x"\n')
    for words in (["init"], ["serve"], ["check"], ["backup", "x"], ["key", "list"]):
        with pytest.raises(Misconfigured) as refused:
            run(*words)
        assert "`server`" in refused.value.public
        assert "`listen`" in refused.value.public
    assert [path.name for path in tmp_path.iterdir()] == ["limen.toml"]


def test_a_taken_address_is_told(tmp_path: Path) -> None:
    """A port that somebody listens on: one line, with what to do, exit code 1."""
    import socket  # noqa: PLC0415 - only here

    words = [sys.executable, "-m", "limen"]
    subprocess.run([*words, "init"], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run([*words, "serve", "--port", port], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert (
        done.stderr
        == f"limen: cannot listen on 127.0.0.1:{port}: Address already in use. Choose another with --port, or end what listens there [address_taken]\n"
    )
