"""`security.txt` (RFC 9116): whom to tell of a hole. Without a contact of the tenant's there is none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from limen.modules import tenants
from limen.modules.wellknown.settings import Tenant
from limen.platform.http import PUBLIC, Answer, Call, Cors, Endpoint, NoSuchPlace, Raw, kept_for_all

PATH: Final = "/.well-known/security.txt"
_GOOD_FOR: Final = timedelta(days=30)
"""It is made anew whenever it is asked for: a copy found elsewhere is old after that (section 2.5.5 says less than a year)."""


def _text(said: Tenant, canonical: str, languages: tuple[str, ...], now: datetime) -> str:
    fields = [("Contact", one) for one in said.security_contact]
    fields.append(("Expires", f"{now + _GOOD_FOR:%Y-%m-%dT00:00:00Z}"))
    fields.append(("Canonical", canonical))
    fields.append(("Preferred-Languages", ", ".join(languages)))
    if said.security_policy:
        fields.append(("Policy", said.security_policy))
    return "".join(f"{name}: {value}\n" for name, value in fields)


async def _show(call: Call) -> Answer:
    async with call.read() as reader:
        said = await tenants.settings(reader, Tenant.section, Tenant)
        now = reader.now
    if not said.security_contact:
        raise NoSuchPlace
    body = _text(said, call.url(PATH), call.site.languages, now)
    return Raw(body.encode(), "text/plain; charset=utf-8", headers=kept_for_all(call))


ENDPOINTS: Final = (
    Endpoint(method="GET", path=PATH, who=PUBLIC, call=_show, summary="Say whom to tell of a hole (RFC 9116)", cors=Cors.METADATA, refusals=(NoSuchPlace,)),
)
