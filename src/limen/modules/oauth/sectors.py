"""`sector_identifier_uri` (OpenID Connect Core 1.0, section 8.1): the addresses a sector has stand there, and a client's have to be among them."""

from __future__ import annotations

from typing import Final

from limen.modules.clients import Client, InvalidClient
from limen.modules.tenants import Flaw
from limen.platform.http import Fetcher, FetchFailed, FetchRefused
from limen.platform.wire import bodies
from limen.platform.wire.bodies import BadJson

_FIELD: Final = "sector_identifier_uri"


async def check(client: Client, *, dev: bool) -> None:
    """Fetch the list, where a client names one, and look for its addresses (OpenID Connect Registration 1.0, section 5). InvalidClient.

    What is said of a failure does not tell what stands in our own network.
    """
    if client.sector_identifier_uri is None:
        return
    try:
        found = await Fetcher(own_machine=dev).get(client.sector_identifier_uri)
        listed = bodies.read(found.body, list[str]) if found.status == 200 else None  # noqa: PLR2004 - OK
    except (FetchFailed, FetchRefused, BadJson):
        listed = None
    if listed is None:
        raise InvalidClient(Flaw(_FIELD, "does not answer with a JSON list of addresses", "It is fetched by https on port 443, and not redirected"))
    if missing := [uri for uri in client.redirect_uris if uri not in listed]:
        raise InvalidClient(Flaw(_FIELD, f"does not list `{missing[0][:60]}`", "It has to list every redirect_uri"))
