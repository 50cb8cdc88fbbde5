"""What an app would be told, and why, before anything is applied. Nothing is written, and nothing of it is logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from limen.kernel.ids import AccountId
from limen.modules import tenants
from limen.modules.claims import store
from limen.modules.claims.errors import InvalidClaims
from limen.modules.claims.model import BY_SCOPE, Asking, Use, sector_of
from limen.modules.claims.service import planning, releasing
from limen.modules.claims.settings import Claim, Tenant
from limen.modules.clients import Client
from limen.platform.expressions import JsonValue
from limen.platform.sql import Reader

LATER: Final = "(made when it is first asked for)"


@dataclass(frozen=True, slots=True)
class Line:
    """A claim, where it would be told, and where it comes from; `failed` says why there is none."""

    use: Use
    name: str
    value: JsonValue
    source: str
    failed: str = ""


def drafted(values: Mapping[str, object]) -> Tenant:
    """Return a draft of `[tenant.claims]` as settings; InvalidClaims says what `apply` would."""
    unknown = [*(values.keys() - {"add", "scopes"}), *_unknown_keys(values.get("add"))]
    if unknown:
        raise InvalidClaims(f"`{str(unknown[0])[:60]}` is unknown")
    try:
        return msgspec.convert(values, Tenant)
    except msgspec.ValidationError as error:
        raise InvalidClaims(str(error)) from None


def _unknown_keys(added: object) -> Iterator[str]:
    tables = added.values() if isinstance(added, Mapping) else ()
    for table in tables:
        yield from (table.keys() - set(Claim.__dataclass_fields__)) if isinstance(table, Mapping) else ()


async def preview(reader: Reader, account: AccountId, client: Client, scopes: tuple[str, ...], draft: Tenant | None = None) -> tuple[Line, ...]:
    """Return what the client would be told of the account in each place, under the tenant's settings or a draft of them.

    The same code answers as in earnest. A pairwise `sub` that there is none of yet is not made.
    """
    settings = draft if draft is not None else await tenants.settings(reader, Tenant.section, Tenant)
    sub = await _subject(reader, account, client)
    lines: list[Line] = []
    for use in Use:
        asking = Asking(account=account, client=client, scopes=scopes, use=use)
        told, failed = await releasing.answer(reader, asking, settings)
        lines.append(Line(use, "sub", *sub))
        lines += [Line(use, name, value, _source(settings, asking, name)) for name, value in told.items()]
        lines += [Line(use, name, None, _source(settings, asking, name), reason) for name, reason in failed.items()]
    return tuple(lines)


async def _subject(reader: Reader, account: AccountId, client: Client) -> tuple[str, str]:
    sector = sector_of(client)
    if sector is None:
        return account, "the account's id"
    return await store.find(reader, account, sector) or LATER, f"pairwise, sector {sector}"


def _source(settings: Tenant, asking: Asking, name: str) -> str:
    claim = settings.add.get(name)
    if claim is not None and name in planning.added(settings, asking):
        given = " or ".join(f"scope {scope}" for scope in claim.scopes if scope in asking.scopes) or "the client's name"
        return f"added: {'attribute ' + claim.attribute if claim.attribute else 'expression'}, by {given}"
    scopes = [scope for scope in asking.scopes if name in (*BY_SCOPE.get(scope, ()), *settings.scopes.get(scope, ()))]
    return f"standard, by scope {' or '.join(scopes)}"
