"""The factor TOTP: the tables of RFC 4226 and RFC 6238, each code once, and clocks a step apart."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from limen.extensions.factors.totp import EXTENSION, STEP, check, hotp, step_of
from limen.modules.factors import Context, Match, Means, Mismatch, Trial

NOW = datetime(2026, 11, 25, 12, 0, 10, tzinfo=UTC)
SECRET = b"12345678901234567890"
RFC_4226 = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")
RFC_6238 = (
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
)


def test_rfc_4226() -> None:
    """Appendix D: the first ten codes of the secret there."""
    assert tuple(hotp(SECRET, counter) for counter in range(10)) == RFC_4226


@pytest.mark.parametrize(("seconds", "sha1", "sha256", "sha512"), RFC_6238)
def test_rfc_6238(seconds: int, sha1: str, sha256: str, sha512: str) -> None:
    """Appendix B, with the keys as long as each hash (errata 2866)."""
    step = step_of(datetime.fromtimestamp(seconds, UTC))
    for algorithm, length, code in (("sha1", 20, sha1), ("sha256", 32, sha256), ("sha512", 64, sha512)):
        assert hotp((SECRET * 4)[:length], step, 8, algorithm) == code


def made() -> tuple[bytes, bytes]:
    """Return a secret, and what is kept of it."""
    how = EXTENSION.making
    assert how is not None
    secret = how.make()
    return secret, how.keep(secret)


def tried(kept: bytes | None, said: str, now: datetime = NOW) -> Match | Mismatch:
    return check(Trial(kept, said, now))


@pytest.mark.parametrize("away", [-1, 0, 1])
def test_a_clock_may_be_a_step_away(away: int) -> None:
    """The code of the step before, of this one and of the next are taken, and no other."""
    secret, kept = made()
    assert isinstance(tried(kept, hotp(secret, step_of(NOW) + away)), Match)
    assert tried(kept, hotp(secret, step_of(NOW) + 2 * (away or 1))) == Mismatch()


def test_each_code_is_taken_once() -> None:
    """A code that was taken is worth nothing within its time, nor is an older one; the next one is good (RFC 6238, section 5.2)."""
    secret, kept = made()
    step = step_of(NOW)
    found = tried(kept, hotp(secret, step))
    assert isinstance(found, Match)
    assert found.renewed is not None
    for old in (step, step - 1):
        assert tried(found.renewed, hotp(secret, old)) == Mismatch()
    assert isinstance(tried(found.renewed, hotp(secret, step + 1), NOW + timedelta(seconds=STEP)), Match)


@pytest.mark.parametrize("spelling", ["{}{}", "{} {}", "{}-{}", " {}{} "])
def test_a_code_is_typed_as_people_type(spelling: str) -> None:
    """With a blank in the middle, as apps show it."""
    secret, kept = made()
    code = hotp(secret, step_of(NOW))
    assert isinstance(tried(kept, spelling.format(code[:3], code[3:])), Match)


def test_what_an_app_is_told() -> None:
    """The address that authenticator apps read: who, where, the secret; nothing of it can break out of its place, nor out of the picture."""
    how = EXTENSION.making
    assert how is not None
    secret = how.make()
    shown = how.present(secret, Context(words=("ada+x@example.com", 'Acme & "Sons": <b>')))
    uri = urlsplit(str(shown["uri"]))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert unquote(uri.path) == '/Acme & "Sons": <b>:ada+x@example.com'
    assert parse_qs(uri.query) == {"secret": [str(shown["letters"]).replace(" ", "")], "issuer": ['Acme & "Sons": <b>']}
    assert re.match(r'<svg [^>]*viewBox="0 0 (\d+) \1"', str(shown["picture"]))  # without, a smaller screen would cut it off
    assert "<b>" not in str(shown["picture"])


def test_what_it_is() -> None:
    """Something held, which with something known makes two factors."""
    assert (EXTENSION.amr, EXTENSION.acr, EXTENSION.means) == (("otp",), "aal1", Means.HELD)
