"""Access tokens (RFC 6750, RFC 9449): how one is shown, what it stands for, and whether it stands now. Asked for in the database each time."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import msgspec
from msgspec.structs import replace

from limen.kernel import secrets
from limen.kernel.ids import AccountId, ClientId, GrantId, TokenId
from limen.modules import clients, grants, keys
from limen.modules.clients import Client
from limen.modules.grants import ACCESS_PREFIX, Permit
from limen.modules.oauth import advice
from limen.modules.oauth.access_token import TYPE, seconds
from limen.modules.oauth.dpop import SCHEME
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.model import ErrorBody
from limen.modules.oauth.possession import Confirmation, Presented, algorithms, at_resource, bound_by, offered
from limen.platform.http import Access, Answer, Call, Form, Json, Refusal
from limen.platform.sql import Reader
from limen.platform.wire.jose import AHEAD, JoseError, Jwt, KeySet, Malformed, audiences, check_times, verify_jwt

API_PATH: Final = "/api/v1"


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """An access token that stands."""

    id: TokenId
    client: ClientId
    account: AccountId | None
    grant: GrantId | None
    scopes: tuple[str, ...]
    audience: tuple[str, ...]
    issued: int
    """Seconds since 1970, as `expires`."""
    expires: int
    opaque: bool
    act: str = ""
    """Who acts for whom it stands for (RFC 8693, section 4.1), as JSON text."""
    may_act: str = ""
    """Who may (section 4.4)."""
    bound: str = ""
    """The key without which it is worth nothing (`possession`)."""
    permit: Permit | None = None
    """What the person granted, once `standing` has looked."""

    @property
    def subject(self) -> str:
        """`sub`: the person as the app knows her, or the service itself."""
        return self.permit.subject if self.permit is not None else self.account or self.client


class _Claims(msgspec.Struct, frozen=True):
    iss: str
    sub: str
    client_id: str
    iat: int
    exp: int
    jti: str
    scope: str = ""
    grant_id: str = ""
    act: dict[str, object] | None = None
    may_act: dict[str, object] | None = None
    cnf: Confirmation | None = None


_MOST_GENUINE: Final = 4_096
_GENUINE: Final[OrderedDict[bytes, tuple[KeySet, str, Jwt, Token]]] = OrderedDict()
"""Tokens whose signature was checked, by their digest: an API asks about the same token again and again."""


async def recognised(reader: Reader, issuer: str, text: str) -> Token | None:
    """Return what an access token of this tenant stands for, its time not over; whether it was revoked is another question."""
    if text.startswith(ACCESS_PREFIX):
        return await _opaque(reader, text)
    try:
        jwt, token = _genuine(text, await keys.public_keys(reader), issuer)
        check_times(jwt, reader.now)
    except JoseError:
        return None
    return token


def _genuine(text: str, known: KeySet, issuer: str) -> tuple[Jwt, Token]:
    """Read a token that `known` signed for `issuer`; JoseError. That a signature is good stays true, so it is checked once per token.

    What may change (revocation, session, grant, the time of day) is asked anew each time, and other keys make another set.
    """
    name = secrets.digest(text)
    kept = _GENUINE.get(name)
    if kept is not None and kept[0] is known and kept[1] == issuer:
        return kept[2], kept[3]
    jwt = verify_jwt(text, known, typ=(TYPE,))
    token = _token(jwt, issuer)
    _GENUINE[name] = (known, issuer, jwt, token)
    if len(_GENUINE) > _MOST_GENUINE:
        _GENUINE.popitem(last=False)
    return jwt, token


def _token(jwt: Jwt, issuer: str) -> Token:
    claims = jwt.into(_Claims)
    if claims.iss != issuer:
        raise Malformed("a token of another issuer")
    return Token(
        id=TokenId(claims.jti),
        client=ClientId(claims.client_id),
        account=AccountId(claims.sub) if claims.grant_id else None,
        grant=GrantId(claims.grant_id) if claims.grant_id else None,
        scopes=tuple(claims.scope.split()),
        audience=audiences(jwt),
        issued=claims.iat,
        expires=claims.exp,
        opaque=False,
        act=_text(claims.act),
        may_act=_text(claims.may_act),
        bound=bound_by(claims.cnf),
    )


def _text(member: dict[str, object] | None) -> str:
    return "" if member is None else msgspec.json.encode(member).decode()


async def _opaque(reader: Reader, text: str) -> Token | None:
    found = await grants.by_opaque(reader, text)
    if found is None:
        return None
    return Token(
        id=found.id,
        client=found.client,
        account=found.account,
        grant=found.grant,
        scopes=found.scopes,
        audience=found.audience,
        issued=seconds(found.issued),
        expires=seconds(found.expires),
        opaque=True,
        bound=found.bound or "",
    )


def _is_younger(client: Client, token: Token) -> bool:
    """True if the client was made after the token, which was another's of the same name; as far as clocks may differ nobody can tell."""
    return client.made is not None and seconds(client.made) > token.issued + AHEAD.total_seconds()


