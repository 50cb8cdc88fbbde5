"""Token exchange (RFC 8693): a service that got a person's token gets one of its own for the next API, as far as a rule of the tenant lets it.

The token made stands under the grant of the one brought: it ends with that grant, and lives no longer than the token brought would have.
By delegation `act` names the service, one inside the other where it happens again; impersonation is for rules that say so, and in the log.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec

from limen.kernel import ids
from limen.kernel.ids import TokenId
from limen.modules.clients import GrantType
from limen.modules.grants import TOKEN_PREFIX
from limen.modules.oauth import bearer
from limen.modules.oauth.access_token import Made, PersonClaims, ServiceClaims, Target, aim, one_or_many, raw, seconds
from limen.modules.oauth.bearer import Token
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.facts import TokenExchanged
from limen.modules.oauth.model import words
from limen.modules.oauth.possession import confirmation
from limen.modules.oauth.settings import ExchangeMode, ExchangeRule, Tenant
from limen.modules.oauth.token.port import Given, Grant, Wish
from limen.modules.tenants import OWN_SCOPES, TokenFormat, settings_of
from limen.platform.sql import Work
from limen.platform.wire.jose import json_object

ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the name of a kind
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
MOST_ACTORS: Final = 4
"""So many services may stand one behind another: a longer chain is a loop."""

_TYPES: Final = (ACCESS_TOKEN, JWT)
_WRONG_TYPE: Final = Refused(Code.INVALID_REQUEST, f"subject_token_type and requested_token_type are {ACCESS_TOKEN}.", "exchange_type")
_ACTOR: Final = Refused(Code.INVALID_REQUEST, "actor_token is no access token that stands and was issued to this client.", "exchange_actor")
_DEAD: Final = Refused(Code.INVALID_REQUEST, "subject_token is none of ours, expired or revoked (RFC 8693, section 2.2.2).", "subject_token")
_NO_RULE: Final = Refused(Code.UNAUTHORIZED_CLIENT, "No rule of this tenant lets the client exchange tokens of that app.", "exchange_rule")
_NOT_HERE: Final = Refused(Code.INVALID_TARGET, "The rule does not reach to that resource.", "exchange_target")
_MAY_NOT: Final = Refused(Code.INVALID_REQUEST, "may_act of subject_token names another actor.", "may_act")
_TOO_LONG: Final = Refused(Code.INVALID_REQUEST, "Too many act for the person already.", "exchange_chain")
_NO_SCOPE: Final = Refused(Code.INVALID_SCOPE, "The client is registered for no scope that could be given: name one in scope.", "scope_missing")
_BEYOND: Final = Refused(
    Code.INVALID_SCOPE, "What is about the person is given as far as subject_token has it: openid, profile, email.", "scope_beyond_subject"
)
_OPAQUE: Final = Refused(Code.INVALID_TARGET, "Tokens for that resource are opaque, and say nothing of who acts.", "exchange_opaque")


def rules(wish: Wish) -> tuple[ExchangeRule, ...]:
    """Return the tenant's rules."""
    return settings_of(wish.press.ground.tenant, Tenant.section, Tenant).exchange


async def _decide(work: Work, wish: Wish) -> Given | Refused:
    form = wish.form
    if form.text("subject_token_type") not in _TYPES or (form.get("requested_token_type") or ACCESS_TOKEN) not in _TYPES:
        return _WRONG_TYPE
    actor = await _acting(work, wish)
    if isinstance(actor, Refused):
        return actor
    subject = await bearer.standing(work, wish.press.issuer, form.text("subject_token"))
    if subject is None:
        return _DEAD
    rule = next((one for one in rules(wish) if one.client == wish.client.id and subject.client in one.subjects), None)
    if rule is None:
        return _NO_RULE
    chain = _chain(actor, rule, subject)
    return chain if isinstance(chain, Refused) else await _exchanged(work, wish, rule, (subject, chain))


