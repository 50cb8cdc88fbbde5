"""What a stretch of the log tells, tenant by tenant: counted while it is read, so that its facts need not be held in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from limen.kernel.ids import SERVER, AccountId, ClientId, GrantId, TenantId
from limen.modules import grants, keys
from limen.modules.oauth.facts import Introspected, TokenIssued, TokenRefused, UserinfoRead
from limen.modules.oauth.watch.model import MINUTE, ClientSeen
from limen.platform.sql import StoredFact

REPLAYED: Final = "refresh_replayed"
"""Why the door refused a refresh token that came back."""

_MOST_ACCOUNTS: Final = 20_000
_MOST_USES: Final = 20_000


@dataclass(slots=True)
class Use:
    """From which networks that which one grant gives was shown."""

    account: AccountId
    client: ClientId
    at: int
    networks: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Replay:
    """A refresh token that came back. `network` is where it came from, if the door said so."""

    account: AccountId
    client: ClientId
    grant: GrantId
    at: int
    network: str = ""


@dataclass(slots=True)
class Busy:
    """Tokens for one person within one minute, and the client of the last."""

    client: ClientId
    count: int = 0


@dataclass(slots=True)
class Seen:
    """What a stretch of the log tells of one tenant."""

    clients: dict[ClientId, ClientSeen] = field(default_factory=dict)
    accounts: dict[tuple[AccountId, int], Busy] = field(default_factory=dict)
    """By person and number of the minute."""
    uses: dict[GrantId, Use] = field(default_factory=dict)
    replays: list[Replay] = field(default_factory=list)
    relearn: int = 0
    """When the key that labels networks was rotated last."""


_Data: TypeAlias = Mapping[str, object]
Stretch: TypeAlias = dict[TenantId, Seen]


def _issued(seen: Seen, fact: StoredFact, at: int, data: _Data) -> None:
    client = ClientId(str(data["client"]))
    of = seen.clients.get(client)
    if of is None:
        of = seen.clients[client] = ClientSeen()
    of.minutes[at // MINUTE] += 1
    of.scopes[str(data["scope"])] = at
    if label := data.get("network"):
        of.networks[str(label)] = at
    if fact.subject is not None:
        busy = seen.accounts.setdefault((fact.subject, at // MINUTE), Busy(client))
        busy.client = client
        busy.count += 1
        if len(seen.accounts) > _MOST_ACCOUNTS:
            seen.accounts = _busiest(seen.accounts)


def _busiest(accounts: dict[tuple[AccountId, int], Busy]) -> dict[tuple[AccountId, int], Busy]:
    """Return the busier half: who gets many tokens stays, whoever comes between (lossy counting, Manku and Motwani 2002)."""
    kept = sorted(accounts.items(), key=lambda item: item[1].count, reverse=True)
    return dict(kept[: _MOST_ACCOUNTS // 2])


def _shown(seen: Seen, fact: StoredFact, at: int, data: _Data) -> None:
    label, grant = data.get("network"), data.get("grant")
    if fact.subject is None or not label or not grant:
        return
    name = GrantId(str(grant))
    use = seen.uses.get(name)
    if use is None:
        if len(seen.uses) >= _MOST_USES:
            return
        use = seen.uses[name] = Use(fact.subject, ClientId(str(data["client"])), at)
    use.at = at
    use.networks.add(str(label))


def _replayed(seen: Seen, fact: StoredFact, at: int, data: _Data) -> None:
    if fact.subject is not None:
        seen.replays.append(Replay(fact.subject, ClientId(str(data["client"])), GrantId(str(data["grant"])), at))


def _refused(seen: Seen, _: StoredFact, at: int, data: _Data) -> None:
    """Take from the door's own fact, which follows in the same Work, where a replayed token came from."""
    if seen.replays and data["reason"] == REPLAYED:
        last = seen.replays[-1]
        if not last.network and last.client == data["client"] and last.at == at:
            last.network = str(data.get("network", ""))


def _rotated(seen: Seen, _: StoredFact, at: int, data: _Data) -> None:
    if data["use"] == keys.Use.INDEX.value:
        seen.relearn = at


_READ: Final[dict[str, Callable[[Seen, StoredFact, int, _Data], None]]] = {
    TokenIssued.name: _issued,
    TokenRefused.name: _refused,
    Introspected.name: _shown,
    UserinfoRead.name: _shown,
    grants.RefreshReplayed.name: _replayed,
    keys.TenantKeyRotated.name: _rotated,
}


def read(stretch: Stretch, facts: Sequence[StoredFact]) -> None:
    """Count facts, in the order of the log."""
    for fact in facts:
        reader = _READ.get(fact.name)
        if reader is None or fact.tenant == SERVER:
            continue
        seen = stretch.get(fact.tenant)
        if seen is None:
            seen = stretch[fact.tenant] = Seen()
        reader(seen, fact, int(fact.at.timestamp()), fact.data)
