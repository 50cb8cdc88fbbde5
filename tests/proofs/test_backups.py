"""A backup of a server that serves, put back elsewhere as an operator does it: by commands, with the keys carried over."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from tests.proofs.house import PATIENT, TENANTS, House, new_database
from tests.proofs.kept import Kept, begun
from tests.rig.postgres import Cluster
from tests.rig.server import LIMEN

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proofs")]


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[House, House]:
    """A prepared server, and the configuration of another that has neither keys nor data."""
    databases = ["", ""]
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        databases = [new_database(cluster), new_database(cluster)]
    one, other = (House(tmp_path / name, database, extra=PATIENT) for name, database in zip(("one", "other"), databases, strict=True))
    for house in (one, other):
        house.folder.mkdir()
    one.prepare(TENANTS)
    other.write()
    return one, other


def refused(server: House, *words: str) -> str:
    done = subprocess.run([*LIMEN, *words, "--config", str(server.config)], capture_output=True, text=True, check=False, timeout=60, cwd=server.folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    return done.stderr


def test_from_one_machine_to_another(places: tuple[House, House]) -> None:
    """Made under load and after an epoch ended, it holds all that was acknowledged before; it wants its keys, an empty place, and no server there."""
    one, other = places
    one.start()
    try:
        kept = begun(one.site())
        one.run("key", "rotate", "--epoch")
        kept.add()
        enough = threading.Event()
        beside = Kept(kept.site, kept.person, "")

        def write() -> None:
            while not enough.is_set():
                beside.add()

        writing = threading.Thread(target=write)
        writing.start()
        try:
            said = one.run("backup", str(one.folder / "copy")).stdout
        finally:
            enough.set()
            writing.join()
        assert beside.emails
    finally:
        one.stop()
    for words in ("master key ", "epoch key ", "It can be restored until 20"):
        assert words in said
    copy = str(one.folder / "copy")
    assert "Put the keys there that were in use when the backup was made" in refused(other, "restore", copy)
    other.run("init")
    assert re.search(r"sealed under the master key \w+, which is not in the keyring", refused(other, "restore", copy))
    shutil.rmtree(other.folder / "keys")
    shutil.copytree(one.folder / "keys", other.folder / "keys")
    assert "Its last entry in the log is of 20" in other.run("restore", copy).stdout
    assert "holds data. Say --force" in refused(other, "restore", copy)
    other.start()
    try:
        there = Kept(other.site(), other.site().person(), kept.refresh, kept.emails)
        there.person.jar = {other.issuer.partition("//")[2]: dict(kept.person.cookies(kept.site))}
        there.check()
        assert re.search(r"in use: end the server first|servers are using", refused(other, "restore", copy, "--force"))
    finally:
        other.stop()
