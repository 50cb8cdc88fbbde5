"""The HTTP edge: endpoints as values, tenants by address, cookies, headers, CSRF, errors. Knows who may ask, never what the answer means.

An endpoint is a value in `ENDPOINTS` of a module's `api.py`, `pages.py` or of a door's files:

    async def show(call: Call) -> Answer:
        async with call.read() as read:
            account = await accounts.find(read, AccountId(call.parts["account"]))
        return Json(account)

    ENDPOINTS = (Endpoint(method="GET", path="/api/v1/accounts/{account}", who=scope("limen:accounts:read"), call=show, gives=Account, summary="..."),)

Errors are raised (`LimenError`) and told in the endpoint's own words; forms of pages carry their CSRF token by `ui.form`, and after a
POST a page answers `SeeOther`, or `say(...)` where the next page has something to tell, which it `hear`s. A path beginning with `/` in
`SeeOther` is the tenant's; the edge makes an address under its issuer of it.
"""

from __future__ import annotations

from limen.kernel.facts import Origin
from limen.platform.http.admission import RESOURCE_METADATA
from limen.platform.http.answers import Answer, FormPost, Json, Raw, SeeOther, SetCookie, drop_cookie, no_content
from limen.platform.http.browser import Browser
from limen.platform.http.build import Options, build
from limen.platform.http.call import Call
from limen.platform.http.cookies import Cookies
from limen.platform.http.echo import Echo, hear, say
from limen.platform.http.edge import Edge
from limen.platform.http.endpoint import DEV, PROTOCOL, PUBLIC, SESSION, Cors, Endpoint, Translate, Who, WhoKind, scope
from limen.platform.http.errors import BearerRefused, Forged, HttpError, NoSuchPlace, NotSignedIn, SlowDown, status_of
from limen.platform.http.fetch import Crowd, Fetched, Fetcher, FetchFailed, FetchRefused
from limen.platform.http.gate import Access, Gate, Refusal
from limen.platform.http.keeping import kept_for_all
from limen.platform.http.leaving import Farewell, install_farewells, way_out
from limen.platform.http.openapi import openapi
from limen.platform.http.pace import Pace
from limen.platform.http.policy import framed_policy
from limen.platform.http.refusals import Refusals, RefusalsCounted
from limen.platform.http.refusing import Problem, as_oauth, as_page, as_problem
from limen.platform.http.site import Places, Site, Sites
from limen.platform.wire.forms import Form

__all__ = [
    "DEV",
    "PROTOCOL",
    "PUBLIC",
    "RESOURCE_METADATA",
    "SESSION",
    "Access",
    "Answer",
    "BearerRefused",
    "Browser",
    "Call",
    "Cookies",
    "Cors",
    "Crowd",
    "Echo",
    "Edge",
    "Endpoint",
    "Farewell",
    "FetchFailed",
    "FetchRefused",
    "Fetched",
    "Fetcher",
    "Forged",
    "Form",
    "FormPost",
    "Gate",
    "HttpError",
    "Json",
    "NoSuchPlace",
    "NotSignedIn",
    "Options",
    "Origin",
    "Pace",
    "Places",
    "Problem",
    "Raw",
    "Refusal",
    "Refusals",
    "RefusalsCounted",
    "SeeOther",
    "SetCookie",
    "Site",
    "Sites",
    "SlowDown",
    "Translate",
    "Who",
    "WhoKind",
    "as_oauth",
    "as_page",
    "as_problem",
    "build",
    "drop_cookie",
    "framed_policy",
    "hear",
    "install_farewells",
    "kept_for_all",
    "no_content",
    "openapi",
    "say",
    "scope",
    "status_of",
    "way_out",
]
