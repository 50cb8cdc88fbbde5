"""What browsers say of themselves."""

from __future__ import annotations

import pytest

from limen.platform.wire.user_agents import Device, Shape, coarse

ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", Device("Firefox", "Windows", Shape.COMPUTER)),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            Device("Safari", "iPhone", Shape.PHONE),
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Safari/604.1",
            Device("Chrome", "iPad", Shape.TABLET),
        ),
        (f"{ANDROID} Mobile Safari/537.36", Device("Chrome", "Android", Shape.PHONE)),
        (f"{ANDROID} Safari/537.36", Device("Chrome", "Android", Shape.TABLET)),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            Device("Edge", "Windows", Shape.COMPUTER),
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
            Device("Safari", "Mac", Shape.COMPUTER),
        ),
        ("curl/8.0 <script>", Device("", "", Shape.UNKNOWN)),
        ("", Device("", "", Shape.UNKNOWN)),
    ],
)
def test_a_device_is_told_coarsely(agent: str, told: Device) -> None:
    """Browser, system and shape by our own words; nothing of what was sent is repeated."""
    assert coarse(agent) == told
