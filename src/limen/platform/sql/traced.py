"""Spans of Works: how long, opened by which function, how many statements. No SQL and no value is in them. Used only while a trace is recorded."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Mapping
from types import TracebackType
from typing import Final, TypeVar

from limen.kernel.ids import TenantId
from limen.platform.sql.scope import Scope
from limen.platform.sql.statements import Statement
from limen.platform.sql.work import Work
from limen.platform.telemetry import TRACES, Trail

R = TypeVar("R")

_OURS: Final = "limen.platform.sql."


class TracedScope(Scope):
    """Goes before an executor's scope, which counts its statements."""

    statements = 0
    _trail: Trail | None = None

    def look(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> Awaitable[R | None]:
        if not (self.begun or self.puts):
            self.statements += 1
        return super().look(statement, tenant, values)

    async def __aenter__(self) -> Work:
        work = await super().__aenter__()
        self._trail = TRACES.begin(f"work {opener()}", "client", {"db.system.name": self.db.dialect, "limen.tenant": self.tenant})
        return work

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with TRACES.during(self._trail):
            try:
                await super().__aexit__(kind, error, trace)
            finally:
                TRACES.note("limen.work.statements", self.statements)
                TRACES.note("limen.work.facts", len(self.facts))
                if error is not None:
                    TRACES.failed(type(error).__name__)


def opener() -> str:
    """Return the function that enters a Work, such as `oauth.token.exchange`. Called while it does: a coroutine's frame stands on the one that awaits it."""
    frame = inspect.currentframe()
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("limen.") and not module.startswith(_OURS):
            return f"{module.removeprefix('limen.').removeprefix('modules.')}.{frame.f_code.co_qualname}"
        frame = frame.f_back
    return "(elsewhere)"
