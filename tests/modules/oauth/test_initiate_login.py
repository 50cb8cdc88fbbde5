"""A sign-in that begins here (OpenID Connect Core 1.0, section 4)."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.modules.oauth.conftest import BASE, Door
from tests.modules.oauth.test_pushed import change

pytestmark = pytest.mark.anyio


async def test_the_browser_goes_to_the_apps_own_address(door: Door) -> None:
    """With our issuer, and where in the app the person wants to be; to no address that was not registered."""
    browser = door.browser()
    assert (await browser.get("/oauth/initiate_login?client_id=shop", follow=False)).status == 400
    assert (await browser.get("/oauth/initiate_login?client_id=nobody", follow=False)).status == 400
    await change(door, "shop", initiate_login_uri="https://shop.example/login?from=portal")
    answer = await browser.get("/oauth/initiate_login?client_id=shop&target_link_uri=https://shop.example/cart", follow=False)
    parts = urlsplit(answer.location)
    assert (answer.status, parts.netloc, parts.path) == (303, "shop.example", "/login")
    assert parse_qs(parts.query) == {"from": ["portal"], "iss": [BASE], "target_link_uri": ["https://shop.example/cart"]}
