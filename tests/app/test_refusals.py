"""What stands in a command's way is told in one line: what it is, where, and what to do. Nothing is made or changed by the attempt."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from limen.app import cli
from limen.platform.crypto import Keyring, KeyringSettings
from tests.proofs.house import new_database
from tests.rig.postgres import Cluster

TENANT = '[[tenant]]\nname = "acme"\ndefault = true\n[[tenant.client]]\nid = "shop"\nkind = "spa"\nredirect_uris = ["https://shop.example/"]\n'


class Here:
    """A folder with an installation, and the answers of commands in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def run(self, *words: str) -> str:
        """Run a command that succeeds; return what it printed."""
        self._capsys.readouterr()
        cli.run(list(words))
        return self._capsys.readouterr().out

    def refused(self, *words: str, status: int = 1, printing: bool = False) -> str:
        """Run a command that does not; return its one line. It may have printed something before."""
        self._capsys.readouterr()
        self._monkeypatch.setattr("sys.argv", ["limen", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = self._capsys.readouterr()
        assert ended.value.code == status
        assert printing or not said.out
        assert re.fullmatch(r"limen: [^\n]+\n", said.err), said.err
        return said.err

    def change(self, before: str, after: str) -> None:
        """Write something else into limen.toml."""
        config = self.folder / "limen.toml"
        text = config.read_text()
        assert before in text
        config.write_text(text.replace(before, after))

    def keyring(self, name: str) -> Keyring:
        """Make another keyring in a folder beside."""
        folder = self.folder / name
        return Keyring.create(KeyringSettings(file=folder / "master.key", epochs=folder / "epochs"), environ={})


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return Here(tmp_path, capsys, monkeypatch)


@pytest.fixture(params=["sqlite", "postgresql"])
def here(request: pytest.FixtureRequest, empty: Here) -> Here:
    """A folder with keys and an empty database."""
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        (empty.folder / "limen.toml").write_text(
            f'[server]\nmode = "dev"\n[database]\nurl = "{new_database(cluster)}"\n[keyring]\nfile = "var/master.key"\nepochs = "var/epochs"\n'
        )
    empty.run("init")
    return empty


def _peopled(here: Here) -> None:
    (here.folder / "acme.toml").write_text(TENANT)
    here.run("apply", "acme.toml")
    here.run("account", "add", "ada@example.com")


@pytest.mark.parametrize("words", [("key", "list"), ("serve",), ("check",), ("export",), ("backup", "copy")])
def test_a_mistyped_path_makes_no_database(empty: Here, words: tuple[str, ...]) -> None:
    """No command makes a database by the way: an empty server would look like a lost one."""
    empty.run("init")
    empty.change("var/limen.db", "vra/limen.db")
    said = empty.refused(*words)
    assert f"there is no database {empty.folder}/vra/limen.db: `limen init` makes one, or correct [database] url [database_missing]" in said
    assert not (empty.folder / "vra").exists()


def test_an_empty_database_is_told_from_an_old_one(empty: Here) -> None:
    """What was never brought up lists no versions it lacks."""
    empty.run("init")
    (empty.folder / "var/bare.db").touch()
    empty.change("var/limen.db", "var/bare.db")
    assert empty.refused("key", "list") == "limen: the database is empty: run `limen upgrade` [schema_outdated]\n"


def test_what_is_no_database_is_refused(empty: Here) -> None:
    """A folder, and a text."""
    empty.run("init")
    empty.change("var/limen.db", "var")
    assert f"{empty.folder}/var cannot be opened for writing: Is a directory" in empty.refused("key", "list")
    empty.change('"sqlite:///var"', '"sqlite:///limen.toml"')
    assert "limen.toml: file is not a database" in empty.refused("key", "list")


def test_the_master_key_of_another_database(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that is lacking is named, before anything is sealed under a key that does not belong here; from a file and from the environment."""
    _peopled(here)
    mine = next(line.split("\t")[1] for line in here.run("key", "list").splitlines() if line.startswith("master"))
    other = here.keyring("other")
    shutil.copy(here.folder / "other/master.key", here.folder / "var/foreign.key")
    here.change("var/master.key", "var/foreign.key")
    for words in (("key", "list"), ("serve",), ("backup", "copy"), ("account", "find", "ada@example.com")):
        said = here.refused(*words)
        assert f"sealed under the master key {mine}, which is not in {here.folder}/var/foreign.key" in said
        assert "[keyring_foreign]" in said
    monkeypatch.setenv("LIMEN_MASTER_KEY", (here.folder / "var/foreign.key").read_text().split()[-1])
    assert "which is not in LIMEN_MASTER_KEY" in here.refused("key", "list")
    assert other.master != mine


def test_the_epoch_keys_of_another_database(here: Here) -> None:
    """Nobody's data could be read: that is said at the start, and not to each person."""
    _peopled(here)
    here.keyring("other")
    here.change('"var/epochs"', '"other/epochs"')
    said = here.refused("serve")
    assert "people's data are sealed under the epoch key " in said
    assert f"not in {here.folder}/other/epochs" in said
    assert "Correct [keyring] epochs" in said


@pytest.mark.parametrize("lost", ["master.key", "epochs"])
def test_init_makes_no_new_keys_for_what_old_ones_sealed(here: Here, lost: str) -> None:
    """Lost keys are asked for; new ones beside the database would only hide that, and are taken back. With the old ones back all is well."""
    _peopled(here)
    place = here.folder / "var" / lost
    place.rename(here.folder / "lost")
    said = here.refused("init", printing=True)
    assert "[keyring_foreign]" in said
    assert list(place.parent.glob("*.key")) + list(place.glob("*.key")) == ([] if lost == "master.key" else [here.folder / "var/master.key"])
    shutil.rmtree(place, ignore_errors=True)
    (here.folder / "lost").rename(place)
    assert "found the master key var/master.key" in here.run("init")


def test_half_an_export_is_none(here: Here) -> None:
    """A name that is not there is refused before anything is printed."""
    _peopled(here)
    assert "there is no tenant `acem`. Did you mean acme?" in here.refused("export", "acme", "acem")


def test_a_backup_that_finds_no_room(here: Here) -> None:
    """It says that the disk of the copy is full, not that of the database, and leaves nothing half done."""
    _peopled(here)
    room = 100 if (here.folder / "var/limen.db").exists() else 20  # kB: enough to open the database, not for the copy
    words = f"ulimit -f {room}; exec {sys.executable} -m limen backup copy"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"limen: ([^\n]*copy[^\n]*(full|cannot be written)|pg_dump)[^\n]*\[backup_refused\]\n", done.stderr), done.stderr
    assert list(here.folder.glob("copy*")) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("account", "add", "ada@example.com"), "there is no tenant yet: `limen apply` makes the first [no_such_tenant]"),
        (("client", "list"), "there is no tenant yet"),
        (("apply", "acme.toml"), "there is no file acme.toml. Write one, or begin with what `limen export` prints [misconfigured]"),
        (("apply", "var"), "var cannot be read: Is a directory"),
        (("restore", "var"), "var cannot be read: Is a directory"),
        (("backup", "limen.toml"), "limen.toml exists; a backup overwrites nothing"),
        (("init", "--config", "limen.toml/limen.toml"), "limen.toml"),
        (("serve", "--port", "80000"), "option --port: [server] listen: '127.0.0.1:80000' is no address and port"),
        (("serve", "--workers", "65"), "option --workers: [server] workers: must be from 1 to 64"),
        (("demo", "--port", "80000"), "cannot listen on 127.0.0.1:80000: ports are from 0 to 65535"),
        (("audit", "tail", "--last", "-3"), "--last: -3 facts cannot be shown"),
        (("outbox", "replay"), "say which: the ids of dead letters"),
        (("outbox", "replay", "--kind", "mail.", "job_x"), "say which"),
        (("outbox", "replay", "--every", "job_x"), "say which"),
        (("outbox", "drop"), "say which"),
    ],
)
def test_what_cannot_be_meant(here: Here, words: tuple[str, ...], says: str) -> None:
    """A value that makes no sense, a file that is none, a tenant that is not there yet."""
    assert says in here.refused(*words)


