"""Userinfo (OpenID Connect Core 1.0, 5.3): who the person is, as far as the access token's scopes say (5.4)."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.kernel.ids import AccountId
from limen.modules import accounts, profiles
from limen.modules.oauth import bearer, tally
from limen.modules.oauth.access_token import seconds
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.facts import UserinfoRead
from limen.modules.oauth.model import OPENID
from limen.platform.http import PROTOCOL, Answer, Call, Cors, Endpoint, Form, Json
from limen.platform.sql import Reader

PATH: Final = "/oauth/userinfo"
CLAIMS: Final = {
    "profile": (
        *("name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture"),
        *("website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"),
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number",),
}
"""Which scope gives which claims; `phone_number_verified` is told once something proves a number."""

_DEAD: Final = Refused(Code.INVALID_TOKEN, "The access token is none of ours, not for userinfo, expired or revoked.")
_NARROW: Final = Refused(Code.INSUFFICIENT_SCOPE, "Userinfo takes access tokens with the scope openid.")


async def _userinfo(call: Call) -> Answer:
    issuer = call.site.issuer
    shown = bearer.shown(call.raw_headers.get(b"authorization", b"").decode("latin-1"), call.form)
    if shown is None or isinstance(shown, Refused):
        return bearer.refuse(shown, issuer, OPENID)
    async with call.read() as reader:
        token = await bearer.standing(reader, issuer, shown)
        if token is None or token.account is None or OPENID not in token.scopes or issuer not in token.audience:
            refusal = _NARROW if token is not None and OPENID not in token.scopes else _DEAD
            await call.refused(refusal.reason)
            return bearer.refuse(refusal, issuer, OPENID)
        claims = await claims_of(reader, token.account, token.scopes)
    tally.count(call.db, call.tenant, UserinfoRead(subject=token.account, client=token.client, grant=token.grant, count=1))
    return Json(claims)


async def claims_of(reader: Reader, account: AccountId, scopes: tuple[str, ...]) -> dict[str, object]:
    """Return the claims about a person that scopes give; what is not known is left out."""
    claims: dict[str, object] = {"sub": account}
    if not {"profile", "address", "phone"}.isdisjoint(scopes):
        profile = await profiles.read(reader, account)
        known = msgspec.structs.asdict(profile)
        for scope in ("profile", "address", "phone"):
            if scope in scopes:
                claims |= {name: known[name] for name in CLAIMS[scope] if known.get(name) is not None}
        if "updated_at" in claims and profile.updated_at is not None:
            claims["updated_at"] = seconds(profile.updated_at)
    if "email" in scopes:
        claims |= await _email(reader, account)
    return claims


async def _email(reader: Reader, account: AccountId) -> dict[str, object]:
    found = next((one for one in await accounts.identifiers(reader, account) if one.kind == accounts.EMAIL), None)
    return {"email": found.value, "email_verified": True} if found else {}


def _endpoint(method: str) -> Endpoint:
    return Endpoint(
        method=method,
        path=PATH,
        who=PROTOCOL,
        call=_userinfo,
        takes=Form if method == "POST" else None,
        summary="Tell an app who the person is (OpenID Connect Core 1.0, 5.3)",
        cors=Cors.ANY_ORIGIN,
        hot=True,
    )


ENDPOINTS: Final = (_endpoint("GET"), _endpoint("POST"))
