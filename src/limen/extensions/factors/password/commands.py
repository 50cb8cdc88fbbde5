"""limen password: Keep out passwords that were stolen from others."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Final

from limen.extensions.factors.password import corpus
from limen.extensions.factors.password.corpus import Progress
from limen.extensions.factors.password.leaked import Leaked
from limen.extensions.factors.password.settings import Server
from limen.platform.commands import BadOption, Command, Ground


async def leaked(ground: Ground, source: Path, /, *, out: Path | None = None) -> None:
    """Make the filter of stolen passwords from a downloaded list, such as Pwned Passwords by SHA-1.

    Parameters
    ----------
    source
        A file with lines `SHA1` or `SHA1:count`, in any order, or a folder of range files.
    out
        The filter; where `password.leaked` of the configuration says, if left out.
    """
    target = out or ground.settings.of(Server).leaked
    if target is None:
        raise BadOption(operator='say where it is to be: --out var/leaked.filter, or in limen.toml [password] leaked = "var/leaked.filter"')
    target = target.absolute()
    with closing(corpus.build(source, target)) as steps, ground.console.status("Reading") as status:
        for step in steps:
            status.update(_words(step))
            await asyncio.sleep(0)  # where an interruption is heard
    made = Leaked(target)
    ground.say(f"{target}: {made.entries:,} passwords, {target.stat().st_size:,} octets. Servers take it when they start")
    made.close()


def _words(step: Progress) -> str:
    return f"Writing {step.written:.0%} of {step.read:,} digests" if step.written else f"Reading: {step.read:,} digests"


COMMANDS: Final = (Command("leaked", leaked),)
