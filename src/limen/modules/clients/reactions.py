"""What clients do when somebody lets one in: it is used, and stays."""

from __future__ import annotations

from typing import Final, Protocol

from limen.kernel.ids import ClientId
from limen.modules.clients.service import keep
from limen.platform.sql import Reaction, Work


class _Given(Protocol):
    """`consents.consent_given`, by its wire name: consents know clients, not the other way round."""

    client: ClientId


async def _let_in(work: Work, fact: _Given) -> None:
    await keep(work, fact.client)


REACTIONS: Final[dict[str, Reaction]] = {"consents.consent_given": _let_in}
