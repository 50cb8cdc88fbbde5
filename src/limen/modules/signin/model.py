"""When proofs are enough and a session still is: pure rules of assurance (OpenID Connect Core 1.0, 3.1.2.1; SP 800-63B-4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, runtime_checkable

import msgspec

from limen.kernel.ids import AccountId
from limen.modules import factors, keys
from limen.modules.journey import Ask, Passed, Proof, Refused

SIGN_IN: Final = "sign_in"
SIGN_UP: Final = "sign_up"
RECOVER: Final = "recover"

_RANKS: Final = {"lmn:email": 1, "aal1": 2, "aal2": 3, "aal3": 4}
"""E-mail alone proves a mailbox and reaches no level."""

_TWO: Final = "aal2"

DEVICE_ACCOUNTS: Final = 5
DEVICE_LIFETIME: Final = timedelta(days=180)
DEVICES: Final = keys.Sealed(
    name="signin.devices", fades=DEVICE_LIFETIME, why="the cookie of a browser that signed somebody in lies there, and is sealed anew at the next sign-in"
)


@runtime_checkable
class Tells(Protocol):
    """An answer that can say whether attackers know it by now, though it may be right: a factor's fields have this method where they can."""

    def known(self, rules: object) -> bool:
        """True if they do and the tenant's `rules` for the factor want it changed. May take long: outside the event loop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed(factors.Matched):
    """The answer was right, and attackers know it by now: it lets her on, to choose another."""


def reaches(acr: str, wanted: str) -> bool:
    """True if a context class is as strong as another. What is not known is reached by itself alone."""
    if wanted not in _RANKS or acr not in _RANKS:
        return acr == wanted
    return _RANKS[acr] >= _RANKS[wanted]


def falls_short(acr: str, ask: Ask) -> bool:
    """True if the app named context classes and none of them is reached."""
    return bool(ask.acr_values) and not any(reaches(acr, wanted) for wanted in ask.acr_values)


def is_fresh(auth_time: datetime, ask: Ask, now: datetime) -> bool:
    """True unless the app asks for a sign-in now, or for one less long ago than this."""
    if "login" in ask.prompt:
        return False
    return ask.max_age is None or now - auth_time <= timedelta(seconds=ask.max_age)


def reached(proofs: Iterable[Proof]) -> str:
    """Return the context class that proofs reach together: that of the strongest, or `aal2` by something known and something held (SP 800-63B-4, 2.2.1)."""
    shown = tuple(proofs)
    alone = max((proof.acr for proof in shown), key=lambda name: _RANKS.get(name, 0))
    return _TWO if is_twofold(shown) and _RANKS.get(alone, 0) < _RANKS[_TWO] else alone


def is_twofold(proofs: Iterable[Proof]) -> bool:
    """True if something known and something held were shown."""
    return {"known", "held"} <= {proof.means for proof in proofs}


def judge(account: AccountId, proofs: Iterable[Proof], identifiers: Collection[tuple[str, str]]) -> Passed | Refused:
    """Say whether proofs let this account in, and how strongly: each must be the account's own or prove one of its identifiers."""
    shown = tuple(proofs)
    if not shown:
        return Refused("nothing_proved")
    for proof in shown:
        own = proof.account == account or (proof.account is None and proof.identifier in identifiers)
        if not own:
            return Refused("proof_of_another")
    amr = tuple(dict.fromkeys([value for proof in shown for value in proof.amr] + (["mfa"] if is_twofold(shown) else [])))
    return Passed(account=account, acr=reached(shown), amr=amr, auth_time=max(proof.at for proof in shown))


class Device(msgspec.Struct, frozen=True):
    """What the cookie `d` says, sealed: a name for the browser, and whom it signed in, last one last."""

    name: str = ""
    accounts: tuple[AccountId, ...] = ()

    def having(self, account: AccountId) -> Device:
        """Return it with one more account, the oldest beyond a few forgotten."""
        others = tuple(one for one in self.accounts if one != account)
        return Device(self.name, (*others, account)[-DEVICE_ACCOUNTS:])

    def without(self, account: AccountId) -> Device:
        """Return it as if it had never signed that account in."""
        return Device(self.name, tuple(one for one in self.accounts if one != account))
