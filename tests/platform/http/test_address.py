"""The client's address behind proxies."""

from __future__ import annotations

import pytest

from limen.platform.http.address import Addresses

PROXIES = ("10.0.0.0/8", "::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "plain", "client"),
    [
        ("203.0.113.9", "", "1.2.3.4", "203.0.113.9"),
        ("203.0.113.9", "for=1.2.3.4", "", "203.0.113.9"),
        ("10.0.0.1", "", "", "10.0.0.1"),
        ("10.0.0.1", "", "1.2.3.4", "1.2.3.4"),
        ("::1", "", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "", "6.6.6.6, 1.2.3.4, 10.0.0.7", "1.2.3.4"),
        ("10.0.0.1", "", "10.0.0.8, 10.0.0.7", "10.0.0.8"),
        ("10.0.0.1", "", "6.6.6.6, rubbish, 10.0.0.7", "10.0.0.7"),
        ("10.0.0.1", "", "rubbish", "10.0.0.1"),
        ("10.0.0.1", "", ",,,", "10.0.0.1"),
        ("10.0.0.1", "", "1.2.3.4:5678", "1.2.3.4"),
        ("10.0.0.1", "", "[2001:db8::7]:443", "2001:db8::7"),
        ("10.0.0.1", "", "2001:DB8::7", "2001:db8::7"),
        ("10.0.0.1", "", "::ffff:1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "for=1.2.3.4", "", "1.2.3.4"),
        ("10.0.0.1", 'for="[2001:db8::7]:443";proto=https;by=10.0.0.1', "", "2001:db8::7"),
        ("10.0.0.1", "for=6.6.6.6, For=1.2.3.4;host=x, for=10.0.0.7", "", "1.2.3.4"),
        ("10.0.0.1", "for=_hidden", "", "10.0.0.1"),
        ("10.0.0.1", "for=unknown, for=10.0.0.7", "", "10.0.0.7"),
        ("10.0.0.1", "proto=https", "", "10.0.0.1"),
        ("10.0.0.1", "for=1.2.3.4", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "for=6.6.6.6", "1.2.3.4", "10.0.0.1"),
        ("10.0.0.1", "", ", ".join(["6.6.6.6"] * 1000 + ["1.2.3.4"]), "1.2.3.4"),
        ("::ffff:10.0.0.1", "", "1.2.3.4", "1.2.3.4"),
        ("unix", "", "1.2.3.4", "unix"),
        ("", "", "1.2.3.4", ""),
    ],
)
def test_the_right_most_untrusted_hop_counts(peer: str, forwarded: str, plain: str, client: str) -> None:
    """Nothing a client writes itself is believed: only what the nearest trusted proxies added; contradictions are nobody's word."""
    headers = {name: value.encode() for name, value in ((b"forwarded", forwarded), (b"x-forwarded-for", plain)) if value}
    assert Addresses(PROXIES).client(peer, headers) == client


def test_without_proxies_headers_say_nothing() -> None:
    """The peer is the client."""
    assert Addresses(()).client("10.0.0.1", {b"x-forwarded-for": b"1.2.3.4"}) == "10.0.0.1"