async def _acting(work: Work, wish: Wish) -> str | Refused:
    """Return who acts: the client, or whom a token of its own stands for, such as the agent at its desk (RFC 8693, section 2.1)."""
    form = wish.form
    if "actor_token" not in form and "actor_token_type" not in form:
        return wish.client.id
    shown = await bearer.standing(work, wish.press.issuer, form.text("actor_token")) if form.text("actor_token_type") in _TYPES else None
    return _ACTOR if shown is None or shown.client != wish.client.id else shown.subject


async def _exchanged(work: Work, wish: Wish, rule: ExchangeRule, brought: tuple[Token, str]) -> Given | Refused:
    subject, chain = brought
    scopes = words(wish.form.text("scope")) or tuple(one for one in wish.client.scopes if one in subject.scopes and one not in OWN_SCOPES)
    if not scopes:
        return _NO_SCOPE
    if not OWN_SCOPES.isdisjoint(set(scopes).difference(subject.scopes)):
        return _BEYOND
    target = _target(wish, rule, scopes)
    if isinstance(target, Refused):
        return target
    now = seconds(work.now)
    expires = min(now + wish.press.ground.access_seconds, subject.expires)
    made = _made(work, wish, subject, target, (scopes, chain, now, expires))
    work.record(TokenExchanged(subject=subject.account, client=wish.client.id, presented=subject.id, of=subject.client, token=made.id, mode=rule.mode.value))
    return Given(
        access=made,
        client=wish.client.id,
        scope=" ".join(scopes),
        lifetime=max(expires - now, 0),
        account=subject.account,
        grant=subject.grant,
        kind=ACCESS_TOKEN,
    )


def _target(wish: Wish, rule: ExchangeRule, scopes: tuple[str, ...]) -> Target | Refused:
    """Say whom the token is for: `resource`, or `audience`, which is an identifier of the same kind here."""
    asked = (*wish.form.all("resource"), *wish.form.all("audience"))
    target = aim(wish.press.ground.tenant, wish.press.issuer, wish.client, scopes, person=True, resources=asked)
    if isinstance(target, Refused):
        return target
    audience = tuple(one for one in target.audience if one != wish.press.issuer) or target.audience
    if rule.resources and not set(audience) <= set(rule.resources):
        return _NOT_HERE
    return _OPAQUE if target.format is TokenFormat.OPAQUE else replace(target, audience=audience)


def _chain(actor: str, rule: ExchangeRule, subject: Token) -> str | Refused:
    """Return who acts, as JSON text: this one before those who acted already; nobody more by impersonation."""
    if subject.may_act and json_object(subject.may_act.encode()).get("sub") != actor:
        return _MAY_NOT
    if subject.act.count('"sub"') >= MOST_ACTORS:
        return _TOO_LONG
    if rule.mode is ExchangeMode.IMPERSONATION:
        return subject.act
    before = {"act": msgspec.Raw(subject.act.encode())} if subject.act else {}
    return msgspec.json.encode({"sub": actor, **before}).decode()


def _made(work: Work, wish: Wish, subject: Token, target: Target, said: tuple[tuple[str, ...], str, int, int]) -> Made:
    scopes, actor, now, expires = said
    token, issuer, audience, scope = TokenId(ids.new(TOKEN_PREFIX, work.now)), wish.press.issuer, one_or_many(target.audience), " ".join(scopes)
    permit = subject.permit
    if permit is None or subject.grant is None:
        service = ServiceClaims(issuer, subject.subject, audience, wish.client.id, scope, now, expires, token, raw(actor), confirmation(wish.bound))
        return Made(token, expires, service, bound=wish.bound)
    claims = PersonClaims(
        iss=issuer,
        sub=permit.subject,
        aud=audience,
        client_id=wish.client.id,
        scope=scope,
        iat=now,
        exp=expires,
        jti=token,
        grant_id=subject.grant,
        auth_time=seconds(permit.auth_time) if permit.acr else None,
        acr=permit.acr,
        amr=permit.amr,
        act=raw(actor),
        cnf=confirmation(wish.bound),
    )
    return Made(token, expires, claims, bound=wish.bound)


TOKEN_EXCHANGE: Final = Grant(GrantType.TOKEN_EXCHANGE, ("subject_token", "subject_token_type"), _decide)
