"""What is usual for a client, and when it is not so any more. All times in seconds since 1970, of the facts themselves.

A rate is unusual above `watch_times` what is usual, and never below a floor, so that small numbers alarm nobody. Usual is a weighted mean that
rises by a quarter of the way and falls by half in a week: it keeps to the upper edge of a rhythm, so that mornings and Mondays are no bursts.
What is above the limit counts as the limit, so that a burst does not pass for usual because it was one.
"""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import msgspec

from limen.kernel.ids import AccountId, ClientId, GrantId
from limen.modules.oauth.settings import Tenant as Rules

MINUTE: Final = 60
HOUR: Final = 3_600
DAY: Final = 86_400
MEMORY: Final = 30 * DAY
"""So long a scope, a network and the client itself are remembered after they were last seen."""

_RISES: Final = 0.25
_FALLS: Final = {span: 0.5 ** (span / (7 * DAY)) for span in (MINUTE, HOUR)}
_MOST_NAMES: Final = 200
_MOST_NETWORKS: Final = 16


class Anomaly(enum.Enum):
    """What is not as usual."""

    BURST = "burst"
    """Far more tokens than usual, by a client or for a person."""
    REFRESH_REUSE = "refresh_reuse"
    """A refresh token came back after its use."""
    SCOPE_DRIFT = "scope_drift"
    """A client began to use scopes it had not used for a month."""
    MANY_NETWORKS = "many_networks"
    """What one grant gives is shown from many networks at once."""
    NEW_NETWORK = "new_network"
    """A client that always came from the same few networks came from another."""


ADVICE: Final = {
    Anomaly.BURST: "Look at the facts of this client or person since then. If nobody can say why, rotate the client's secret, or end the person's sessions.",
    Anomaly.REFRESH_REUSE: "Somebody may have a copy of the token; the grant has been ended. From another network it was hardly the app: ask its makers.",
    Anomaly.SCOPE_DRIFT: "If the app was changed, this is it. If nobody changed it, take the scopes from the client and rotate its secret.",
    Anomaly.MANY_NETWORKS: "A copied token looks so, and so does an API that runs in many places: for that raise watch_networks. Else end the grant.",
    Anomaly.NEW_NETWORK: "If the app has moved, this is it. If not, its secret is in other hands: rotate it without overlap.",
}
"""What an operator does about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as usual: `observed` within `window` seconds, where up to `expected` is nothing to tell."""

    kind: Anomaly
    client: ClientId
    observed: int
    expected: int
    window: int
    account: AccountId | None = None
    grant: GrantId | None = None
    detail: str = ""


@dataclass(slots=True)
class ClientSeen:
    """What a stretch of the log tells of one client."""

    minutes: Counter[int] = field(default_factory=Counter)
    """Tokens by the number of the minute."""
    scopes: dict[str, int] = field(default_factory=dict)
    """When tokens were last issued, by their scopes as one string."""
    networks: dict[str, int] = field(default_factory=dict)
    """Likewise by the label of the network they were asked for from."""


class Pulse(msgspec.Struct):
    """How many tokens in the window that runs, and how many are usual."""

    window: int = 0
    count: int = 0
    usual: float = 0.0

    def limit(self, floor: int, times: int) -> int:
        """Return how many are nothing to tell."""
        return max(floor, int(times * self.usual))

    def turn(self, window: int, seconds: int, most: int | None) -> None:
        """Close the windows before `window`; of the one that ran at most `most` count."""
        if window <= self.window:
            return  # what comes late counts where we are
        count = self.count if most is None else min(self.count, most)
        falls = _FALLS[seconds]
        if count > self.usual:
            self.usual += (count - self.usual) * (_RISES if most is not None else 1.0)
        else:
            self.usual = count + (self.usual - count) * falls
        self.usual *= falls ** (window - self.window - 1)
        self.window, self.count = window, 0


class Profile(msgspec.Struct):
    """What is usual for one client."""

    since: int
    """When it was first seen."""
    placed: int
    """Since when its networks have been learnt."""
    minute: Pulse = msgspec.field(default_factory=Pulse)
    hour: Pulse = msgspec.field(default_factory=Pulse)
    scopes: dict[str, int] = msgspec.field(default_factory=dict)
    networks: dict[str, int] = msgspec.field(default_factory=dict)
    told: int = 0
    """The hour for which a burst was told last."""

    def learn(self, client: ClientId, seen: ClientSeen, rules: Rules, *, relearn: int = 0) -> list[Finding]:
        """Take in what was seen; return what of it is not as usual. `relearn`: since when networks have the labels they have now."""
        if self.placed < relearn:
            self.networks.clear()
            self.placed = relearn
        return [*self._rates(client, seen, rules), *self._scopes(client, seen, rules), *self._networks(client, seen, rules)]

    def _rates(self, client: ClientId, seen: ClientSeen, rules: Rules) -> list[Finding]:
        found = []
        learning = min(int(rules.watch_learning.total_seconds()), DAY)
        for minute, count in sorted(seen.minutes.items()):
            at = minute * MINUTE
            known = at - self.since >= learning
            for pulse, seconds, floor in ((self.minute, MINUTE, rules.watch_client_minute), (self.hour, HOUR, rules.watch_client_hour)):
                limit = pulse.limit(floor, rules.watch_times)
                pulse.turn(at // seconds, seconds, limit if known else None)
                limit = pulse.limit(floor, rules.watch_times)
                pulse.count += count
                if known and pulse.count > limit and self.told < at // HOUR:
                    self.told = at // HOUR
                    found.append(Finding(kind=Anomaly.BURST, client=client, observed=pulse.count, expected=limit, window=seconds))
        return found

    def _scopes(self, client: ClientId, seen: ClientSeen, rules: Rules) -> list[Finding]:
        new, first, fresh = set(), 0, not self.scopes
        for text, at in seen.scopes.items():
            for scope in text.split():
                last = self.scopes.get(scope)
                if last is None or at - last > MEMORY:
                    new.add(scope)
                    first = at
                self.scopes[scope] = max(at, last or 0)
        self.scopes = _newest(self.scopes, _MOST_NAMES)
        if fresh or not new or first - self.since < rules.watch_learning.total_seconds():
            return []
        return [Finding(kind=Anomaly.SCOPE_DRIFT, client=client, observed=len(new), expected=0, window=MEMORY, detail=" ".join(sorted(new)))]

    def _networks(self, client: ClientId, seen: ClientSeen, rules: Rules) -> list[Finding]:
        found = []
        for label, at in sorted(seen.networks.items(), key=lambda item: item[1]):
            usual = [name for name, last in self.networks.items() if at - last <= MEMORY]
            known = at - self.placed >= rules.watch_learning.total_seconds()
            if label not in usual and known and 0 < len(usual) <= rules.watch_few_networks:
                found.append(Finding(kind=Anomaly.NEW_NETWORK, client=client, observed=len(usual) + 1, expected=len(usual), window=MEMORY, detail=label))
            self.networks[label] = max(at, self.networks.get(label, 0))
        self.networks = _newest(self.networks, _MOST_NETWORKS)
        return found


def _newest(seen: dict[str, int], most: int) -> dict[str, int]:
    """Return the `most` that were seen last."""
    if len(seen) <= most:
        return seen
    return dict(sorted(seen.items(), key=lambda item: item[1], reverse=True)[:most])
