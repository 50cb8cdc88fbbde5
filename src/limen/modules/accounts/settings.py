"""By what a tenant's customers are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from limen.modules.accounts.model import EMAIL, KINDS, phones

_MOST_RESERVED: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.accounts]`: which identifiers customers may have. Those they have already stay as they are."""

    section: ClassVar[str] = "accounts"
    identifiers: tuple[str, ...] = (EMAIL,)
    """Kinds of new identifiers: `email`, `phone`, `username`. `email` is always among them, since sign-up proves an address."""
    region: str = ""
    """Country (ISO 3166-1, two capital letters) of telephone numbers written without their country's digits; empty: they are refused."""
    reserved: tuple[str, ...] = ()
    """Usernames nobody may take, beside those that are reserved everywhere; dots, hyphens and underscores in them do not count. At most 1,000."""

    def __post_init__(self) -> None:
        if strangers := [kind for kind in self.identifiers if kind not in KINDS]:
            raise ValueError(f"identifiers: `{strangers[0][:20]}` is none of {', '.join(KINDS)}")
        if EMAIL not in self.identifiers:
            raise ValueError("identifiers: `email` has to be among them, since sign-up proves an address")
        if self.region and not phones.is_region(self.region):
            raise ValueError("region: must be a country's two capital letters, such as DE")
        if len(self.reserved) > _MOST_RESERVED:
            raise ValueError(f"reserved: at most {_MOST_RESERVED} names")
