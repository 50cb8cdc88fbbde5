"""`sector_identifier_uri` (OpenID Connect Core 1.0, section 8.1): the addresses a sector has stand there, and a client's have to be among them."""

from __future__ import annotations

from typing import Final

from limen.modules.clients import Client, Delivery, InvalidClient, SubjectType
from limen.modules.tenants import Flaw
from limen.platform.http import Fetcher, FetchFailed, FetchRefused
from limen.platform.wire import bodies
from limen.platform.wire.bodies import BadJson

_FIELD: Final = "sector_identifier_uri"


async def check(client: Client, *, dev: bool) -> None:
    """Fetch the list, where a client names one, and look for its addresses (OpenID Connect Registration 1.0, 5; CIBA Core 1.0, 4). InvalidClient.

    What is said of a failure does not tell what stands in our own network.
    """
    own = _addresses(client)
    if client.sector_identifier_uri is None:
        return
    if not own:  # as of a device: whoever names another's list would be of that sector
        raise InvalidClient(Flaw(_FIELD, "can list no address of this client, which has none", "Leave it out: it is a sector of its own"))
    try:
        found = await Fetcher(own_machine=dev).get(client.sector_identifier_uri)
        listed = bodies.read(found.body, list[str]) if found.status == 200 else None  # noqa: PLR2004 - OK
    except (FetchFailed, FetchRefused, BadJson):
        listed = None
    if listed is None:
        raise InvalidClient(Flaw(_FIELD, "does not answer with a JSON list of addresses", "It is fetched by https on port 443, and not redirected"))
    if missing := [uri for uri in own if uri not in listed]:
        raise InvalidClient(
            Flaw(_FIELD, f"does not list `{missing[0][:60]}`", "It has to list every redirect_uri, and what stands for one in the back channel")
        )


def _addresses(client: Client) -> tuple[str, ...]:
    """Return the addresses that make the sector: with pairwise subjects in the back channel also where the client's keys stand, or where it is called."""
    mode = client.backchannel_token_delivery_mode
    if client.subject_type is not SubjectType.PAIRWISE or mode is None:
        return client.redirect_uris
    if mode is Delivery.PUSH:
        return (*client.redirect_uris, client.backchannel_client_notification_endpoint or "")
    if client.jwks_uri is None:
        raise InvalidClient(Flaw("jwks_uri", "pairwise subjects in the modes `poll` and `ping` need it (CIBA Core 1.0, section 4)"))
    return (*client.redirect_uris, client.jwks_uri)
