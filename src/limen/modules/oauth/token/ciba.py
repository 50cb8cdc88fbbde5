"""The grant of back-channel requests (CIBA Core 1.0, section 10.1): the client polls, or comes once it was called."""

from __future__ import annotations

from typing import Final

from limen.modules.clients import Delivery, GrantType
from limen.modules.oauth import ciba, store
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.token.port import Given, Grant, Wish
from limen.platform.sql import Work

_UNKNOWN: Final = Refused(Code.INVALID_GRANT, "auth_req_id is unknown, was used, or is another client's.", "auth_req_id_unknown")
_PUSHED: Final = Refused(
    Code.UNAUTHORIZED_CLIENT, "The client is registered for the mode push: its tokens are sent to it (CIBA Core 1.0, section 11).", "push_client_polls"
)


async def _decide(work: Work, wish: Wish) -> Given | Refused:
    if wish.client.backchannel_token_delivery_mode is Delivery.PUSH:
        return _PUSHED
    kept = await store.backchannel.take(work, ciba.digest_of(wish.form.text("auth_req_id")))
    if kept is None or kept.client != wish.client.id or ciba.read(kept).mode is Delivery.PUSH:
        return _UNKNOWN
    outcome = await ciba.settled(work, wish.press, wish.client, kept, wish.bound)
    if outcome is ciba.PENDING:
        return await ciba.polled(work, kept)
    if isinstance(outcome, Refused):
        return outcome
    await store.backchannel.drop(work, kept.digest)
    permit = outcome.permit
    return Given(
        access=outcome.access,
        client=permit.client,
        scope=outcome.scope,
        lifetime=wish.press.ground.access_seconds,
        account=permit.account,
        grant=outcome.grant,
        refresh=outcome.refresh,
        identity=outcome.identity,
        details=permit.extra.details if permit.extra is not None else "",
    )


CIBA: Final = Grant(GrantType.CIBA, ("auth_req_id",), _decide)
