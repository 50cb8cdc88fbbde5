"""What stands at well-known addresses, as browsers, password managers and phones fetch it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from limen.modules.wellknown.model import label_of
from limen.modules.wellknown.settings import AndroidApp, AppleApp, Tenant
from limen.platform.pages import install_places, place_of
from tests.journeys.conftest import ADA, BASE, PASSWORD, Town, clock, step_of, town
from tests.rig.asgi import Answer

__all__ = ["clock", "town"]

pytestmark = pytest.mark.anyio

PRINT = ":".join(["AB"] * 32)
UNSET = ["passkey-endpoints", "webauthn", "assetlinks.json", "apple-app-site-association", "security.txt"]


async def look(town: Town, name: str, prefix: str = "") -> Answer:
    """Fetch one document as a stranger."""
    return await town.browser().get(f"{prefix}/.well-known/{name}", follow=False)


@pytest.mark.parametrize("prefix", ["", "/t/rival"])
async def test_a_password_manager_is_led_to_where_a_password_is_changed(town: Town, prefix: str) -> None:
    """W3C, A Well-Known URL for Changing Passwords: 303 to a page of the very tenant."""
    answer = await look(town, "change-password", prefix)
    assert answer.status == 303
    assert answer.location.removeprefix(BASE) == f"{prefix}/account"


async def test_the_way_from_a_password_manager_ends_with_a_new_password(town: Town) -> None:
    """Who follows it signs in, finds the button, and has another password at the end."""
    await town.account()
    browser = town.browser()
    page = await browser.get("/.well-known/change-password")
    assert step_of(page) == "signin.identify"
    page = await browser.submit(page, {"identifier": ADA, "password": PASSWORD})
    page = await browser.submit(page, action="change")
    page = await browser.submit(page)
    page = await browser.submit(page, {"code": await town.code()})
    page = await browser.submit(page, {"new_password": "eleven copper kettles sing"})
    assert page.url.endswith("/account"), page.words


@pytest.mark.parametrize("prefix", ["", "/t/rival"])
async def test_what_is_not_there_is_404(town: Town, prefix: str) -> None:
    """Without that a password manager cannot tell whether an address means anything (the W3C document's probe); what a tenant did not set is not there."""
    for name in ["resource-that-should-not-exist-whose-status-code-should-not-be-200", *UNSET]:
        assert (await look(town, name, prefix)).status == 404, name


@pytest.fixture
def with_passkeys(town: Town) -> Iterator[Town]:
    """A house in which some page looks after passkeys."""
    before = {"change-password": place_of("change-password") or ""}
    install_places({**before, "passkeys": "/account/security"})
    yield town
    install_places(before)


async def test_passkeys_are_added_and_looked_after_where_the_page_is(with_passkeys: Town) -> None:
    """W3C, Passkey Endpoints: absolute addresses of the tenant's own page, and only where some module says that it has one."""
    for prefix in ("", "/t/rival"):
        answer = await look(with_passkeys, "passkey-endpoints", prefix)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        assert answer.json() == {"enroll": f"{BASE}{prefix}/account/security", "manage": f"{BASE}{prefix}/account/security"}


async def test_related_origins_are_told_to_every_browser(town: Town) -> None:
    """Web Authentication Level 3, 5.11: one member, JSON, readable from anywhere; another tenant's are its own."""
    await town.set(wellknown={"related_origins": ["https://shop.example", "https://www.shop.example:8443"]})
    answer = await look(town, "webauthn")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {"origins": ["https://shop.example", "https://www.shop.example:8443"]}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "max-age" in answer.headers["cache-control"]
    assert (await look(town, "webauthn", "/t/rival")).status == 404


async def test_android_finds_its_apps(town: Town) -> None:
    """Digital Asset Links: credentials always, links where the tenant says so, fingerprints as `keytool` prints them."""
    await town.set(
        wellknown={
            "android": [{"package": "com.example.shop", "fingerprints": [PRINT], "links": True}, {"package": "com.example.till", "fingerprints": [PRINT]}]
        }
    )
    answer = await look(town, "assetlinks.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    shop, till = answer.json()
    assert shop["relation"] == ["delegate_permission/common.get_login_creds", "delegate_permission/common.handle_all_urls"]
    assert till["relation"] == ["delegate_permission/common.get_login_creds"]
    assert shop["target"] == {"namespace": "android_app", "package_name": "com.example.shop", "sha256_cert_fingerprints": [PRINT]}


async def test_apples_systems_find_theirs(town: Town) -> None:
    """Associated Domains: `webcredentials` names every app, `applinks` those that open links, with their paths; JSON without a redirect."""
    shop, till = "ABCDE12345.com.example.shop", "ABCDE12345.com.example.till"
    await town.set(wellknown={"apple": [{"app": shop, "links": ["/account/*"]}, {"app": till}]})
    answer = await look(town, "apple-app-site-association")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {
        "webcredentials": {"apps": [shop, till]},
        "applinks": {"details": [{"appIDs": [shop], "components": [{"/": "/account/*"}]}]},
    }
    await town.set(wellknown={"apple": [{"app": till}]})
    assert (await look(town, "apple-app-site-association")).json() == {"webcredentials": {"apps": [till]}}


async def test_whoever_finds_a_hole_is_told_whom_to_tell(town: Town) -> None:
    """RFC 9116: contact and one date of expiry less than a year ahead, as plain text of UTF-8."""
    await town.set(wellknown={"security_contact": ["mailto:security@acme.example"], "security_policy": "https://acme.example/security"})
    answer = await look(town, "security.txt")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    fields = [line.split(": ", 1) for line in answer.text.splitlines()]
    assert [name for name, _ in fields] == ["Contact", "Expires", "Canonical", "Preferred-Languages", "Policy"]
    said = dict(fields)
    assert said["Canonical"] == f"{BASE}/.well-known/security.txt"
    async with town.world.read() as reader:
        year = reader.now.year
    assert year <= int(said["Expires"][:4]) <= year + 1


@pytest.mark.parametrize(
    "origin",
    [
        *("http://shop.example", "https://shop.example/", "https://Shop.example", "https://shop.example:443", "https://localhost"),
        *("https://192.0.2.1", "https://[::1]", "https://u@shop.example", "https://shop.example?x", "shop.example", "https://*.shop.example"),
    ],
)
def test_a_related_origin_is_an_https_origin_of_a_named_host(origin: str) -> None:
    """What a browser would not find equal to an origin is refused when it is written down."""
    with pytest.raises(ValueError, match="no https origin"):
        Tenant(related_origins=(origin,))


def test_browsers_look_at_five_names_and_so_do_we() -> None:
    """Web Authentication Level 3, 5.11.1: what counts is the label of the registrable domain, whatever stands before and behind it."""
    assert label_of("https://www.shop.example.co.uk") == label_of("https://example.com") == label_of("https://example.de") == "example"
    assert label_of("https://co.uk") == "co"
    several = tuple(f"https://{host}" for host in ("a.one.de", "b.one.com", "one.co.uk", "two.de", "three.de", "four.de", "five.de"))
    assert Tenant(related_origins=several).related_origins == several
    with pytest.raises(ValueError, match="5 names"):
        Tenant(related_origins=(*several, "https://six.de"))


@pytest.mark.parametrize("package", ["shop", "com.1shop", "com.example.shop;", "com..shop", "a." + "b" * 300])
def test_an_android_app_has_an_application_id(package: str) -> None:
    """Two parts at least, each beginning with a letter."""
    with pytest.raises(ValueError, match="application id"):
        AndroidApp(package=package, fingerprints=(PRINT,))


@pytest.mark.parametrize("prints", [(), (PRINT.lower(),), (PRINT[:-3],), (PRINT.replace(":", ""),)])
def test_an_android_app_has_a_fingerprint(prints: tuple[str, ...]) -> None:
    """Android compares it letter by letter, so it is taken in the one spelling that works."""
    with pytest.raises(ValueError, match="SHA-256"):
        AndroidApp(package="com.example.shop", fingerprints=prints)


@pytest.mark.parametrize("app", ["com.example.shop", "abcde12345.com.example.shop", "ABCDE12345.", "ABCDE12345.com/x"])
def test_an_app_of_apples_has_team_and_bundle(app: str) -> None:
    """Ten capitals or digits, a dot, and the bundle."""
    with pytest.raises(ValueError, match="team and bundle"):
        AppleApp(app=app)


@pytest.mark.parametrize("contact", ["security@acme.example", "http://acme.example/", "mailto:nobody", "https://acme.example/\nContact: mailto:x@y.example"])
def test_a_contact_is_an_address_one_can_follow(contact: str) -> None:
    """Nothing but `mailto:`, `https:` and `tel:`, and no line of its own making."""
    with pytest.raises(ValueError, match="security_contact"):
        Tenant(security_contact=(contact,))
