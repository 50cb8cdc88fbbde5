"""A year in which signing keys and epochs rotate by themselves, over HTTP: no token fails before its time, and nobody's data is lost."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest

from limen.modules import accounts, keys
from limen.platform.crypto import Keyring, KeyringSettings
from tests.modules.oauth.conftest import Door, Person, door
from tests.modules.oauth.test_rotating import DAY, HOUR, kid_of, pass_by, shown, token, verifies

__all__ = ["door"]
pytestmark = pytest.mark.anyio

STEP = 12 * HOUR
ALIVE = 86_400 // STEP


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    """A keyring of the test's own, whose epochs begin by themselves."""
    return Keyring.create(KeyringSettings(tmp_path / "master.key", tmp_path / "epochs", by_itself=True), environ={})


async def address(door: Door, person: Person) -> list[str]:
    """Return what is sealed of the person."""
    async with door.world.read() as read:
        return [one.value for one in await accounts.identifiers(read, person.account)]


@pytest.mark.soak
async def test_a_year_of_rotations(door: Door) -> None:
    """Twice a day a token that lives a day is asked for; each verifies by the key set of then and by introspection, at every look until it ends."""
    await door.set("grants", access_token="PT24H")
    await door.set("keys", rotation="P30D")
    ada = await door.person()
    (known,) = await address(door, ada)
    alive: deque[str] = deque(maxlen=ALIVE)
    signed: set[str] = set()
    epochs: set[str] = set()
    checked = 0
    for step in range(365 * ALIVE):
        alive.append(await token(door))
        signed.add(kid_of(alive[-1]))
        epochs.add(door.world.keyring.current_epoch)
        await pass_by(door, STEP - 60 if step % 2 else STEP - 120)
        for one in alive:
            checked += 1
            assert await verifies(door, one), step
            assert await door.active(one, "orders-api"), step
        assert await address(door, ada) == [known], step
        assert len(await shown(door)) <= 3, step
        assert len(door.world.keyring.epochs()) <= 2, step
    print(f"a year: {len(signed)} signing keys, {len(epochs)} epochs, {checked} looks at tokens of a day, none failed")
    assert len(signed) >= 12
    assert len(epochs) >= 12


async def test_after_long_downtime(door: Door) -> None:
    """Nothing ran for over a year: the key of then signs until its successor, shown at the first look, takes over; nobody's data is lost."""
    (first,) = await shown(door)
    ada = await door.person()
    known = await address(door, ada)
    door.world.advance(400 * DAY)
    late = await token(door)
    assert kid_of(late) == first
    async with door.world.read() as read:
        assert [alg.value for alg, by in await keys.overdue(read) if by.days >= 300] == ["ES256"]
    await pass_by(door, 0)
    current, coming = await shown(door)
    assert current == first
    assert len(door.world.keyring.epochs()) == 2
    await pass_by(door, HOUR + 1)
    assert kid_of(await token(door)) == coming
    assert await shown(door) == [coming, first]
    assert await address(door, ada) == known
    async with door.world.read() as read:
        assert await keys.overdue(read) == []
    await pass_by(door, HOUR)
    assert len(door.world.keyring.epochs()) == 2
