"""Clients over HTTP, in the words of RFC 7591, section 2, and RFC 7592. A secret is shown once, in the answer to the call that made it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType

from limen.kernel.ids import ClientId, new
from limen.modules.clients import service
from limen.modules.clients.api.metadata import MoreMetadata, more_of
from limen.modules.clients.errors import ClientChangedMeanwhile, ClientExists, InvalidClient, NoSuchClient, ScopeNotHeld
from limen.modules.clients.model import AuthMethod, Client, ClientKind, ConsentRule, GrantType, Registered, completed, new_secret, with_secret
from limen.platform.http import Answer, Call, Endpoint, Json, no_content, scope
from limen.platform.wire import etags
from limen.platform.wire.jose import Alg

_READ: Final = scope("limen:clients:read")
_WRITE: Final = scope("limen:clients:write")
_CLIENT: Final = {"client": "The client's id."}
_OWN: Final = "limen:"
_Uris = Annotated[tuple[str, ...], msgspec.Meta(max_length=50)]


class ClientMetadata(MoreMetadata, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an application says of itself; what is left out gets its default."""

    kind: ClientKind
    client_name: str = ""
    token_endpoint_auth_method: AuthMethod | None = None
    redirect_uris: _Uris = ()
    post_logout_redirect_uris: _Uris = ()
    grant_types: tuple[GrantType, ...] = ()
    scope: Annotated[str, msgspec.Meta(max_length=5_000)] = ""
    require_pkce: bool = True
    consent: ConsentRule = ConsentRule.ASK
    """Limen's own word: `none` lets an app of the operator's own in without asking people."""
    id_token_signed_response_alg: Alg | None = None
    client_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: Annotated[tuple[str, ...], msgspec.Meta(max_length=10)] = ()


class NewClient(ClientMetadata, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A client to be registered; without an id it is given one."""

    client_id: str = ""


class ClientShown(ClientMetadata, frozen=True, kw_only=True):
    """A registered client."""

    client_id: ClientId
    client_id_issued_at: int
    registered: Registered
    """How it came; `operator` from the moment an operator saves it."""
    version: int


class ClientMade(ClientShown, frozen=True, kw_only=True):
    """A client with the secret that was just made for it, unless it is public; it is not shown again."""

    client_secret: str | UnsetType = UNSET
    client_secret_expires_at: int | UnsetType = UNSET
    """0: never (RFC 7591, section 3.2.1)."""


class SecretMade(msgspec.Struct, frozen=True):
    """A new secret. The previous one works for a day more."""

    client_id: ClientId
    client_secret: str


class ClientList(msgspec.Struct, frozen=True):
    """A page of clients in the order of their ids. `after` begins the next page; it is null on the last."""

    items: tuple[ClientShown, ...]
    after: str | None = None


class Paging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the page begins, and how long it is at most."""

    after: Annotated[str, msgspec.Meta(description="`after` of the page before.")] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200, description="Clients on the page at most.")] = 50


def _metadata(client: Client) -> dict[str, object]:
    return {
        "kind": client.kind,
        "client_name": client.name,
        "token_endpoint_auth_method": client.auth_method,
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "grant_types": client.grants,
        "scope": " ".join(client.scopes),
        "require_pkce": client.pkce_required,
        "consent": client.consent,
        "id_token_signed_response_alg": client.id_token_signed_response_alg,
        "client_uri": client.client_uri,
        "policy_uri": client.policy_uri,
        "tos_uri": client.tos_uri,
        "contacts": client.contacts,
        **more_of(client),
        "client_id": client.id,
        "client_id_issued_at": int(client.made.timestamp()) if client.made else 0,
        "registered": client.registered,
        "version": client.version,
    }


def _client(id: ClientId, given: ClientMetadata) -> Client:  # noqa: A002 - the field's name
    return Client(
        id=id,
        kind=given.kind,
        name=given.client_name,
        auth_method=given.token_endpoint_auth_method,
        redirect_uris=given.redirect_uris,
        post_logout_redirect_uris=given.post_logout_redirect_uris,
        grants=given.grant_types,
        scopes=tuple(dict.fromkeys(given.scope.split())),
        pkce_required=given.require_pkce,
        consent=given.consent,
        id_token_signed_response_alg=given.id_token_signed_response_alg,
        client_uri=given.client_uri,
        policy_uri=given.policy_uri,
        tos_uri=given.tos_uri,
        contacts=given.contacts,
        **given.more(),  # type: ignore[arg-type] # the record's own fields
    )


