"""Reading the log in tests, in the order in which things were recorded: without it PostgreSQL answers rows in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from limen.kernel.ids import SERVER
from limen.platform.sql import FACTS, Database, statement


@dataclass(frozen=True)
class Happened:
    """A fact as stored."""

    name: str
    tenant: str
    subject: str | None
    data: dict[str, Any]


_HAPPENED = statement(
    sa.select(FACTS.c.name, FACTS.c.tenant, FACTS.c.subject, FACTS.c.data).order_by(FACTS.c.seq),
    into=Happened,
    across_tenants="a test looks at everything",
)


async def happened(db: Database, name: str = "") -> list[Happened]:
    """Return what was recorded, of all tenants, by the beginning of its name, the oldest first; it need not have its position yet."""
    async with db.read(SERVER) as reader:
        return [fact for fact in await reader.all(_HAPPENED) if fact.name.startswith(name)]
