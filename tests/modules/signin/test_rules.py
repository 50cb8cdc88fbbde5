"""When proofs are enough: the pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.kernel.ids import AccountId
from limen.modules.journey import Ask, Passed, Proof, Refused
from limen.modules.signin import falls_short, is_fresh, judge, reaches
from limen.modules.signin.model import Device
from limen.modules.signin.settings import Tenant

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ADA, EVE = AccountId("acc_ada"), AccountId("acc_eve")
MAIL = ("email", "ada@example.com")


def proof(factor: str = "password", account: AccountId | None = ADA, identifier: tuple[str, str] | None = None, at: datetime = NOW) -> Proof:
    acr, amr = ("aal1", ("pwd",)) if factor == "password" else ("lmn:email", ("otp",))
    return Proof(factor=factor, amr=amr, acr=acr, at=at, account=account, identifier=identifier)


def test_a_password_is_aal1_and_a_mailbox_reaches_no_level() -> None:
    """Together they are still aal1: e-mail never raises a level (SP 800-63B-4, 3.1.3.1)."""
    password, code = proof(), proof("email_code", at=NOW + timedelta(minutes=1))
    assert judge(ADA, [password], []) == Passed(account=ADA, acr="aal1", amr=("pwd",), auth_time=NOW)
    assert judge(ADA, [code], []) == Passed(account=ADA, acr="lmn:email", amr=("otp",), auth_time=NOW + timedelta(minutes=1))
    assert judge(ADA, [code, password], []) == Passed(account=ADA, acr="aal1", amr=("otp", "pwd"), auth_time=NOW + timedelta(minutes=1))


def test_a_proof_of_another_lets_nobody_in() -> None:
    """One strange proof among good ones refuses all."""
    assert judge(ADA, [], []) == Refused("nothing_proved")
    assert judge(ADA, [proof(account=EVE)], []) == Refused("proof_of_another")
    assert judge(ADA, [proof(), proof("email_code", EVE)], [MAIL]) == Refused("proof_of_another")


def test_a_proved_identifier_counts_for_whoever_has_it() -> None:
    """A proof from before the account was known counts if the account has that identifier."""
    code = proof("email_code", None, MAIL)
    assert isinstance(judge(ADA, [code], [MAIL]), Passed)
    assert judge(ADA, [code], [("email", "eve@example.com")]) == Refused("proof_of_another")
    assert judge(ADA, [proof(account=None)], [MAIL]) == Refused("proof_of_another")


@pytest.mark.parametrize(
    ("acr", "wanted", "does"),
    [("aal1", "aal1", True), ("aal2", "aal1", True), ("lmn:email", "aal1", False), ("aal1", "phr", False), ("phr", "phr", True), ("aal1", "lmn:email", True)],
)
def test_context_classes_are_ranked(acr: str, wanted: str, does: bool) -> None:  # noqa: FBT001 - an expectation
    """A stronger one reaches a weaker; what is not known is reached by itself alone."""
    assert reaches(acr, wanted) is does


def test_an_app_that_names_nothing_is_content() -> None:
    """Only named classes can be missed, and one of several is enough."""
    assert not falls_short("lmn:email", Ask())
    assert falls_short("lmn:email", Ask(acr_values=("aal2", "aal1")))
    assert not falls_short("aal1", Ask(acr_values=("aal2", "aal1")))


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_freshness_is_a_matter_of_seconds(age: int, most: int) -> None:
    """Exactly max_age is fresh, a microsecond more is not; prompt=login never is."""
    at = NOW - timedelta(seconds=age)
    assert is_fresh(at, Ask(max_age=most), NOW) == (age <= most)
    assert not is_fresh(at - timedelta(microseconds=1), Ask(max_age=age), NOW)
    assert is_fresh(at, Ask(), NOW)
    assert not is_fresh(at, Ask(prompt=frozenset({"login"})), NOW)


def test_a_browser_remembers_five() -> None:
    """The last five accounts, each once, the newest last."""
    device = Device("b")
    for n in (1, 2, 3, 2, 4, 5, 6):
        device = device.having(AccountId(f"acc_{n}"))
    assert device.accounts == ("acc_3", "acc_2", "acc_4", "acc_5", "acc_6")


def test_a_tenant_names_at_least_one_way_in() -> None:
    """No method, or one twice, refuses."""
    for methods in ((), ("password", "password")):
        with pytest.raises(ValueError, match="methods"):
            Tenant(methods=methods)
