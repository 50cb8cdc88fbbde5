"""Signing up, as a browser without script does it."""

from __future__ import annotations

import pytest

from tests.journeys.conftest import ADA, PASSWORD, Town, step_of

pytestmark = pytest.mark.anyio


async def test_somebody_signs_up_and_stands_in_the_portal(town: Town) -> None:
    """Address, code from the mailbox, password; then she is signed in, and the account is hers."""
    browser = town.browser()
    page = await browser.get("/signup")
    assert page.status == 200
    assert step_of(page) == "signup.identify"
    page = await browser.submit(page, {"identifier": ADA})
    assert step_of(page) == "signup.prove"
    page = await browser.submit(page, {"code": await town.code()})
    assert step_of(page) == "signup.password"
    page = await browser.submit(page, {"new_password": PASSWORD})
    assert page.status == 200, page.words
    assert page.url == "http://localhost:8400/account"
    assert ADA in page.words