async def standing(reader: Reader, issuer: str, text: str) -> Token | None:
    """Return an access token of this tenant that may be honoured now: its grant, session and client are there, and nobody revoked it."""
    token = await recognised(reader, issuer, text)
    client = await clients.find(reader, token.client) if token is not None else None
    if token is None or client is None or _is_younger(client, token):
        return None
    if token.grant is None:
        return None if await grants.is_revoked(reader, token.id) else token
    permit = await grants.standing(reader, token.grant, token.id)
    return _left(token, permit) if permit else None


def _left(token: Token, permit: Permit) -> Token | None:
    """Return a token with what the person still lets the app have; one of another client, got by exchange, is its own rule's affair."""
    scopes = token.scopes
    if token.client == permit.client and not set(permit.scopes).issuperset(scopes):
        scopes = tuple(one for one in scopes if one in permit.scopes)
        if not scopes:
            return None
    return replace(token, permit=permit, account=permit.account, scopes=scopes)


async def admits(call: Call, token: str, scope: str, *, by_dpop: bool) -> Access | Refusal:
    """Check an access token for Limen's own API: the edge's `Gate.bearer`."""
    issuer = call.site.issuer
    async with call.read() as reader:
        found = await standing(reader, issuer, token)
        if found is not None and (found.bound or by_dpop):
            wrong = await at_resource(call, reader, Presented(token, by_dpop), found.bound, found.client)
            if wrong is not None:
                challenge = (SCHEME, f'algs="{algorithms()}"') if found.bound else ("Bearer", "")
                return Refusal(wrong.code.value, wrong.why, challenge, await offered(call))
    if found is None or f"{issuer}{API_PATH}" not in found.audience:
        return Refusal(Code.INVALID_TOKEN.value, "The access token is none of ours, not for this API, expired or revoked.")
    if scope not in found.scopes:
        return Refusal(Code.INSUFFICIENT_SCOPE.value, f"The access token lacks the scope {scope}.")
    return Access(found.client, found.account, frozenset(found.scopes))


_TWICE: Final = Refused(Code.INVALID_REQUEST, "The access token is sent in two ways at once (RFC 6750, section 2).", "two_tokens")


def shown(authorization: str, form: Form) -> Presented | Refused | None:
    """Return the token a request shows: by header, or as `access_token` in the body; None where there is none."""
    scheme, _, value = authorization.partition(" ")
    scheme = scheme.lower()
    by_header = Presented(value.strip(), scheme == "dpop") if scheme in ("bearer", "dpop") else None
    by_body = form.get("access_token") or None
    if by_header is not None and by_body is not None:
        return _TWICE
    return by_header if by_header is not None or by_body is None else Presented(by_body)


_STATUS: Final = {Code.INVALID_REQUEST: 400, Code.INSUFFICIENT_SCOPE: 403}


def refuse(refusal: Refused | None, issuer: str, scope: str, *, by_dpop: bool = False, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Return the refusal of a protected resource (RFC 6750, section 3; RFC 9449, 7.1): without an error code where no token was shown."""
    if refusal is None:
        return Json({}, 401, (("www-authenticate", f'Bearer realm="{issuer}", scope="{scope}", {SCHEME} algs="{algorithms()}"'),))
    advice.tell(refusal)
    scheme = SCHEME if by_dpop else "Bearer"
    challenge = f'{scheme} realm="{issuer}", error="{refusal.code.value}", error_description="{refusal.why}"'
    if refusal.code is Code.INSUFFICIENT_SCOPE:
        challenge += f', scope="{scope}"'
    if by_dpop:
        challenge += f', algs="{algorithms()}"'
    return Json(ErrorBody(refusal.code.value, refusal.why), _STATUS.get(refusal.code, 401), (("www-authenticate", challenge), *headers))
