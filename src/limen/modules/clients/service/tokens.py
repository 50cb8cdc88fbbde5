"""Initial access tokens (RFC 7591, section 1.2): an operator hands one out, and who has it may register applications."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from limen.kernel import secrets
from limen.kernel.ids import new
from limen.kernel.secrets import Secret
from limen.modules.clients.facts import RegistrationTokenDropped, RegistrationTokenMade
from limen.modules.clients.store import tokens as store
from limen.modules.clients.store.tokens import RegistrationToken
from limen.platform.sql import Reader, Work

INITIAL_PREFIX: Final = "lmn_ia_"
"""What scanners of leaked secrets look for."""


async def make_token(work: Work, *, uses: int | None = None, lasts: timedelta | None = None, note: str = "") -> tuple[RegistrationToken, Secret[str]]:
    """Make a token that registers `uses` applications (None: any number) for as long as `lasts` (None: for good); return it, this once."""
    secret = Secret(secrets.token(INITIAL_PREFIX))
    made = RegistrationToken(id=new("rgt", work.now), made=work.now, note=note, uses=uses, used=0, expires=work.now + lasts if lasts else None)
    await store.add(work, made, secrets.digest(secret.reveal()))
    work.record(RegistrationTokenMade(token=made.id, uses=uses or 0, seconds=int(lasts.total_seconds()) if lasts else 0))
    return made, secret


async def look_at_token(reader: Reader, shown: str) -> bool:
    """Whether a token works now."""
    return await store.look(reader, secrets.digest(shown)) is not None


async def find_token(reader: Reader, token: str) -> RegistrationToken | None:
    """Return a token by its id; its secret is not known any more."""
    return await store.find(reader, token)


async def list_tokens(reader: Reader, after: str = "", limit: int = 100) -> list[RegistrationToken]:
    """Return up to `limit` tokens after an id, the oldest first; a full page means there may be more."""
    return await store.page(reader, after, limit)


async def drop_token(work: Work, token: str) -> bool:
    """Delete a token; False if there was none. What registered with it stays."""
    if not await store.drop(work, token):
        return False
    work.record(RegistrationTokenDropped(token=token))
    return True
