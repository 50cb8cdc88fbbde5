"""limen key: Look at keys and rotate them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from limen.modules.keys.errors import WhatToRotate
from limen.modules.keys.service.listing import list_keys
from limen.modules.keys.service.rotation import rotate as rotate_signing
from limen.modules.keys.service.wrapping import Rotated, rotate_epoch, rotate_master
from limen.platform.commands import Command, Ground
from limen.platform.wire.jose import Alg


async def show(ground: Ground) -> None:
    """List keys by name and date: the keyring's, then the tenant's. No key is ever printed."""
    lines = await list_keys(ground.db, ground.tenant)
    ground.table(
        ("Kind", "Key", "Standing", "Since", "Until"),
        [(line.kind, line.id, line.standing, _day(line.since), _day(line.until)) for line in lines],
    )


async def rotate(ground: Ground, *, epoch: bool = False, master: bool = False, signing: str = "", destroy_previous: bool = False) -> None:
    """Rotate one kind of key while everything goes on serving.

    Parameters
    ----------
    epoch
        Begin an epoch (monthly): people's keys are wrapped anew, and the epoch key before the previous one is destroyed.
    master
        Make a new master key and wrap all tenants' keys under it.
    signing
        Begin the rotation of the tenant's signing key of this algorithm: ES256, RS256 or Ed25519.
    destroy_previous
        Destroy the previous key now, with what only it can open. For a signing key: it is withdrawn, and its tokens are void.
    """
    if [epoch, master, bool(signing)].count(True) != 1:
        raise WhatToRotate(operator="say what to rotate: --epoch, --master, or --signing ES256")
    if signing:
        await _rotate_signing(ground, signing, withdraw=destroy_previous)
        return
    with ground.console.status("wrapping keys anew") as status:
        turn = rotate_epoch if epoch else rotate_master
        done = await turn(
            ground.db,
            destroy_previous=destroy_previous,
            actor=ground.actor("key rotate"),
            told=lambda count: status.update(f"wrapping keys anew: {count:,}"),
        )
    _tell(ground, "epoch" if epoch else "master", done)


async def _rotate_signing(ground: Ground, name: str, *, withdraw: bool) -> None:
    try:
        alg = next(alg for alg in (Alg.ES256, Alg.RS256, Alg.ED25519) if alg.value.lower() == name.lower())
    except StopIteration:
        raise WhatToRotate(operator=f"{name[:20]} is no algorithm Limen signs with: write ES256, RS256 or Ed25519") from None
    key = await rotate_signing(ground.db, ground.tenant, alg, withdraw=withdraw, actor=ground.actor("key rotate"))
    line = next(line for line in await list_keys(ground.db, ground.tenant) if line.id == key)
    ground.say(f"{alg.value} key {key} of {ground.tenant} signs from {_day(line.since)}")
    if withdraw:
        ground.say("the key before it is withdrawn: tokens it signed are void as soon as applications read the key set again")


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
