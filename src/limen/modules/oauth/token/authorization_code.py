"""Authorization codes (RFC 6749, section 4.1.3; RFC 7636, section 4.6; OpenID Connect Core 1.0, 3.1.3).

The code is used up before anything is compared: one that was stolen and tried is worth nothing any more, to the thief and to the owner.
"""

from __future__ import annotations

from typing import Final, assert_never

from msgspec.structs import replace

from limen.modules import grants
from limen.modules.clients import Client, GrantType
from limen.modules.grants import CodeRefusal
from limen.modules.oauth import details, pkce, possession
from limen.modules.oauth.access_token import Target, aim_granted, for_person
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.facts import CodeReplayed
from limen.modules.oauth.id_token import identity_of
from limen.modules.oauth.model import OPENID
from limen.modules.oauth.token.port import Given, Grant, Wish
from limen.platform.http import Form
from limen.platform.sql import Work

_UNKNOWN: Final = Refused(Code.INVALID_GRANT, "The code is unknown, used up or too old; it lives a minute and is used once.", "code_unknown")
_EXPIRED: Final = Refused(Code.INVALID_GRANT, _UNKNOWN.why, "code_expired")
_REPLAYED: Final = Refused(Code.INVALID_GRANT, "The code was used before; what it gave has been ended.", "code_replayed")
_SESSION: Final = Refused(Code.INVALID_GRANT, "The session ended before the code was used.", "session_ended")
_CONSENT: Final = Refused(Code.INVALID_GRANT, "The person took back her consent before the code was used.", "consent_withdrawn")
_ANOTHER: Final = Refused(Code.INVALID_GRANT, "The code was issued to another client.", "code_of_another_client")
_REDIRECT: Final = Refused(Code.INVALID_GRANT, "redirect_uri is not the one of the authorization request.", "redirect_uri_differs")
_VERIFIER: Final = Refused(Code.INVALID_GRANT, "code_verifier does not answer the code_challenge of the authorization request.", "verifier_wrong")
_NO_VERIFIER: Final = Refused(Code.INVALID_GRANT, "code_verifier is missing: the authorization request had a code_challenge.", "verifier_missing")
_KEY: Final = Refused(Code.INVALID_GRANT, "The code is bound to a key (dpop_jkt): send a proof by that one.", "code_of_another_key")
_NO_CHALLENGE: Final = Refused(
    Code.INVALID_GRANT, "code_verifier without a code_challenge in the authorization request (RFC 9700, section 2.1.1).", "challenge_missing"
)


def refusal_of(code: CodeRefusal) -> Refused:
    """Put into words why a code gives nothing."""
    match code:
        case CodeRefusal.UNKNOWN:
            return _UNKNOWN
        case CodeRefusal.EXPIRED:
            return _EXPIRED
        case CodeRefusal.REPLAYED:
            return _REPLAYED
        case CodeRefusal.SESSION_ENDED:
            return _SESSION
        case CodeRefusal.CONSENT_WITHDRAWN:
            return _CONSENT
        case _:
            assert_never(code)


def mismatch(code: grants.Code, client: Client, form: Form) -> Refused | None:
    """Return what of a token request does not fit its code."""
    if code.permit.client != client.id:
        return _ANOTHER
    redirect_uri, verifier = form.text("redirect_uri"), form.text("code_verifier")
    if (redirect_uri or code.redirect_given) and redirect_uri != code.redirect_uri:
        return _REDIRECT
    if not code.challenge:
        return _NO_CHALLENGE if verifier else None
    if not verifier:
        return _NO_VERIFIER
    return None if pkce.proves(verifier, code.challenge) else _VERIFIER


async def _decide(work: Work, wish: Wish) -> Given | Refused:
    code = await grants.use_code(work, wish.form.text("code"))
    if isinstance(code, CodeRefusal):
        if code is CodeRefusal.REPLAYED:
            work.record(CodeReplayed(presenter=wish.client.id))
        return refusal_of(code)
    if found := mismatch(code, wish.client, wish.form):
        return found
    if code.permit.bound not in ("", wish.bound):
        return _KEY
    if refusal := details.beyond(wish.form, code.permit.extra.details if code.permit.extra is not None else ""):
        return refusal
    aimed = aim_granted(wish.press, wish.client, code.permit, code.permit.scopes, wish.form.all("resource"))
    return aimed if isinstance(aimed, Refused) else await _give(work, wish, code, aimed)


async def _give(work: Work, wish: Wish, code: grants.Code, aimed: tuple[Target, tuple[str, ...]]) -> Given | Refused:
    kept = possession.with_key(code.permit, wish.bound if wish.client.public else "")
    made = await grants.make(work, code if kept is code.permit else replace(code, permit=kept), refreshable=GrantType.REFRESH_TOKEN in wish.client.grants)
    return refusal_of(made) if isinstance(made, CodeRefusal) else await given(work, wish, made, aimed, code.nonce)


async def given(work: Work, wish: Wish, made: grants.Made, aimed: tuple[Target, tuple[str, ...]], nonce: str = "") -> Given:
    """Return what the client of a fresh grant gets."""
    target, scopes = aimed
    permit = made.grant.permit
    access = await for_person(work, wish.press, target, made.grant, scopes, wish.bound)
    return Given(
        access=access,
        client=permit.client,
        scope=" ".join(scopes),
        lifetime=wish.press.ground.access_seconds,
        account=permit.account,
        grant=made.grant.id,
        refresh=made.refresh.reveal() if made.refresh else None,
        identity=await identity_of(work, wish.press, wish.client, permit, nonce) if OPENID in permit.scopes else None,
        details=permit.extra.details if permit.extra is not None else "",
    )


AUTHORIZATION_CODE: Final = Grant(GrantType.AUTHORIZATION_CODE, ("code",), _decide)
