"""OAuth 2.0 and OpenID Connect: the door at which apps ask for people and services get tokens, one file for each specification.

It speaks the protocol and decides nothing of its own: who somebody is, `signin` leads to find out; what an app may, `consents` and `grants`
say. It answers the edge's question about bearers (`bearer.admits`).
"""

from __future__ import annotations

from limen.modules.oauth.tally import flush
from limen.modules.oauth.watch.following import anomalies

__all__ = ["anomalies", "flush"]
