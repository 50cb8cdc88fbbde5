"""Opens the demo: makes what is missing, then serves Limen and the shop from one process until Ctrl+C."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console

from limen.app import ground, settings
from limen.app.apply import apply
from limen.app.commands.upgrade import bring_up
from limen.app.compose import compose, install
from limen.app.demo.people import PASSWORD, PEOPLE, settle
from limen.app.demo.shop import ShopSettings, shop
from limen.app.serving import GRACE, bind, bound, fatal, server_of
from limen.app.settings import ServerSettings
from limen.platform.crypto import Keyring, KeyringSettings
from limen.platform.duties import Settings

TENANTS: Final = Path(__file__).parent / "acme.toml"
SHOP_PORT: Final = 8401
CONFIG: Final = """\
[server]
listen = "127.0.0.1:8400"
base_url = "http://localhost:8400"
mode = "dev"

[log]
level = "warning"
requests = "failures"
"""


def prepare(folder: Path, port: int | None) -> Settings:
    """Write what the demo needs into its folder, and return its settings."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "limen.toml"
    if not config.exists():
        config.write_text(CONFIG)
    if not (folder / "acme.toml").exists():
        shutil.copyfile(TENANTS, folder / "acme.toml")
    chosen = settings.load(config, port=port)
    place = chosen.of(KeyringSettings)
    place.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    Keyring.create(place)
    bring_up(chosen, quiet=True)
    return chosen


def shop_settings(tenants: Path, issuer: str) -> ShopSettings:
    """Return who the shop is to Limen, from the tenant file both are made of."""
    client = next(one for one in tomllib.loads(tenants.read_text())["tenant"][0]["client"] if one["id"] == "shop")
    return ShopSettings(issuer, client["id"], client["secret"])


def run(folder: Path, port: int | None) -> None:
    """Run the demo to its end."""
    chosen = prepare(folder, port)
    with (
        bind(chosen) as listening,
        bound("127.0.0.1", SHOP_PORT) as shop_listening,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        suppress(KeyboardInterrupt),
    ):
        runner.run(_serve(chosen, folder / "acme.toml", listening, shop_listening))


async def _serve(chosen: Settings, tenants: Path, listening: socket.socket, shop_listening: socket.socket) -> None:
    server = chosen.of(ServerSettings)
    install()
    async with ground.opened(chosen, on_fatal=fatal) as opened:
        await apply(opened.db, tenants, server)
        await settle(opened.db)
        house = await compose(opened)
        beside = [asyncio.create_task(one) for one in house.beside()]
        web, market = server_of(house.app), server_of(shop(shop_settings(tenants, server.base_url)))
        selling = asyncio.create_task(market.serve(sockets=[shop_listening]))
        _welcome(server.base_url)
        try:
            await web.serve(sockets=[listening])
        finally:
            market.should_exit = True
            house.stop()
            await asyncio.wait([*beside, selling], timeout=GRACE)


def _welcome(issuer: str) -> None:
    console = Console(highlight=False)
    console.print()
    console.print("[bold]Limen is open.[/bold] Ctrl+C closes it.")
    console.print()
    for name, address, words in (
        ("Shop", f"http://127.0.0.1:{SHOP_PORT}", "a sample shop: create an account or sign in"),
        ("Portal", f"{issuer}/account", "what customers see of themselves"),
        ("Mailbox", f"{issuer}/dev/mailbox", "every mail Limen sends lands here"),
        ("API", f"{issuer}/api/openapi.json", "the description of /api/v1"),
        ("Issuer", f"{issuer}/.well-known/openid-configuration", "what apps connect to"),
    ):
        console.print(f"  {name:<9}[link={address}]{address}[/link]", style="cyan", end="")
        console.print(f"  {words}", style="dim")
    console.print()
    console.print("Sample customers, all with the password " + f"[bold]{PASSWORD}[/bold]:")
    for person in PEOPLE:
        console.print(f"  {person.email}", style="cyan", end="")
        console.print(f"  {person.given_name} {person.family_name}, reads {person.locale}", style="dim")
    console.print()
