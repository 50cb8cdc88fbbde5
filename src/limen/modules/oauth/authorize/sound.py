"""A request whose client and address are known, so that from here on every answer goes to the app, in the way it asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from limen.kernel.ids import RequestId
from limen.modules import claims, clients, tenants
from limen.modules.clients import Client
from limen.modules.journey import Ask
from limen.modules.oauth import advice, claims_request, details
from limen.modules.oauth.authorize.checks import Case
from limen.modules.oauth.errors import UnknownClient, UnregisteredAddress
from limen.modules.oauth.model import Asked, form_target, words
from limen.platform.http import Call
from limen.platform.sql import Reader


class Entrance(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request as it stands after whatever wrapping it came in: what it asks, and how it came."""

    asked: Asked
    begun: datetime
    pushed: RequestId = RequestId("")
    """Where a pushed request waits until it is answered; empty for one that came by the browser."""
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Sound:
    """A request whose client and address are known."""

    case: Case
    redirect_uri: str
    entrance: Entrance

    @property
    def asked(self) -> Asked:
        """What it asks."""
        return self.case.asked

    @property
    def client(self) -> Client:
        """Whose it is."""
        return self.case.client

    def ask(self) -> Ask:
        """Return what steps may know of it. Where another app could pass for this one, the person is asked as if for the first time."""
        asked, client = self.asked, self.client
        prompt = asked.prompts if clients.is_assured(client, self.redirect_uri) else asked.prompts | {"consent"}
        return Ask(
            client=client.id,
            scopes=self._covered(),
            acr_values=words(asked.acr_values) or claims_request.wished(asked.claims, "acr") or client.default_acr_values,
            max_age=client.default_max_age if asked.longest_age is None else asked.longest_age,
            prompt=prompt,
            login_hint=asked.login_hint,
            locales=words(asked.ui_locales),
            details=details.said(self.asked.authorization_details, self.case.tenant, self.case.client),
            form_target=form_target(self.redirect_uri),
        )

    def _covered(self) -> tuple[str, ...]:
        """Return the scopes asked for, with those that stand for claims asked for one by one: she is asked for them too."""
        asked, case = self.asked, self.case
        if not asked.claims:
            return asked.scopes
        wanted = [name for member in claims_request.MEMBERS for name in claims_request.wanted(asked.claims, member)]
        return (*asked.scopes, *claims.covering(case.tenant, wanted, case.client, asked.scopes))


async def case_of(reader: Reader, call: Call, client: Client, asked: Asked, *, pushed: bool = False, signed: bool = False) -> Case:
    """Return a request with what it is judged by; how it was pushed and signed as `Case` has it."""
    return Case(asked=asked, client=client, tenant=await tenants.find(reader), issuer=call.site.issuer, pushed=pushed, signed=signed)


async def known_client(reader: Reader, call: Call, asked: Asked) -> Client:
    """Return the client of a request; UnknownClient is told on a page of ours, and the browser is sent nowhere."""
    client = await clients.find(reader, asked.client_id) if asked.client_id else None
    if client is None:
        await call.refused("unknown_client")
        advice.tell_reason("unknown_client")
        raise UnknownClient
    return client


async def sound(reader: Reader, call: Call, client: Client, entrance: Entrance) -> Sound:
    """See that the address is the client's own; UnregisteredAddress likewise."""
    asked = entrance.asked
    uri = address(client, asked.redirect_uri)
    if uri is None:
        await call.refused("unregistered_redirect_uri")
        advice.tell_reason("unregistered_redirect_uri", client=client.id)
        raise UnregisteredAddress
    return Sound(await case_of(reader, call, client, asked, pushed=bool(entrance.pushed), signed=entrance.signed), uri, entrance)


def address(client: Client, uri: str) -> str | None:
    """Return where the browser goes back to: the address named if it is registered, the only one where none is named."""
    if uri:
        return uri if clients.matches_redirect(client, uri) else None
    return client.redirect_uris[0] if len(client.redirect_uris) == 1 else None


def unwrapped(found: Sound) -> Sound:
    """Return a request for an answer that says why its wrapping cannot be read: in the plain way of its outside."""
    return replace(found, case=replace(found.case, asked=msgspec.structs.replace(found.asked, request="", request_uri="")))
