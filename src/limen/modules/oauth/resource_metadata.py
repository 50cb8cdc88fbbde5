"""Protected resource metadata (RFC 9728) of Limen's own API: who gives tokens for it, and what they can be for. Its 401 leads here (section 5.1)."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.modules import tenants
from limen.modules.oauth import dpop
from limen.modules.oauth.bearer import API_PATH
from limen.modules.tenants import API_SCOPES
from limen.platform.http import PUBLIC, RESOURCE_METADATA, Answer, Call, Cors, Endpoint, Json, kept_for_all


class ResourceMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """Members as section 2 names them."""

    resource: str
    authorization_servers: tuple[str, ...]
    scopes_supported: tuple[str, ...]
    bearer_methods_supported: tuple[str, ...] = ("header",)
    dpop_signing_alg_values_supported: tuple[str, ...] = tuple(alg.value for alg in dpop.ALGORITHMS)
    tls_client_certificate_bound_access_tokens: bool = True
    """Where a token is bound to one, the API wants it."""
    resource_name: str


async def _show(call: Call) -> Answer:
    async with call.read() as reader:
        tenant = await tenants.find(reader)
    shown = ResourceMetadata(
        resource=f"{call.site.issuer}{API_PATH}",
        authorization_servers=(call.site.issuer,),
        scopes_supported=tuple(sorted(API_SCOPES)),
        resource_name=f"{tenant.display}: accounts and applications",
    )
    return Json(shown, headers=kept_for_all(call))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path=RESOURCE_METADATA,
        behind=API_PATH,
        who=PUBLIC,
        call=_show,
        gives=ResourceMetadata,
        summary="Say who gives tokens for the API (RFC 9728)",
        cors=Cors.METADATA,
        at_origin=True,
    ),
)
