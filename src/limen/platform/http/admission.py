"""Who may come in: checked here for every endpoint, so that none can forget it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from limen.platform.http.answers import SeeOther
from limen.platform.http.errors import BearerRefused, Forged, NoSuchPlace, NotSignedIn, ScopeMissing, SlowDown
from limen.platform.http.gate import Access, Refusal

if TYPE_CHECKING:
    from limen.platform.http.call import Call
    from limen.platform.http.plan import Plan

RESOURCE_METADATA: Final = "/.well-known/oauth-protected-resource"
"""Where an API says of itself who gives tokens for it (RFC 9728, section 3.1), before its own path."""
CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = b"limen-csrf"
"""For calls by script on a page of ours."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9\-._~+/]{1,8192}=*")
_SCHEMES: Final = frozenset({"bearer", "dpop"})
_OWN_MACHINE: Final = frozenset({"localhost", "127.0.0.1"})


def is_own_machine(host: bytes) -> bool:
    """Whether a Host header names localhost or 127.0.0.1, on any port."""
    return host.decode("latin-1").lower().partition(":")[0] in _OWN_MACHINE


async def admit(plan: Plan, call: Call) -> SeeOther | None:
    """Let the call in (None), send it to sign in, or refuse it."""
    if plan.paced:
        _pace(call)
    if plan.dev and not (call.site.dev and is_own_machine(call.raw_headers.get(b"host", b""))):
        raise NoSuchPlace
    if plan.scope:
        await _bearer(plan, call)
    elif plan.session and await call.session_now() is None:
        if not plan.pages:
            raise NotSignedIn("Sign in first.")
        return _to_sign_in(call)
    if plan.csrf:
        check_source(call)
    return None


def _pace(call: Call) -> None:
    pace = call.house.pace
    if len(pace) and (seconds := pace.wait((call.site.tenant, call.origin.address))) > 0:
        raise SlowDown("Too many requests from here were refused. Wait before the next.", retry_after=math.ceil(seconds))


def _to_sign_in(call: Call) -> SeeOther:
    """Return the way to sign in, and from there back to this page if it can be asked for again."""
    wanted = call.path.removeprefix(call.site.prefix) if call.endpoint.method == "GET" else ""
    if wanted and call.query_string:
        wanted += f"?{call.query_string.decode('latin-1')}"
    return SeeOther(f"{call.house.sign_in}?to={quote(wanted, safe='')}" if wanted else call.house.sign_in)


async def _bearer(plan: Plan, call: Call) -> None:
    """RFC 6750, sections 2.1 and 3; RFC 9449, section 7.1. A token in the query or the body is none."""
    scheme, _, token = call.raw_headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    token = token.strip()
    scheme = scheme.lower()
    if scheme not in _SCHEMES:
        raise BearerRefused("An access token is needed.", error="", headers=_challenge(call, plan))
    found = await _judged(plan, call, token, by_dpop=scheme == "dpop")
    if not isinstance(found, Refusal):
        call.access = found
        return
    if found.error == "insufficient_scope":
        raise ScopeMissing(found.description, error=found.error, headers=_challenge(call, plan, found))
    raise BearerRefused(found.description, error=found.error, headers=_challenge(call, plan, found))


async def _judged(plan: Plan, call: Call, token: str, *, by_dpop: bool) -> Access | Refusal:
    if not _TOKEN.fullmatch(token):
        return Refusal("invalid_token", "This is no access token.")
    return await call.house.gate.bearer(call, token, plan.scope, by_dpop=by_dpop)


def _challenge(call: Call, plan: Plan, found: Refusal | None = None) -> tuple[tuple[str, str], ...]:
    scheme, more = found.challenge if found is not None else ("Bearer", "")
    parts = [f'realm="{call.site.issuer}"']
    if found is not None:
        text = "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "'" for letter in found.description)
        parts.append(f'error="{found.error}", error_description="{text}"')
    if found is None or found.error == "insufficient_scope":
        parts.append(f'scope="{plan.scope}"')
    if more:
        parts.append(more)
    if plan.endpoint.api:
        api = "/".join(plan.endpoint.path.split("/", 3)[:3])
        parts.append(f'resource_metadata="{call.site.origin}{RESOURCE_METADATA}{call.site.prefix}{api}"')
    return (("www-authenticate", f"{scheme} {', '.join(parts)}"), *(found.headers if found is not None else ()))


def check_source(call: Call) -> None:
    """Refuse what another site's page sent. Our pages have no referrer, so browsers say `Origin: null` for their forms: the fetch metadata decide."""
    site = call.raw_headers.get(b"sec-fetch-site")
    if site is not None:
        if site not in (b"same-origin", b"none"):
            raise Forged(operator=f"sec-fetch-site {site[:20]!r}")
        return
    origin = call.raw_headers.get(b"origin")
    if origin is not None and origin != b"null" and origin.decode("latin-1") != call.place.origin:
        raise Forged(operator="another origin")


def check_token(call: Call, token: str) -> None:
    """Refuse a form that was not made for this browser."""
    if not call.browser.made(token):
        raise Forged(operator="no token of this browser")
