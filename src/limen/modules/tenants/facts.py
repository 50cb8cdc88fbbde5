"""What happens to tenants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantChanged(Fact):
    """A tenant was made or changed; `changed` names the fields."""

    name: ClassVar[str] = "tenants.tenant_changed"
    made: bool
    changed: tuple[str, ...]
