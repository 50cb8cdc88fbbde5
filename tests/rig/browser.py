"""Real Chromium for the tests: one browser per run, a fresh profile per tab, the accessibility checker, and pictures.

Take it into a test with `from tests.rig.browser import chromium, tab` in the folder's conftest.py (both are fixtures), then:

    async def test_it(tab: OpenTab) -> None:
        page = await tab(size=PHONE, scheme="dark", locale="ar")
        await page.goto(...)
        await accessible(page)
        await picture(page, "signin-phone-dark-ar")
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

EXECUTABLE: Final = Path("/usr/bin/chromium")
AXE: Final = Path(__file__).parent.parent / "node" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES: Final = Path(__file__).parent.parent / "screenshots" / "out"
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Size(NamedTuple):
    """A window, in CSS pixels; `scale` is device pixels per CSS pixel."""

    width: int
    height: int
    scale: float = 1


PHONE: Final = Size(390, 844, 2)
SMALL_PHONE: Final = Size(320, 640, 2)
DESKTOP: Final = Size(1280, 800)
ZOOMED: Final = Size(640, 400, 2)
"""A desktop window at 200 %."""

Scheme = Literal["light", "dark"]


class OpenTab(Protocol):
    """Opens a tab with cookies and settings of its own."""

    async def __call__(self, *, size: Size = DESKTOP, scheme: Scheme = "light", locale: str = "en", scripts: bool = True) -> Page: ...


def _wanted(path: Path, advice: str) -> None:
    if not path.exists():
        pytest.fail(f"{path} is missing: {advice}", pytrace=False)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The one browser of a test run; it needs a session-wide `anyio_backend`."""
    _wanted(EXECUTABLE, "install the package chromium, or run `make rig`")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=str(EXECUTABLE), args=list(FLAGS))
        yield browser
        await browser.close()


@pytest.fixture
async def tab(chromium: Browser) -> AsyncIterator[OpenTab]:
    """Open tabs; at the end each is closed, and a script error or a breach of the content security policy fails the test."""
    contexts = []
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    async def opened(*, size: Size = DESKTOP, scheme: Scheme = "light", locale: str = "en", scripts: bool = True) -> Page:
        context = await chromium.new_context(
            viewport={"width": size.width, "height": size.height},
            device_scale_factor=size.scale,
            has_touch=size.width < DESKTOP.width,
            color_scheme=scheme,
            locale=locale,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = await context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield opened
    for context in contexts:
        await context.close()
    assert not complaints, complaints


async def accessible(page: Page) -> None:
    """Fail if axe finds a breach of WCAG 2.2 AA or of its best practices on the page as it stands."""
    _wanted(AXE, "run `npm ci` in tests/node, or `make rig`")
    handle = await page.context.new_cdp_session(page)
    # By the debugger and in a world of its own: the page's content security policy rightly stops scripts that are put into it.
    tree = await handle.send("Page.getFrameTree")
    world = await handle.send("Page.createIsolatedWorld", {"frameId": tree["frameTree"]["frame"]["id"], "worldName": "axe"})
    place = {"contextId": world["executionContextId"], "awaitPromise": True, "returnByValue": True}
    await handle.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8"), **place, "returnByValue": False})
    options = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations']}"
    question = (
        f"axe.run(document, {options}).then(r => r.violations.map(v => v.id + ': ' + v.help + ' -> '"
        " + v.nodes.map(n => n.target + ' ' + n.any.map(a => a.message).join('; ')).join(' | ')))"
    )
    answer = await handle.send("Runtime.evaluate", {"expression": question, **place})
    await handle.detach()
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    violations = answer["result"]["value"]
    assert not violations, "\n".join([page.url, *violations])


async def fits(page: Page) -> None:
    """Fail if the page must be scrolled sideways (WCAG 2.2, 1.4.10)."""
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px wider than its window"


async def picture(page: Page, name: str) -> Path:
    """Write the whole page to tests/screenshots/out/<name>.png."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    await page.screenshot(path=str(path), full_page=True)
    return path
