"""limen key: Look at keys and rotate them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from limen.modules.keys.errors import WhatToRotate
from limen.modules.keys.model import Stage, Use
from limen.modules.keys.service import keeping
from limen.modules.keys.service.listing import list_keys
from limen.modules.keys.service.renewal import replace_data_key, rotate_tenant_key
from limen.modules.keys.service.rotation import leaves
from limen.modules.keys.service.rotation import rotate as rotate_signing
from limen.modules.keys.service.wrapping import Rotated, rotate_epoch, rotate_master
from limen.modules.keys.settings import OFFERED
from limen.platform.commands import Command, Ground
from limen.platform.duties import Running

_MADE: Final = {Use.DATA: "sealed", Use.INDEX: "indexed"}


async def show(ground: Ground) -> None:
    """List keys by name and date: the keyring's, then the tenant's. No key is ever printed."""
    lines = await list_keys(ground.db, ground.tenant)
    ground.table(
        ("Kind", "Key", "Standing", "Since", "Until"),
        [(line.kind, line.id, line.standing, _day(line.since), _day(line.until)) for line in lines],
    )


async def rotate(  # noqa: PLR0913 - each is an option of the command
    ground: Ground,
    *,
    epoch: bool = False,
    master: bool = False,
    data: bool = False,
    index: bool = False,
    signing: str = "",
    destroy_previous: bool = False,
) -> None:
    """Rotate one kind of key while everything goes on serving.

    Parameters
    ----------
    epoch
        Begin an epoch (monthly): people's keys are wrapped anew, and the epoch key before the previous one is destroyed.
    master
        Make a new master key and wrap all tenants' keys under it.
    data
        Begin the rotation of the tenant's data key: servers seal anew what it sealed, and drop it when nothing needs it any more.
    index
        Begin the rotation of the key of the tenant's blind index: servers index anew, and drop it when nothing is found by it any more.
    signing
        Begin the rotation of the tenant's signing key of this algorithm: ES256, RS256, PS256, Ed25519 or EdDSA.
    destroy_previous
        Destroy the previous key now, with what only it can open. For a signing key: it is withdrawn, and its tokens are void.
    """
    if [epoch, master, data, index, bool(signing)].count(True) != 1:
        raise WhatToRotate(operator="say what to rotate: --epoch, --master, --data, --index, or --signing ES256")
    if signing:
        await _rotate_signing(ground, signing, withdraw=destroy_previous)
    elif data and destroy_previous:
        await _replace_data(ground)
    elif data or index:
        await _rotate_own(ground, Use.DATA if data else Use.INDEX, destroy_previous=destroy_previous)
    else:
        await _rotate_wrapping(ground, epoch=epoch, destroy_previous=destroy_previous)


async def _rotate_wrapping(ground: Ground, *, epoch: bool, destroy_previous: bool) -> None:
    with ground.console.status("wrapping keys anew") as status:
        turn = rotate_epoch if epoch else rotate_master
        done = await turn(
            ground.db,
            destroy_previous=destroy_previous,
            actor=ground.actor("key rotate"),
            told=lambda count: status.update(f"wrapping keys anew: {count:,}"),
        )
    _tell(ground, "epoch" if epoch else "master", done)


async def _rotate_own(ground: Ground, use: Use, *, destroy_previous: bool) -> None:
    if destroy_previous:
        raise WhatToRotate(
            operator="the previous key of the blind index goes by itself: dropped sooner, attempts and messages to an address would be counted from zero again"
        )
    async with ground.db.work(ground.tenant, ground.actor("key rotate")) as work:
        key = await rotate_tenant_key(work, use)
    before = next(line for line in await list_keys(ground.db, ground.tenant) if line.kind == use.value and line.until)
    ground.say(f"{use.value} key {key} of {ground.tenant} is in use; what {before.id} {_MADE[use]} follows within minutes while a server runs")
    ground.say(f"{use.value} key {before.id} is kept until {_day(before.until)}, then it goes by itself")
    for kept in keeping.fading(use):
        ground.say(f"  {kept.name} needs it: {kept.why}")


async def _replace_data(ground: Ground) -> None:
    with ground.console.status("sealing anew") as status:
        key = await replace_data_key(ground.db, ground.tenant, actor=ground.actor("key rotate"), told=lambda count: status.update(f"sealing anew: {count:,}"))
    ground.say(f"data key {key} of {ground.tenant} is in use, and those before it are gone")
    for kept in keeping.fading(Use.DATA):
        ground.say(f"  {kept.name} is lost: {kept.why}")


async def _rotate_signing(ground: Ground, name: str, *, withdraw: bool) -> None:
    try:
        alg = next(alg for alg in OFFERED if alg.value.lower() == name.lower())
    except StopIteration:
        raise WhatToRotate(operator=f"{name[:20]} is no algorithm Limen signs with: write one of {', '.join(one.value for one in OFFERED)}") from None
    dev = ground.settings.of(Running).dev
    key = await rotate_signing(ground.db, ground.tenant, alg, withdraw=withdraw, dev=dev, actor=ground.actor("key rotate"))
    lines = [line for line in await list_keys(ground.db, ground.tenant) if line.kind == alg.value]
    begins = next(line.since for line in lines if line.id == key)
    ground.say(f"{alg.value} key {key} of {ground.tenant} signs from {_day(begins)}")
    if withdraw:
        ground.say("the key before it is withdrawn: tokens it signed are void as soon as applications read the key set again")
    elif begins is not None and (before := next((line.id for line in lines if line.standing == Stage.CURRENT.value and line.id != key), None)):
        ground.say(f"{alg.value} key {before} is shown until {_day(await leaves(ground.db, ground.tenant, begins))}, when the last token it signed has ended")


def _tell(ground: Ground, kind: str, done: Rotated) -> None:
    ground.say(f"{kind} key {done.key} is in use; {done.rewrapped:,} keys were wrapped anew")
    for gone in done.destroyed:
        ground.say(f"{kind} key {gone} is destroyed")
    if kind == "master":
        ground.say("keep a copy of the keyring file, apart from backups of the database")
        return
    current, *previous = ground.db.keyring.epochs()
    ground.say(f"a backup made from now on can be restored until {_day(current.ends)}; who is forgotten now is gone from every backup from that day on")
    for before in previous:
        ground.say(f"a backup made in the epoch before can be restored until {_day(before.ends)}")


def _day(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC" if instant else ""


COMMANDS: Final = (Command("list", show), Command("rotate", rotate))