def _check_scopes(call: Call, before: Iterable[str], after: Iterable[str]) -> None:
    """Refuse to give away a scope of Limen's own API that the caller's token does not have: it could make itself a stronger client.

    So it could by a client that has the scope `before`, were it given a key of the caller's: then nothing counts as had before.
    """
    held = call.access.scopes if call.access else frozenset()
    given = {one for one in after if one.startswith(_OWN)} - set(before) - held
    if given:
        raise ScopeNotHeld(f"your own access token has no `{min(given)[:60]}`")


def _etag(client: Client) -> tuple[tuple[str, str], ...]:
    return (("etag", etags.tag(client.version)),)


def _id(call: Call) -> ClientId:
    return ClientId(call.parts["client"])


async def _create(call: Call) -> Answer:
    given = call.taken(NewClient)
    _check_scopes(call, (), given.scope.split())
    issued: dict[str, object] = {}
    async with call.work() as work:
        client = _client(ClientId(given.client_id or new("cli", work.now)), given)
        if await service.find(work, client.id):
            raise ClientExists("there is a client of that id")
        if client.needs_secret:
            secret = new_secret()
            client = await service.sealing(work, with_secret(client, secret, work.now), secret)
            issued = {"client_secret": secret.reveal(), "client_secret_expires_at": 0}
        await service.save(work, client, dev=call.site.dev, expected=0)
        made = await service.take(work, client.id)
    shown = ClientMade(**_metadata(made), **issued)  # type: ignore[arg-type] # `_metadata` has the fields
    return Json(shown, 201, (*_etag(made), ("location", call.url(f"/api/v1/clients/{made.id}"))))


async def _list(call: Call) -> Answer:
    asked = call.asked(Paging)
    async with call.read() as read:
        found = await service.list_of(read, asked.after, asked.limit)
    after = found[-1].id if len(found) == asked.limit else None
    return Json(ClientList(tuple(_shown(one) for one in found), after))


def _shown(client: Client) -> ClientShown:
    return ClientShown(**_metadata(client))  # type: ignore[arg-type] # likewise


async def _find(call: Call) -> Answer:
    async with call.read() as read:
        found = await service.find(read, _id(call))
    if found is None:
        raise NoSuchClient("there is no such client")
    return Json(_shown(found), headers=_etag(found))


async def _replace(call: Call) -> Answer:
    given = call.taken(ClientMetadata)
    async with call.work() as work:
        before = await service.take(work, _id(call))
        client = completed(replace(_client(before.id, given), secrets=before.secrets, sealed_secret=before.sealed_secret))
        _check_scopes(call, before.scopes if client.proves_alike(before) else (), client.scopes)
        await service.save(work, client, dev=call.site.dev, expected=etags.expected(call.headers.get("if-match")))
        after = await service.take(work, client.id)
    return Json(_shown(after), headers=_etag(after))


async def _drop(call: Call) -> Answer:
    async with call.work() as work:
        if not await service.drop(work, _id(call)):
            raise NoSuchClient("there is no such client")
    return no_content()


async def _rotate(call: Call) -> Answer:
    async with call.work() as work:
        held = await service.take(work, _id(call))
        _check_scopes(call, (), held.scopes)
        secret = await service.rotate_secret(work, held.id)
    return Json(SecretMade(held.id, secret.reveal()))


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/api/v1/clients",
        who=_WRITE,
        call=_create,
        summary="Register a client; the answer shows its secret, this once",
        takes=NewClient,
        gives=ClientMade,
        status=201,
        etag=True,
        refusals=(InvalidClient, ClientExists, ScopeNotHeld),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/clients",
        who=_READ,
        call=_list,
        summary="List clients, page by page",
        query=Paging,
        gives=ClientList,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/clients/{client}",
        who=_READ,
        call=_find,
        summary="Read a client",
        parts=_CLIENT,
        gives=ClientShown,
        etag=True,
        refusals=(NoSuchClient,),
    ),
    Endpoint(
        method="PUT",
        path="/api/v1/clients/{client}",
        who=_WRITE,
        call=_replace,
        summary="Describe a client anew, in full; its secrets stay",
        parts=_CLIENT,
        takes=ClientMetadata,
        gives=ClientShown,
        etag=True,
        if_match=True,
        refusals=(NoSuchClient, InvalidClient, ClientChangedMeanwhile, ScopeNotHeld),
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/clients/{client}",
        who=_WRITE,
        call=_drop,
        summary="Delete a client; what it was given ends",
        parts=_CLIENT,
        status=204,
        refusals=(NoSuchClient,),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/clients/{client}/secret",
        who=_WRITE,
        call=_rotate,
        summary="Give a client a new secret; the previous one works for a day more",
        parts=_CLIENT,
        gives=SecretMade,
        refusals=(NoSuchClient, InvalidClient, ScopeNotHeld),
    ),
)
