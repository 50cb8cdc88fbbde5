"""Every page a customer can meet, one after the other: accessible, within its window, photographed, and light."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from playwright.async_api import Page

from tests.journeys.browser.conftest import PASSWORD, Demo, Visitor, somebody
from tests.rig.browser import DESKTOP, PHONE, OpenTab, Scheme, Size, accessible, fits, picture

pytestmark = [pytest.mark.slow, pytest.mark.anyio, pytest.mark.xdist_group("demo")]

LIMIT = 14_000
"""Octets on the wire for a first visit, headers of answers included: one round trip of a slow phone."""

Variant = tuple[str, Size, Scheme, str]
# Over two neighbouring pages each pair of size, scheme and direction occurs; over four each language beside.
VARIANTS: tuple[tuple[Variant, Variant], ...] = (
    (("phone", PHONE, "light", "ar"), ("desktop", DESKTOP, "dark", "en")),
    (("phone", PHONE, "dark", "de"), ("desktop", DESKTOP, "light", "ar")),
    (("phone", PHONE, "light", "en"), ("desktop", DESKTOP, "dark", "ar")),
    (("phone", PHONE, "dark", "ar"), ("desktop", DESKTOP, "light", "de")),
)


@dataclass
class Tour:
    """Looks at pages in turn, each in two variants."""

    page: Page
    seen: list[str] = field(default_factory=list)

    async def look(self, name: str, *, once: bool = False) -> None:
        """Look at the page as it stands; `once` for one that a reload would change: in one variant, and the language it has."""
        for device, size, scheme, language in VARIANTS[len(self.seen) % len(VARIANTS)][: 1 if once else 2]:
            if not once and await self.page.locator(f'footer a[hreflang="{language}"]:not([aria-current])').count():
                async with self.page.expect_navigation():
                    await self.page.locator(f'footer a[hreflang="{language}"]').click()
            await self.page.set_viewport_size({"width": size.width, "height": size.height})
            await self.page.emulate_media(color_scheme=scheme)
            await accessible(self.page)
            await fits(self.page)
            spoken = await self.page.locator("html").get_attribute("lang")
            await picture(self.page, f"{name}-{device}-{scheme}-{spoken}")
        self.seen.append(name)


async def test_every_page_is_accessible_and_fits(demo: Demo, tab: OpenTab) -> None:
    """From the shop through sign-up, the portal, sign-in and recovery to the pages that say no: axe finds nothing, nothing scrolls sideways."""
    visitor = Visitor(demo, await tab(), somebody())
    tour = Tour(visitor.page)
    await _signs_up(visitor, tour)
    await _connects(visitor, tour)
    await _looks_around(visitor, tour)
    await _signs_in(visitor, tour)
    await _recovers(visitor, tour)
    await _is_refused(visitor, tour)
    assert len(tour.seen) == 42


async def _signs_up(visitor: Visitor, tour: Tour) -> None:
    await visitor.page.goto(visitor.demo.shop)
    await tour.look("shop")
    await visitor.begins_at_the_shop(new=True)
    await tour.look("signup")
    await visitor.fill(identifier="nora@")
    await tour.look("signup-mistake")
    await visitor.fill(identifier=visitor.address)
    await tour.look("signup-code")
    await visitor.fill(code="000000")
    await tour.look("signup-code-mistake")
    await visitor.code()
    await tour.look("signup-password")
    await visitor.fill(new_password="short")
    await tour.look("signup-password-mistake")
    await visitor.fill(new_password=PASSWORD)
    await tour.look("signup-name")
    await visitor.fill(given_name="Nora", family_name="Lindqvist")
    await tour.look("consent")
    await visitor.press("allow")
    await visitor.page.wait_for_url(f"{visitor.demo.shop}/account")
    await tour.look("shop-account")


async def _connects(visitor: Visitor, tour: Tour) -> None:
    page, codes = visitor.page, visitor.demo.device("tv", "openid orders")
    await page.goto(codes["verification_uri"])
    await tour.look("device")
    await visitor.fill(user_code="BBBB-BBBB")
    await tour.look("device-mistake", once=True)
    await page.goto(codes["verification_uri_complete"])
    await tour.look("device-link")
    await visitor.press("continue")
    await tour.look("device-consent")
    await visitor.press("allow")
    await tour.look("device-connected")


async def _looks_around(visitor: Visitor, tour: Tour) -> None:
    page, issuer = visitor.page, visitor.demo.issuer
    await page.goto(f"{issuer}/account")
    await tour.look("account")
    await page.goto(f"{issuer}/account/profile")
    await tour.look("profile")
    await visitor.fill("save", birthdate_day="31", phone_number="12")
    await tour.look("profile-mistake", once=True)
    await visitor.fill("save", birthdate_day="", phone_number="", locality="Berlin")
    await tour.look("profile-saved", once=True)
    await page.goto(f"{issuer}/account/security")
    await tour.look("security")
    await visitor.press("add")
    await tour.look("enrol")
    await visitor.press("totp")
    await tour.look("enrol-app")
    await visitor.press("cancel")
    await visitor.press("add")
    await visitor.press("recovery_codes")
    await tour.look("enrol-codes")
    await visitor.press("cancel")
    await page.goto(f"{issuer}/account/sessions")
    await tour.look("devices")
    visitor.demo.ask(visitor.address, "TULIP-77")
    await page.goto(f"{issuer}/account/approvals")
    await tour.look("approvals")
    await visitor.press("deny")
    await tour.look("approvals-answered", once=True)
    await page.goto(f"{issuer}/account/apps")
    await tour.look("apps")
    await visitor.press("remove")
    await tour.look("apps-none", once=True)
    await page.goto(f"{issuer}/oauth/logout?client_id=shop")
    await tour.look("logout")
    await visitor.press("signout")
    await tour.look("logged-out")


async def _signs_in(visitor: Visitor, tour: Tour) -> None:
    await visitor.page.goto(f"{visitor.demo.issuer}/signin")
    await tour.look("signin")
    await visitor.fill(identifier=visitor.address)
    await tour.look("signin-password")
    await visitor.fill(password="wrong")
    await tour.look("signin-password-mistake")
    await visitor.press("email_code")
    await tour.look("signin-code")


async def _recovers(visitor: Visitor, tour: Tour) -> None:
    page, issuer = visitor.page, visitor.demo.issuer
    await page.goto(f"{issuer}/recover")
    await tour.look("recover")
    before = visitor.demo.codes(visitor.address)
    await visitor.fill(identifier=visitor.address)
    await tour.look("recover-code")
    while visitor.demo.codes(visitor.address) == before:
        await page.wait_for_timeout(20)
    await visitor.code()
    await tour.look("recover-password")
    await visitor.fill(new_password="eleven copper kettles sing")
    await page.wait_for_url(f"{issuer}/account")
    await visitor.press("signout")
    await tour.look("signed-out")


async def _is_refused(visitor: Visitor, tour: Tour) -> None:
    page, issuer = visitor.page, visitor.demo.issuer
    for name, path in (
        ("lost", "/signin?journey=jny_00"),
        ("not-found", "/nothing"),
        ("wrong-link", "/oauth/authorize?client_id=nobody"),
        ("mailbox", "/dev/mailbox"),
    ):
        await page.goto(issuer + path)
        await tour.look(name)


async def test_a_first_visit_is_light(demo: Demo, tab: OpenTab) -> None:
    """The pages that come first, with all they load, fit the first round trip: at most 14 kB on the wire."""
    weights: dict[str, int] = {}
    for name in ("signin", "signup", "recover", "device", "consent"):
        page = await tab(size=PHONE)
        if name == "consent":
            visitor = Visitor(demo, page, "jonas@example.com")
            await visitor.signs_in()
        wire = await page.context.new_cdp_session(page)
        await wire.send("Network.enable")
        await wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        loads: list[float] = []
        wire.on("Network.loadingFinished", lambda event, loads=loads: loads.append(event["encodedDataLength"]))
        await page.goto(f"{demo.shop}/signin" if name == "consent" else f"{demo.issuer}/{name}", wait_until="networkidle")
        assert f"/{name}" in page.url
        assert len(loads) >= 2
        weights[name] = int(sum(loads))
    assert max(weights.values()) <= LIMIT, weights
