"""Servers of the proofs: one on each database, shared by the tests that leave them whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.modules.oauth.conftest import door
from tests.proofs.house import House, house, new_database
from tests.rig.postgres import Cluster
from tests.rig.server import free_port

__all__ = ["door", "plain", "served"]


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running server with the three tenants; nobody stops it, fills it or turns its clock."""
    folder = tmp_path_factory.mktemp(f"proofs-{request.param}")
    database = ""
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        database = new_database(cluster)
    with house(folder, database, metrics=free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Likewise, on SQLite alone: for what does not depend on the database."""
    with house(tmp_path_factory.mktemp("proofs-plain")) as server:
        yield server
