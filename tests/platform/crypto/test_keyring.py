"""The keyring: files only their owner reads, rotation while others use it, and destruction that reaches everything."""

from __future__ import annotations

import base64
import os
import pickle
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from limen.kernel.errors import LimenError
from limen.platform.crypto import (
    Keyring,
    KeyringDamaged,
    KeyringExposed,
    KeyringMissing,
    KeyringSettings,
    MasterElsewhere,
    Place,
    UnknownEpoch,
    UnknownMaster,
    Unsealable,
    new_key,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
HERE = Place("subject_keys", "wrapped", "acme", "acc_1")


@pytest.fixture
def settings(tmp_path: Path) -> KeyringSettings:
    return KeyringSettings(tmp_path / "keys" / "master.key", tmp_path / "keys" / "epochs")


@pytest.fixture
def keyring(settings: KeyringSettings) -> Keyring:
    return Keyring.create(settings, NOW, {})


def test_creating_makes_private_files_once(settings: KeyringSettings) -> None:
    """The files are readable by their owner alone, and a second `create` changes nothing."""
    first = Keyring.create(settings, NOW, {})
    content = settings.file.read_bytes()
    second = Keyring.create(settings, NOW + MONTH, {})
    assert settings.file.read_bytes() == content
    assert first.current_epoch == second.current_epoch
    files = [settings.file, *settings.epochs.glob("*.key")]
    assert len(files) == 2
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert settings.epochs.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("which", ["master", "epoch"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_others_can_read_is_refused(settings: KeyringSettings, keyring: Keyring, which: str, mode: int) -> None:
    """The refusal names the file and the command that mends it."""
    path = settings.file if which == "master" else next(settings.epochs.glob("*.key"))
    path.chmod(mode)
    with pytest.raises(KeyringExposed, match=f"chmod 600 {path}"):
        Keyring.load(settings, {})
    del keyring


def test_a_missing_keyring_says_what_to_do(settings: KeyringSettings) -> None:
    """Loading where there is nothing names the command to run; so does a missing epoch folder."""
    with pytest.raises(KeyringMissing, match="limen init"):
        Keyring.load(settings, {})
    Keyring.create(settings, NOW, {})
    for path in settings.epochs.glob("*.key"):
        path.unlink()
    with pytest.raises(KeyringMissing, match="no epoch key"):
        Keyring.load(settings, {})


@pytest.mark.parametrize("content", [b"", b"rubbish\n", b"limen-key-v1 00000000 - AAAA\n", b"\xff\xfe", b"limen-key-v1 a 2026-01-01T00:00:00 x\n", b"x" * 9000])
def test_a_damaged_file_is_refused(settings: KeyringSettings, keyring: Keyring, content: bytes) -> None:
    """A file that is no key file is refused by name, and its content is not repeated."""
    settings.file.write_bytes(content)
    with pytest.raises(KeyringDamaged, match=str(settings.file)) as caught:
        Keyring.load(settings, {})
    assert "rubbish" not in str(caught.value)
    del keyring


def test_a_key_that_is_not_what_its_name_says_is_refused(settings: KeyringSettings, keyring: Keyring) -> None:
    """One mistyped letter in a restored file is noticed before anything is sealed under it."""
    line = settings.file.read_text()
    at = line.rindex(" ") + 1
    settings.file.write_text(line[:at] + ("A" if line[at] != "A" else "B") + line[at + 1 :])
    with pytest.raises(KeyringDamaged, match="not the one its name says"):
        Keyring.load(settings, {})
    del keyring


def test_epochs_live_for_two_rotations(settings: KeyringSettings, keyring: Keyring) -> None:
    """A value opens in its own epoch and the next, and never again after: not by this keyring, not by a fresh one."""
    sealed = keyring.epoch_wrap(b"k" * 32, HERE)
    first = keyring.current_epoch
    assert keyring.rotate_epoch(NOW + MONTH) == ()
    assert keyring.epoch_unwrap(sealed, HERE) == b"k" * 32
    assert keyring.rotate_epoch(NOW + 2 * MONTH) == (first,)
    for ring in (keyring, Keyring.load(settings, {})):
        with pytest.raises(UnknownEpoch, match=first):
            ring.epoch_unwrap(sealed, HERE)
    assert keyring.epoch_of(sealed) == first


def test_the_previous_epoch_can_be_destroyed_now(settings: KeyringSettings, keyring: Keyring) -> None:
    """`destroy_previous` leaves one key, and no octet of the other in the folder."""
    sealed = keyring.seal(b"x", HERE)
    old = next(settings.epochs.glob("*.key")).read_bytes()
    keyring.rotate_epoch(NOW + MONTH)
    keyring.destroy_previous()
    with pytest.raises(UnknownEpoch):
        keyring.open(sealed, HERE)
    assert len(list(settings.epochs.glob("*.key"))) == 1
    assert not any(old.split()[-1] in path.read_bytes() for path in settings.epochs.iterdir())


def test_an_opened_key_is_at_hand_no_longer_than_its_epoch(keyring: Keyring) -> None:
    """Asked for again it is the same box, at its own place alone; a destroyed epoch, and a key let go, leave none."""
    wrapped = keyring.epoch_wrap(new_key(), HERE)
    box = keyring.epoch_box(wrapped, HERE)
    assert keyring.epoch_box(wrapped, HERE) is box
    with pytest.raises(Unsealable):
        keyring.epoch_box(wrapped, Place("subject_keys", "wrapped", "other", "acc_1"))
    keyring.let_go()
    again = keyring.epoch_box(wrapped, HERE)
    assert again is not box
    assert again.open(box.seal(b"x", HERE), HERE) == b"x"
    keyring.rotate_epoch(NOW + MONTH)
    keyring.destroy_previous()
    with pytest.raises(UnknownEpoch):
        keyring.epoch_box(wrapped, HERE)


def test_an_opened_key_is_at_hand_for_a_minute(keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no longer, whether or not anybody said that it was destroyed."""
    moment = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    wrapped = keyring.epoch_wrap(new_key(), HERE)
    box = keyring.epoch_box(wrapped, HERE)
    moment += 59
    assert keyring.epoch_box(wrapped, HERE) is box
    moment += 2
    assert keyring.epoch_box(wrapped, HERE) is not box


def test_another_process_follows_a_rotation(settings: KeyringSettings, keyring: Keyring) -> None:
    """A keyring that meets an unknown epoch reads the folder again, and soon seals under the new one itself."""
    other = Keyring.load(settings, {})
    keyring.rotate_epoch(NOW + MONTH)
    sealed = keyring.seal(b"x", HERE)
    assert other.open(sealed, HERE) == b"x"
    assert other.current_epoch == keyring.current_epoch


def test_dates_say_when_each_epoch_ends(keyring: Keyring) -> None:
    """The current key ends two epochs after it began, the previous one epoch after its successor came."""
    keyring.rotate_epoch(NOW + MONTH)
    current, previous = keyring.epochs()
    assert (current.current, previous.current) == (True, False)
    assert (previous.created, previous.ends) == (NOW, NOW + 2 * MONTH)
    assert (current.created, current.ends) == (NOW + MONTH, NOW + 3 * MONTH)


def test_rotation_with_a_clock_that_went_back(keyring: Keyring) -> None:
    """The newest key is the one made last, whatever the clock said."""
    first = keyring.current_epoch
    keyring.rotate_epoch(NOW - MONTH)
    assert keyring.current_epoch != first
    assert [epoch.id for epoch in keyring.epochs()][1] == first


def test_readers_never_stumble_over_a_rotation(settings: KeyringSettings, keyring: Keyring) -> None:
    """While one process rotates and destroys without pause, others load and seal; at most a value is two epochs old when it is opened."""
    errors: list[LimenError] = []
    stop = threading.Event()

    def use() -> None:
        while not stop.is_set():
            try:
                ring = Keyring.load(settings, {})
                ring.open(ring.seal(b"x", HERE), HERE)
            except UnknownEpoch:
                continue
            except LimenError as error:
                errors.append(error)

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for count in range(30):
        keyring.rotate_epoch(NOW + count * MONTH)
        keyring.rotate_master(NOW + count * MONTH)
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []


def test_the_master_key_rotates_with_the_previous_one(settings: KeyringSettings, keyring: Keyring) -> None:
    """Both open until the previous is destroyed; another process wraps under the new one at once and opens both."""
    other = Keyring.load(settings, {})
    before = keyring.master_wrap(b"k" * 32, HERE)
    assert keyring.rotate_master(NOW + MONTH) == ()
    after = other.master_wrap(b"k" * 32, HERE)
    assert Keyring.epoch_of(after) == keyring.master == other.master
    assert other.master_unwrap(before, HERE) == keyring.master_unwrap(after, HERE) == b"k" * 32
    assert [created for _, created in keyring.masters] == [NOW + MONTH, NOW]
    assert len(keyring.destroy_previous_master()) == 1
    with pytest.raises(UnknownMaster, match="not in the keyring"):
        Keyring.load(settings, {}).master_unwrap(before, HERE)
    with pytest.raises(UnknownMaster):
        keyring.master_unwrap(before, HERE)


def test_a_wrapped_key_belongs_to_its_place(keyring: Keyring) -> None:
    """A wrapped key moved to another tenant's row does not open, under master and epoch alike."""
    elsewhere = Place("subject_keys", "wrapped", "other", "acc_1")
    with pytest.raises(Unsealable):
        keyring.master_unwrap(keyring.master_wrap(b"k" * 32, HERE), elsewhere)
    with pytest.raises(Unsealable):
        keyring.epoch_unwrap(keyring.epoch_wrap(b"k" * 32, HERE), elsewhere)
    for rubbish in (b"", b"\x02" + b"x" * 60):
        with pytest.raises(Unsealable):
            keyring.open(rubbish, HERE)


def test_the_master_key_from_the_environment(settings: KeyringSettings) -> None:
    """A variable takes the place of the file; new, comma, old rotates; what cannot be changed here is refused with the way to do it."""
    old, fresh = (base64.b64encode(new_key()).decode() for _ in range(2))
    ring = Keyring.create(settings, NOW, {"LIMEN_MASTER_KEY": old})
    assert not settings.file.exists()
    wrapped = ring.master_wrap(b"k" * 32, HERE)
    both = Keyring.load(settings, {"LIMEN_MASTER_KEY": f"{fresh},{old}"})
    assert both.master_unwrap(wrapped, HERE) == b"k" * 32
    assert both.master != ring.master
    assert both.master_is_elsewhere
    with pytest.raises(MasterElsewhere, match="LIMEN_MASTER_KEY"):
        both.rotate_master(NOW)
    with pytest.raises(MasterElsewhere, match="LIMEN_MASTER_KEY"):
        both.destroy_previous_master()
    with pytest.raises(KeyringDamaged, match="LIMEN_MASTER_KEY must be 32 octets") as caught:
        Keyring.load(settings, {"LIMEN_MASTER_KEY": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_a_keyring_keeps_its_keys_to_itself(keyring: Keyring, settings: KeyringSettings) -> None:
    """No key in repr or pickle; a folder without permission is an error that names it."""
    text = settings.file.read_text().split()[-1]
    assert text not in repr(keyring)
    with pytest.raises(TypeError):
        pickle.dumps(keyring)


def test_files_survive_half_a_write(settings: KeyringSettings, keyring: Keyring) -> None:
    """What a killed writer left behind is not mistaken for a key."""
    (settings.epochs / ".2026-03-01-abcd.key.123456").write_bytes(b"limen-key-v1 half")
    os.utime(settings.epochs)
    assert Keyring.load(settings, {}).current_epoch == keyring.current_epoch
