"""Argon2id hashes: parameters, normal form, limits, and equal cost for nobody."""

from __future__ import annotations

import time

import pytest

from limen.platform.crypto import PasswordTooLong, Unsealable, hash_password, needs_rehash, verify_nothing, verify_password


def test_a_hash_verifies_its_password_alone() -> None:
    """The parameters are the ones the design names; only the password itself verifies."""
    stored = hash_password("correct horse battery staple")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert verify_password(stored, "correct horse battery staple")
    assert not verify_password(stored, "correct horse battery stapl")
    assert not verify_password(stored, "")
    assert not needs_rehash(stored)


def test_normal_forms_are_one_password() -> None:
    """Composed and decomposed letters, and compatibility forms, are the same password (NFKC)."""
    assert verify_password(hash_password("Zu\u0308rich \u2460"), "Z\u00fcrich 1")


def test_nothing_is_cut() -> None:
    """A thousand and twenty-four octets count to the last one; one more is refused, however it came about."""
    stored = hash_password("x" * 1024)
    assert not verify_password(stored, "x" * 1023 + "y")
    for password in ("x" * 1025, "ü" * 513, "\ufdfa" * 60, "x" * 10_000_000):
        with pytest.raises(PasswordTooLong):
            hash_password(password)
        with pytest.raises(PasswordTooLong):
            verify_password(stored, password)


def test_surrogates_and_nul_are_octets_like_others() -> None:
    """Whatever text reaches hashing is hashed or refused, never an error of another kind."""
    for password in ("\ud800abc", "a\0b", "\U0010ffff"):
        assert verify_password(hash_password(password), password)
    assert not verify_password(hash_password("a\0b"), "a\0c")


def test_weaker_hashes_are_to_be_made_anew() -> None:
    """A hash with other parameters verifies and asks for a rehash."""
    from argon2 import PasswordHasher  # noqa: PLC0415 - only here

    weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(b"secret")
    assert verify_password(weak, "secret")
    assert needs_rehash(weak)


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$v=19$m=19456", "$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA", "$2b$12$abcdefghijklmnopqrstuv", "\ud800"])
def test_a_damaged_hash_is_no_wrong_password(stored: str) -> None:
    """A row that holds no Argon2 hash raises, so that it is noticed."""
    with pytest.raises(Unsealable):
        verify_password(stored, "secret")


def test_nobody_costs_as_much_as_somebody() -> None:
    """The dummy verification spends the same time, medians within a third even on a noisy machine."""
    stored = hash_password("secret")
    verify_nothing("warm up")
    somebody: list[float] = []
    nobody: list[float] = []
    for _ in range(9):
        for times, call in ((somebody, lambda: verify_password(stored, "wrong")), (nobody, lambda: verify_nothing("wrong"))):
            began = time.thread_time()
            call()
            times.append(time.thread_time() - began)
    ratio = sorted(nobody)[4] / sorted(somebody)[4]
    assert 0.67 < ratio < 1.5
