"""Opens the demo: makes what is missing, then serves Limen and the shop from one process until Ctrl+C."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Final

import uvloop

from limen.app import ground, settings
from limen.app.apply import apply
from limen.app.commands.upgrade import bring_up
from limen.app.compose import GRACE, House, compose, install
from limen.app.demo.people import PASSWORD, PEOPLE, settle
from limen.app.demo.shop import ShopSettings, shop
from limen.app.serving import bound, ends_by_signal, server_of
from limen.app.settings import DatabaseSettings, ServerSettings
from limen.platform.commands import Console, Style
from limen.platform.crypto import Keyring, KeyringSettings
from limen.platform.duties import Settings
from limen.platform.http import settings as http
from limen.platform.sql import served_alone

HERE: Final = Path(__file__).parent
TENANTS: Final = "acme.toml"
LOGO: Final = "acme.svg"
PORT: Final = 8400
SHOP_PORT: Final = 8401
_LANGUAGES: Final = {"en": "English", "de": "German", "ar": "Arabic"}
_NAMES: Final = 20
_ADDRESSES: Final = 56
CONFIG: Final = """\
[server]
listen = "127.0.0.1:8400"
base_url = "http://localhost:8400"
mode = "dev"

[log]
level = "warning"
requests = "failures"
"""


def prepare(folder: Path, port: int, shop_port: int) -> Settings:
    """Write what the demo needs into its folder, and return its settings. What is there already stays, save the ports that it names."""
    folder.mkdir(parents=True, exist_ok=True)
    config, tenants = folder / "limen.toml", folder / TENANTS
    if not config.exists():
        config.write_text(CONFIG)
    if not tenants.exists():
        shutil.copyfile(HERE / TENANTS, tenants)
        shutil.copyfile(HERE / LOGO, folder / LOGO)
    tenants.write_text(_moved(tenants.read_text(), port, shop_port))
    chosen = settings.load(config, port=port)
    place = chosen.of(KeyringSettings)
    place.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    Keyring.create(place)
    bring_up(chosen, quiet=True)
    return chosen


def _moved(text: str, port: int, shop_port: int) -> str:
    """Return a tenant file with the addresses of this demo on other ports: Limen's are on localhost, the shop's on 127.0.0.1."""
    text = re.sub(r"http://localhost:\d+/", f"http://localhost:{port}/", text)
    return re.sub(r"http://127\.0\.0\.1:\d+/", f"http://127.0.0.1:{shop_port}/", text)


def _credentials(tenants: Path, client: str) -> tuple[str, str]:
    """Return id and secret of a client, from the file that both it and Limen are set up by."""
    found = next(one for one in tomllib.loads(tenants.read_text())["tenant"][0]["client"] if one["id"] == client)
    return found["id"], found["secret"]


def run(folder: Path, port: int, shop_port: int) -> None:
    """Run the demo to its end."""
    with (
        bound("127.0.0.1", port) as listening,
        bound("127.0.0.1", shop_port) as shop_listening,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        suppress(KeyboardInterrupt),
    ):
        chosen = prepare(folder, port, shop_port)
        runner.run(_serve(chosen, folder, listening, shop_listening))


async def _serve(chosen: Settings, folder: Path, listening: socket.socket, shop_listening: socket.socket) -> None:
    install()
    with served_alone(chosen.of(DatabaseSettings).url):
        async with ground.opened(chosen) as opened:
            await apply(opened.db, folder / TENANTS, chosen.of(ServerSettings))
            await settle(opened.db)
            house = await compose(opened)
            async with house.at_work():
                await _open(house, chosen, folder, listening, shop_listening)


async def _open(house: House, chosen: Settings, folder: Path, listening: socket.socket, shop_listening: socket.socket) -> None:
    issuer, patience, tenants = chosen.of(ServerSettings).base_url, chosen.of(http.Server), folder / TENANTS
    web = server_of(house.app, patience)
    market = server_of(shop(ShopSettings(issuer, *_credentials(tenants, "shop"))), patience)
    ends_by_signal(web)
    selling = asyncio.create_task(market.serve(sockets=[shop_listening]))
    _welcome(issuer, f"http://127.0.0.1:{shop_listening.getsockname()[1]}", folder, ":".join(_credentials(tenants, "nightly")))
    try:
        await web.serve(sockets=[listening])
    finally:
        market.should_exit = True
        await asyncio.wait([selling], timeout=GRACE)


def _welcome(issuer: str, shop_address: str, folder: Path, service: str) -> None:
    console = Console()
    console.say()
    console.say(("Limen is open.", Style.BOLD), " Ctrl+C closes it.")
    console.say()
    _rows(
        console,
        ("Shop", shop_address, "begin here: create an account, or sign in"),
        ("Mailbox", f"{issuer}/dev/mailbox", "every message lands here, none leaves this machine"),
        ("Account", f"{issuer}/account", "what customers see of themselves"),
        ("API", f"{issuer}/api/openapi.json", "the description of /api/v1"),
        ("Issuer", f"{issuer}/.well-known/openid-configuration", "what apps connect to"),
    )
    console.say()
    console.say("Sample customers, all with the password ", (PASSWORD, Style.BOLD))
    console.say()
    _rows(console, *((person.email, "", f"{person.given_name} {person.family_name}, reads {_LANGUAGES[person.locale]}") for person in PEOPLE))
    console.say()
    console.say("A token for a program, the client nightly of acme.toml")
    console.say()
    console.say((f"  curl -u {service} -d grant_type=client_credentials -d scope=orders {issuer}/oauth/token", Style.CYAN))
    console.say()
    console.say((f"What you do is kept in {folder}; delete that folder to begin anew.", Style.DIM))
    console.say()


def _rows(console: Console, *rows: tuple[str, str, str]) -> None:
    """Print rows of name, address and words, in columns."""
    for name, address, words in rows:
        console.say(f"  {name:<{_NAMES}}", (f"{address:<{_ADDRESSES}}" if address else "", Style.CYAN), (words, Style.DIM))
