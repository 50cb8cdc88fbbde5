"""Nobody learns from an answer whether somebody has an account: not from its words, not from its status, not from its time."""

from __future__ import annotations

import re
import secrets
import statistics
import time
from collections.abc import Callable
from typing import Final

import pytest

from tests.proofs.house import API, PASSWORD, House, Person, Site
from tests.rig.walker import Seen

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proofs")]

KINDS: Final = ("known", "suspended", "closed", "passwordless", "unknown")
_MASKED: Final = (
    (re.compile(r'nonce="[^"]*"|nonce-[A-Za-z0-9_-]+'), "nonce"),
    (re.compile(r'name="csrf" value="[^"]*"'), "csrf"),
    (re.compile(r"jny_[0-9a-z]+"), "jny"),
    (re.compile(r"[\w.-]+@[\w.-]+\.example"), "address"),
    (re.compile(r"date: [^\n]*|lmn_[a-z]_\w+=[^;\n]*"), ""),
)


def masked(seen: Seen) -> str:
    """Return status, header fields and text without what differs from one response to the next."""
    fields = "\n".join(f"{name}: {value}" for name, value in sorted(seen.headers.items()) if name != "content-length")
    text = f"{seen.status}\n{fields}\n{seen.text}"
    for pattern, stands in _MASKED:
        text = pattern.sub(stands, text)
    return text


@pytest.fixture(scope="module")
def site(plain: House) -> Site:
    """The default tenant."""
    return plain.site()


def made(site: Site, kind: str, number: int = 0) -> str:
    """Make an account of a kind; return its address, all of one length."""
    email = f"{kind[:2]}{number:04d}{secrets.token_hex(6)}@people.example"
    if kind == "unknown":
        return email
    if kind == "passwordless":
        site.sign_up(site.person(), email)
        return email
    site.sign_up(site.person(), email, password=PASSWORD)
    if kind != "known":
        token = site.service(API)
        account = site.api(token, "GET", f"/accounts?identifier={email.replace('@', '%40')}").json["items"][0]["id"]
        done = site.api(token, "POST", f"/accounts/{account}/{'suspend' if kind == 'suspended' else 'close'}", {})
        assert done.status < 300, done.body
    return email


@pytest.fixture
def people(site: Site) -> dict[str, str]:
    """One address of each kind, fresh for every road: an address gets five mails an hour."""
    return {kind: made(site, kind) for kind in KINDS}


def _through(site: Site, path: str, email: str, *answers: dict[str, str]) -> list[str]:
    """Walk a road with an address and wrong answers; return every answer on the way, masked."""
    person = site.person()
    seen = person.go(person.once(f"{site.issuer}{path}"))
    trail = []
    for given in ({"identifier": email}, *answers):
        action = given.pop("action", "continue")
        posted = person.press(seen, given, action)
        trail.append(masked(posted))
        seen = person.go(posted)
        trail.append(masked(seen))
    return trail


ROADS: Final = {
    "sign-in": ("/signin", [{"password": "a wrong pass phrase"}, {"action": "email_code"}, {"code": "000000"}, {"action": "resend"}, {"action": "recover"}]),
    "sign-up": ("/signup", [{"code": "000000"}, {"action": "resend"}, {"code": ""}]),
    "recovery": ("/recover", [{"code": "000000"}, {"action": "resend"}]),
}


@pytest.mark.parametrize("road", ROADS)
def test_the_same_words_for_everybody(site: Site, people: dict[str, str], road: str) -> None:
    """Known, suspended, closed, without a password, unknown: status, header fields and every letter of the pages are the same."""
    path, answers = ROADS[road]
    told = {kind: _through(site, path, email, *(dict(one) for one in answers)) for kind, email in people.items()}
    for kind in KINDS:
        for step, (one, other) in enumerate(zip(told["unknown"], told[kind], strict=True)):
            assert one == other, f"{road}, {kind}, answer {step} differs from that of an unknown address"


class Trial:
    """One timed answer for one kind of address, made anew as often as it is asked."""

    def __init__(self, site: Site, road: str, email: Callable[[], str]) -> None:
        self._site, self._email = site, email
        self._path, answers = ROADS[road]
        self._answer = next(iter(answers))

    def measure(self) -> tuple[float, float]:
        """Return the seconds that the address took, and the first wrong answer."""
        person = Person(self._site.port)
        page = person.go(person.once(f"{self._site.issuer}{self._path}"))
        first, page = _timed(lambda: person.press(page, {"identifier": self._email()}, "continue"), person)
        second, _ = _timed(lambda: person.press(page, dict(self._answer), "continue"), person)
        return first, second


def _timed(work: Callable[[], Seen], person: Person) -> tuple[float, Seen]:
    began = time.perf_counter()
    posted = work()
    passed = time.perf_counter() - began
    return passed, person.go(posted)


def _interleaved(site: Site, road: str, pools: dict[str, list[str]], trials: int) -> dict[str, tuple[float, float]]:
    """Measure the kinds in turn; return the medians of each, in seconds."""
    turns = dict.fromkeys(pools, 0)

    def next_of(kind: str) -> str:
        turns[kind] += 1
        return pools[kind][turns[kind] % len(pools[kind])]

    runs = {kind: Trial(site, road, lambda kind=kind: next_of(kind)) for kind in pools}  # type: ignore[misc] # a lambda's default
    times: dict[str, list[tuple[float, float]]] = {kind: [] for kind in pools}
    for _ in range(trials):
        for kind, trial in runs.items():
            times[kind].append(trial.measure())
    return {kind: (statistics.median(one for one, _ in found), statistics.median(two for _, two in found)) for kind, found in times.items()}


def _apart(medians: dict[str, tuple[float, float]], part: int) -> tuple[float, float]:
    """Return the largest distance of two medians, and the larger of 1 ms and 3 %."""
    values = [one[part] for one in medians.values()]
    return max(values) - min(values), max(0.001, 0.03 * min(values))


@pytest.mark.parametrize("road", ROADS)
def test_about_the_same_time(site: Site, road: str) -> None:
    """A guard with few trials: no kind takes longer than three times the distance allowed, measured against noise by trying thrice."""
    pools = {kind: [made(site, kind, number) for number in range(4)] for kind in ("known", "passwordless", "unknown")}
    for attempt in range(3):
        medians = _interleaved(site, road, pools, 5)
        distances = [_apart(medians, part) for part in (0, 1)]
        if all(apart <= 3 * allowed + 0.02 for apart, allowed in distances):
            return
        assert attempt < 2, f"{road}: {medians}"


@pytest.mark.soak
@pytest.mark.parametrize("road", ROADS)
def test_the_same_time(site: Site, road: str, capsys: pytest.CaptureFixture[str]) -> None:
    """2,000 interleaved trials: medians within 1 ms or 3 %, the larger."""
    pools = {kind: [made(site, kind, number) for number in range(100)] for kind in KINDS}  # four tries for each: the sixth would have to wait
    medians = _interleaved(site, road, pools, 2000 // len(KINDS))
    with capsys.disabled():
        shown = "; ".join(f"{kind} {first * 1000:.2f} and {second * 1000:.2f} ms" for kind, (first, second) in medians.items())
        print(f"\n{road}, medians of 2,000 interleaved trials: {shown}")
    for part in (0, 1):
        apart, allowed = _apart(medians, part)
        assert apart <= allowed, medians
