"""The page of devices."""

from __future__ import annotations

from datetime import timedelta

import pytest

from limen.modules.sessions import pages as sessions_pages
from tests.journeys.conftest import OURS, Town, step_of
from tests.modules.portal.conftest import IPHONE, Customer, sign_in
from tests.rig.asgi import Answer, Client

pytestmark = pytest.mark.anyio

PATH = "/account/sessions"


class Phone(Client):
    """A browser on an iPhone, somewhere else."""

    def _headers(self, method: str, host: str, headers: object, *, cross_site: bool) -> list[tuple[bytes, bytes]]:
        assert isinstance(headers, dict)
        return super()._headers(method, host, {"user-agent": IPHONE, **headers}, cross_site=cross_site)


async def _elsewhere(town: Town) -> Client:
    return await sign_in(Phone(town.app, address="81.2.69.142"))


def _ids(page: Answer) -> list[str]:
    return [form.fields["session"] for form in page.forms() if "session" in form.fields]


async def test_devices_are_told_in_words(town: Town, ada: Customer) -> None:
    """This browser first and marked, the other with its device, a coarse place and when it was seen; never the whole address."""
    await _elsewhere(town)
    town.world.advance(timedelta(hours=2).total_seconds())
    page = await ada.browser.get(PATH)
    assert page.words.index("This device") < page.words.index("Safari on iPhone")
    assert "Network 81.2.x.x" in page.words
    assert "81.2.69.142" not in page.text
    assert "last seen 2 hours ago" in page.words
    assert len(_ids(page)) == 1


async def test_one_device_is_signed_out(town: Town, ada: Customer) -> None:
    """The phone is out at once, this browser is not, and the page says what happened; a second press finds nobody."""
    phone = await _elsewhere(town)
    page = await ada.browser.get(PATH)
    again = page
    page = await ada.browser.submit(page, action="end")
    assert page.url.endswith(PATH)
    assert "You are signed out there." in page.words
    assert _ids(page) == []
    assert step_of(await phone.get("/account")) == "signin.identify"
    page = await ada.browser.submit(again, action="end")
    assert "Nobody was signed in there any more." in page.words


async def test_all_other_devices_are_signed_out(town: Town, ada: Customer) -> None:
    """Everybody but this browser."""
    others = [await _elsewhere(town), await sign_in(town.browser())]
    page = await ada.browser.submit(await ada.browser.get(PATH), action="end_others")
    assert "You are signed out everywhere else." in page.words
    assert "Sign out everywhere else" not in page.words
    for other in others:
        assert step_of(await other.get("/account")) == "signin.identify"


async def test_nobody_ends_the_session_of_another(town: Town, ada: Customer) -> None:
    """A session's id is no secret: knowing one does not help, nor does one's own."""
    await town.account("bob@example.com")
    bob = await sign_in(town.browser(), "bob@example.com")
    await _elsewhere(town)
    stolen = _ids(await ada.browser.get(PATH))[0]
    token = next(form.fields["csrf"] for form in (await bob.get(PATH)).forms())
    for session in (stolen, "ses_unknown", ""):
        page = await bob.post(PATH, form={"csrf": token, "session": session, "action": "end"}, headers=OURS)
        assert "Nobody was signed in there any more." in page.words
    assert _ids(await ada.browser.get(PATH)) == [stolen]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("127.0.0.1", "This computer"),
        ("::1", "This computer"),
        ("192.168.1.20", "A local network"),
        ("fe80::1", "A local network"),
        ("203.0.114.9", "{network} 203.0.x.x"),
        ("::ffff:203.0.114.9", "{network} 203.0.x.x"),
        ("2a02:8109:9abc::1", "{network} 2a02:8109:x"),
        ("", ""),
        ("unknown", ""),
    ],
)
def test_places_are_coarse(address: str, told: str) -> None:
    """The network as far as its owner may recognise it."""
    found = sessions_pages._place(address)
    assert (found if isinstance(found, str) else f"{{network}} {found.values['network']}") == told
