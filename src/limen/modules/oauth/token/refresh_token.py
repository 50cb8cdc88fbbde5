"""Refreshing (RFC 6749, section 6). A token rotates with every use (RFC 9700, section 4.14.2) unless it serves nobody but its client.

FAPI 2.0, section 5.3.2.1, forbids to rotate there: an answer lost on the way would cost a person her sign-in for nothing.
"""

from __future__ import annotations

from typing import Final, assert_never

from limen.modules import grants
from limen.modules.clients import Client, GrantType, RefreshRotation
from limen.modules.grants import Held, Permit, RefreshRefusal
from limen.modules.oauth import details
from limen.modules.oauth.access_token import Target, aim_granted, for_person, named
from limen.modules.oauth.dpop import MISSING
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.id_token import identity_of
from limen.modules.oauth.model import OPENID, words
from limen.modules.oauth.token.port import Given, Grant, Wish
from limen.platform.sql import Work

_UNKNOWN: Final = Refused(Code.INVALID_GRANT, "This is no refresh token of this client.", "refresh_unknown")
_EXPIRED: Final = Refused(Code.INVALID_GRANT, "The refresh token is too old: let the person sign in again.", "refresh_expired")
_ENDED: Final = Refused(Code.INVALID_GRANT, "What the person granted has been ended: let her sign in again.", "grant_ended")
_SESSION: Final = Refused(Code.INVALID_GRANT, "The session has ended, and with it this token: ask for offline_access to outlive it.", "session_ended")
_REPLAYED: Final = Refused(
    Code.INVALID_GRANT, "The refresh token was used before, so the whole grant has been ended: each answer brings the token to use next.", "refresh_replayed"
)
_KEY: Final = Refused(Code.INVALID_GRANT, "The refresh token is bound to another key than that of the proof.", "refresh_of_another_key")
_NO_SCOPE: Final = Refused(Code.INVALID_SCOPE, "scope names nothing: leave it out for all that was granted.", "scope_missing")


def refusal_of(refusal: RefreshRefusal) -> Refused:
    """Put into words why a refresh token gives nothing."""
    match refusal:
        case RefreshRefusal.UNKNOWN:
            return _UNKNOWN
        case RefreshRefusal.EXPIRED:
            return _EXPIRED
        case RefreshRefusal.ENDED:
            return _ENDED
        case RefreshRefusal.SESSION_ENDED:
            return _SESSION
        case RefreshRefusal.REPLAYED:
            return _REPLAYED
        case _:
            assert_never(refusal)


async def _decide(work: Work, wish: Wish) -> Given | Refused:
    held = await grants.take_refresh(work, wish.form.text("refresh_token"), wish.client.id)
    if isinstance(held, RefreshRefusal):
        return refusal_of(held)
    if held.grant.permit.bound not in ("", wish.bound):
        return _KEY if wish.bound else MISSING
    extra = held.grant.permit.extra
    if refusal := details.beyond(wish.form, extra.details if extra is not None else ""):
        return refusal
    scopes = _narrowed(held.grant.permit.scopes, wish.form.get("scope"))
    if isinstance(scopes, Refused):
        return scopes
    aimed = aim_granted(wish.press, wish.client, held.grant.permit, scopes, wish.form.all("resource"))
    return aimed if isinstance(aimed, Refused) else await _give(work, wish, held, *aimed)


def _narrowed(granted: tuple[str, ...], asked: str | None) -> tuple[str, ...] | Refused:
    """Return the scopes of this one access token: those asked for, none beyond the grant's; the grant keeps all of its own."""
    if not asked:
        return granted
    scopes = words(asked)
    if not scopes:
        return _NO_SCOPE
    beyond = next((scope for scope in scopes if scope not in granted), None)
    if beyond is not None:
        return Refused(Code.INVALID_SCOPE, f"The scope {named(beyond)} was not granted; a refresh can only ask for less.", "scope_beyond_grant")
    return scopes


async def _give(work: Work, wish: Wish, held: Held, target: Target, scopes: tuple[str, ...]) -> Given:
    permit = held.grant.permit
    successor = await (grants.prolong if _is_kept(wish.client, permit) else grants.rotate)(work, held)
    access = await for_person(work, wish.press, target, held.grant, scopes, wish.bound)
    return Given(
        access=access,
        client=permit.client,
        scope=" ".join(scopes),
        lifetime=wish.press.ground.access_seconds,
        account=permit.account,
        grant=held.grant.id,
        refresh=successor.reveal(),
        identity=await identity_of(work, wish.press, wish.client, permit) if OPENID in scopes else None,
        details=permit.extra.details if permit.extra is not None else "",
    )


def _is_kept(client: Client, permit: Permit) -> bool:
    """Whether the token stays as it is: as registered, else where it is bound to a key or the client's profile is FAPI's."""
    match client.refresh_rotation:
        case RefreshRotation.NEVER:
            return True
        case RefreshRotation.ALWAYS:
            return False
        case RefreshRotation.USUAL:
            return client.fapi or client.constrained or bool(permit.bound)


REFRESH_TOKEN: Final = Grant(GrantType.REFRESH_TOKEN, ("refresh_token",), _decide)
