"""What may be shown once: DPoP proofs, clients' assertions, signed requests. One memory for all processes: the database.

Remembered is a digest, for as long as the thing itself would be accepted. Ask after everything else has been checked, signature and client
included, so that strangers cannot fill the memory.
"""

from __future__ import annotations

from datetime import datetime

from limen.kernel import secrets
from limen.modules.oauth import store
from limen.modules.oauth.store import ReplayKind
from limen.platform.sql import Work


async def first_time(work: Work, kind: ReplayKind, owner: str, name: str, until: datetime) -> bool:
    """Whether this is seen for the first time; from now on it is not. Of two that come at once, in whatever processes, one is first.

    `owner` is who made it (issuer, or thumbprint of the key) and what it is for; `name` is what the owner calls it (`jti`), of any length;
    `until` is the instant from which it is too old anyway.
    """
    return await store.show(work, kind, _digest(owner, name), until)


def claim_first(work: Work, kind: ReplayKind, owner: str, name: str, until: datetime) -> None:
    """Claim that this is seen for the first time, without asking: Outrun from the end of the Work if it is not."""
    store.show_first(work, kind, _digest(owner, name), until)


def _digest(owner: str, name: str) -> bytes:
    return secrets.digest(f"{len(owner)} {owner}{name}")
