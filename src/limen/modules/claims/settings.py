"""Which claims a tenant tells beside those every tenant does."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Final

from limen.modules.claims.errors import Unfit
from limen.modules.claims.model import ATTRIBUTES, PROVED, RESERVED, STANDARD, Use, expression
from limen.platform.expressions import BadExpression

_MOST: Final = 50
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim beside the standard ones, or a standard one told in another way."""

    value: str = ""
    """Its value as an expression (CEL) over `profile.<attribute>`, `email`, `email_verified`, `scopes`, `client.id`, `client.name`, `client.kind` and `now`."""
    attribute: str = ""
    """In place of `value`: the standard claim whose value it has, such as `locale` or `address.country`."""
    scopes: tuple[str, ...] = ()
    """Any of these gives it. With none, the clients named get it in any case."""
    clients: tuple[str, ...] = ()
    """Only these are told; with none, all clients are."""
    tokens: tuple[Use, ...] = (Use.USERINFO,)
    """Where it is told."""

    def __post_init__(self) -> None:
        if bool(self.value) == bool(self.attribute):
            raise Unfit("value: give either this or attribute")
        if self.attribute and self.attribute not in ATTRIBUTES:
            raise Unfit(f"attribute: `{self.attribute[:60]}` is no standard claim", _nearest(self.attribute, ATTRIBUTES))
        if not self.scopes and not self.clients:
            raise Unfit("scopes: without any, everybody would be told", "Name the scope that gives it, or the clients it is for")
        if not self.tokens:
            raise Unfit("tokens: it is told nowhere", 'Write for example ["userinfo"]')
        if self.value:
            try:
                expression(self.value)
            except BadExpression as bad:
                raise Unfit(f"value: {bad}", bad.suggestion) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.claims]`: what apps are told of people beside the standard claims of each scope."""

    section: ClassVar[str] = "claims"
    add: dict[str, Claim] = field(default_factory=dict)
    """Claims by name, each in a table `[tenant.claims.add.NAME]`, at most 50; those of the protocol (`iss`, `sub`, `aud`, ...) cannot be set."""
    scopes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Standard claims that a scope gives beside those it gives anyhow."""

    def __post_init__(self) -> None:
        if len(self.add) > _MOST:
            raise Unfit(f"add: there are more than {_MOST}")
        for name, claim in self.add.items():
            _check_name(name, claim)
        for names in self.scopes.values():
            for name in names:
                if name not in STANDARD:
                    raise Unfit(f"scopes: `{name[:60]}` is no standard claim", _nearest(name, STANDARD))


def _check_name(name: str, claim: Claim) -> None:
    if not 0 < len(name) <= _LONGEST or not name.isprintable() or " " in name:
        raise Unfit(f"add: `{name[:60]}` is no name of a claim", f"Up to {_LONGEST} characters without spaces")
    if name.lower() in RESERVED:
        raise Unfit(f"add: `{name}` belongs to the protocol", "Choose another name")
    if name in PROVED and claim.attribute != name:
        raise Unfit(f"add: `{name}` says what was proved, and is told as it is", f'Write attribute = "{name}", or choose another name')


def _nearest(word: str, known: Iterable[str]) -> str:
    return f"The nearest known name is `{difflib.get_close_matches(word, list(known), n=1, cutoff=0.0)[0]}`"
