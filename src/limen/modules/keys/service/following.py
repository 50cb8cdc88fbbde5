"""Bringing what is kept under a tenant's previous key under its current one, page by page, and then letting the previous one go.

A walk is a value: where it is stands in it, so that it is taken up wherever it was left, by whatever process.
"""

from __future__ import annotations

import msgspec

from limen.modules.keys import store
from limen.modules.keys.facts import TenantKeyRenewed
from limen.modules.keys.model import Use
from limen.modules.keys.service import keeping
from limen.modules.keys.service.tenant import drop_previous
from limen.platform.sql import Work


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """A walk over all that is kept under keys of a use, and how far it has come."""

    use: Use
    key: str
    """The current key, to which this walk belongs: when another has come, it is over."""
    last: bool
    """Whether nothing needs the previous key any more once this is done."""
    done: str = ""
    """The name of the last thing that was brought along whole."""
    after: str = ""
    """Where in the next one it goes on."""
    changed: int = 0


async def step(work: Work, walk: Walk) -> Walk | None:
    """Take one page; return the walk as it is then, None when it is over."""
    present = await store.tenant_keys(work, walk.use)
    if len(present) < 2 or present[0].id != walk.key:  # noqa: PLR2004 - the current key and the previous one
        return None
    found = keeping.following(walk.use, walk.done)
    if found is None:
        if walk.last:
            await drop_previous(work, walk.use)
        else:
            await store.note_renewed(work, walk.use)
            work.record(TenantKeyRenewed(use=walk.use.value, key=walk.key, changed=walk.changed))
        return None
    name, anew = found
    page = await anew(work, walk.after)
    done, after = (name, "") if page.after is None else (walk.done, page.after)
    return msgspec.structs.replace(walk, done=done, after=after, changed=walk.changed + page.changed)
