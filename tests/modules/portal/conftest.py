"""Somebody signed in at a whole server in process."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from limen.kernel.ids import AccountId
from tests.journeys.conftest import ADA, PASSWORD, Town, clock, town
from tests.rig.asgi import Client

__all__ = ["ADA", "Customer", "clock", "sign_in", "town"]

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"


@dataclass
class Customer:
    """An account, and a browser that is signed in to it."""

    account: AccountId
    browser: Client


async def sign_in(browser: Client, address: str = ADA) -> Client:
    """Sign a browser in by password."""
    page = await browser.submit(await browser.get("/signin"), {"identifier": address})
    page = await browser.submit(page, {"password": PASSWORD})
    assert page.url.endswith("/account"), page.words
    return browser


@pytest.fixture
async def ada(town: Town) -> Customer:
    """Ada, signed in."""
    account = await town.account()
    return Customer(account, await sign_in(town.browser()))
