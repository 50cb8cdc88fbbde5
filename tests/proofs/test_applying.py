"""`limen apply` beside a server that serves: nobody is refused meanwhile, and what was applied holds within moments."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs.house import TENANTS, House, house, new_database, send, until
from tests.proofs.kept import Kept, begun
from tests.rig.postgres import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proofs")]

MANY = "".join(
    f'[[tenant]]\nname = "many-{number}"\n'
    + "".join(
        f'[[tenant.client]]\nid = "c{client}"\nkind = "service"\nsecret = "a secret of {number} and {client}"\nscopes = ["limen:accounts:read"]\n'
        for client in range(5)
    )
    for number in range(300)
)


@pytest.fixture(params=["sqlite", "postgresql"])
def serving(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A server on either database."""
    database = ""
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        database = new_database(cluster)
    with house(tmp_path, database) as server:
        yield server


def test_many_tenants_beside_a_server(serving: House) -> None:
    """Accounts are made all the time while 300 tenants come: each is made, each stays, and the new tenants answer."""
    kept = begun(serving.site())
    beside, enough = Kept(kept.site, kept.person, ""), threading.Event()

    def write() -> None:
        while not enough.is_set():
            beside.add()

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        (serving.folder / "many.toml").write_text(MANY)
        said = serving.run("apply", "many.toml").stdout
    finally:
        enough.set()
        for writer in writers:
            writer.join()
    assert said.count("\n") == 300 * 6
    assert len(beside.emails) > 3
    kept.emails += beside.emails
    kept.check()
    form = b"grant_type=client_credentials&client_id=c4&client_secret=a+secret+of+299+and+4"
    token = send(serving.port, "POST", f"{serving.issuer}/t/many-299/oauth/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
    assert token.status == 200, token.body
    assert serving.run("apply", "many.toml").stdout == "Nothing to change.\n"


def test_a_change_is_in_force_within_moments(serving: House) -> None:
    """A scope that is taken from a client, and one that is given back: the server that knew the client otherwise hears of it."""
    site = serving.site()
    assert site.service("orders")
    changed = TENANTS.replace('"limen:audit:read", "orders",', '"limen:audit:read",')
    for text, status in ((changed, 400), (TENANTS, 200)):
        (serving.folder / "tenants.toml").write_text(text)
        serving.run("apply", "tenants.toml")
        asked = {"grant_type": "client_credentials", "scope": "orders", "client_id": "svc", "client_secret": site.secret("svc")}
        until(lambda wanted=status, form=asked: site.post("/oauth/token", form).status == wanted, 5)