@pytest.mark.parametrize("hours", ["-1", "721", "99999999999999"])
def test_a_mistyped_overlap_ends_no_secret(here: Here, hours: str) -> None:
    """Less than nothing is not nothing: the secret in use goes on."""
    _peopled(here)
    here.run("client", "add", "svc", "service")
    assert f"--overlap-hours: {hours} is not between 0 and 720 [bad_option]" in here.refused("client", "rotate", "svc", "--overlap-hours", hours)
    assert "secret_rotated" not in here.run("audit", "tail")


def test_names_that_are_nearly_right(here: Here) -> None:
    """The nearest tenant is suggested, and where a client's name can be looked up."""
    _peopled(here)
    assert "there is no tenant `acem`. Did you mean acme?" in here.refused("client", "list", "--tenant", "acem")
    for verb in ("rotate", "drop"):
        assert "acme has no client sohp; `limen client list` shows those it has" in here.refused("client", verb, "sohp")
    assert "--tenant stands before the command: write limen COMMAND --tenant" in here.refused("--tenant", "acme", "client", "list", status=2)


def test_a_list_of_stolen_passwords_that_cannot_be_read_is_told_before_serving(empty: Here, capsys: pytest.CaptureFixture[str]) -> None:
    """Missing or damaged: the server does not go without it silently. The command that makes it works meanwhile, and says what it made."""
    empty.run("init")
    with (empty.folder / "limen.toml").open("a") as config:
        config.write('\n[password]\nleaked = "var/leaked.filter"\n')
    said = empty.refused("serve")
    assert f"password.leaked: {empty.folder}/var/leaked.filter cannot be read: No such file or directory. Make it with `limen password leaked LIST`" in said
    (empty.folder / "list.txt").write_text(f"{'ABCDE' * 8}:3\n{'0' * 40}\n")
    assert "var/leaked.filter: 2 passwords, 64 octets. Servers take it when they start" in empty.run("password", "leaked", "list.txt")
    whole = (empty.folder / "var/leaked.filter").read_bytes()
    (empty.folder / "var/leaked.filter").write_bytes(whole[:-1])
    assert "is damaged: it is not as it was written. Make it again with" in empty.refused("serve")
    with pytest.raises(SystemExit):
        cli.run(["check"])
    assert "! servers will not start: password.leaked: " in capsys.readouterr().out


def test_a_filter_needs_a_place_and_a_list(empty: Here) -> None:
    """Nowhere to write, nothing to read, and hashes of another kind: each is one line."""
    empty.run("init")
    (empty.folder / "ntlm.txt").write_text("8846F7EAEE8FB117AD06BDD830B7586C:9\n")
    assert "say where it is to be: --out var/leaked.filter" in empty.refused("password", "leaked", "ntlm.txt")
    assert "ntlm.txt, line 1: these are NTLM hashes" in empty.refused("password", "leaked", "ntlm.txt", "--out", "leaked.filter")
    assert "nothing.txt: No such file or directory" in empty.refused("password", "leaked", "nothing.txt", "--out", "leaked.filter")
    assert "No such file or directory" in empty.refused("password", "leaked", "ntlm.txt", "--out", "nowhere/leaked.filter")
