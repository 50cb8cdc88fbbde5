"""Tests of keys rotate the keyring, so each has its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from limen.platform.crypto import Keyring, KeyringSettings


@pytest.fixture
def rings(tmp_path: Path) -> KeyringSettings:
    """Where the test's keyring is."""
    return KeyringSettings(tmp_path / "master.key", tmp_path / "epochs")


@pytest.fixture
def keyring(rings: KeyringSettings) -> Keyring:
    """The test's own keyring."""
    return Keyring.create(rings, environ={})
