"""What was shown once and must not be shown again."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from limen.platform.sql import Choice, Instant, Work, bind, insert_new, statement, table


class ReplayKind(enum.Enum):
    """What is shown once. Rows carry the value."""

    DPOP = "dpop"
    """A DPoP proof (RFC 9449, section 11.1)."""
    CLIENT_ASSERTION = "client_assertion"
    """A client's JWT about itself (RFC 7523, section 2.2; RFC 7521, section 5.2)."""
    BEARER_ASSERTION = "bearer_assertion"
    """An issuer's JWT about a person (RFC 7523, section 2.1): an issuer may be called as a client is."""
    REQUEST_OBJECT = "request_object"
    """A signed authorization request (RFC 9101, section 10.8)."""


REPLAYS: Final = table(
    "oauth_replays",
    sa.Column("kind", Choice(ReplayKind), primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),  # of who made it and what they named it
    sa.Column("expires", Instant, nullable=False),
    sa.Index("oauth_replays_by_age", "expires"),  # of all tenants: one job clears them away
)

_R = REPLAYS.c
_SHOW = statement(insert_new(REPLAYS))
_DROP_SHOWN = statement(
    sa.delete(REPLAYS).where(
        sa.tuple_(_R.tenant, _R.kind, _R.digest).in_(
            sa.select(_R.tenant, _R.kind, _R.digest)
            .where(_R.expires <= bind("now"))
            .order_by(_R.expires)
            .limit(bind("most", sa.Integer))
            .with_for_update(skip_locked=True)
        )
    ),
    across_tenants="what is past its time is nobody's any more",
)


async def show(work: Work, kind: ReplayKind, digest: bytes, until: datetime) -> bool:
    """Remember that it was shown; False if it was before, in whatever process."""
    return await work.run(_SHOW, kind=kind, digest=digest, expires=until) == 1


def show_first(work: Work, kind: ReplayKind, digest: bytes, until: datetime) -> None:
    """Claim that it was never shown before, and remember that it is now."""
    work.claim(_SHOW, kind=kind, digest=digest, expires=until)


async def drop_shown(work: Work, most: int) -> int:
    """Forget, for all tenants, what nobody would accept any more; return how much it was."""
    return await work.run(_DROP_SHOWN, now=work.now, most=most)
