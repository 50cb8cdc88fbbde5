"""What an operator does about a refusal: one sentence for each reason that stands in the facts, and one line of the log when it happens.

The app's developer reads `error_description`; who runs the server reads this. What is no trouble, such as a person's no, makes no line.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import structlog

from limen.modules.oauth.errors import Refused
from limen.platform.telemetry import Repeats

_log = structlog.stdlib.get_logger(__name__)

_PEOPLE: Final = "Nothing: a person decided so, or has to be asked first."
_DEVELOPER: Final = "Send the app's developer the description: its requests are not as the specification has them."

_ORDINARY: Final = (
    ("access_denied account_selection_required consent_required interaction_required login_required", _PEOPLE),
    ("another_person approval_denied authorization_pending device_denied ended_meanwhile", _PEOPLE),
    ("approval_cleared", "Nothing: what the person answered was taken back before the app came for it."),
    ("account_away", "Nothing: the account was suspended or forgotten while the request waited."),
    ("consent_withdrawn session_ended", "Nothing: the person signed out or took her consent back, and what hung on it ended."),
    ("code_expired device_code_expired expired_token refresh_expired", "Nothing, unless it is frequent: then see whether the app waits, or its users' clocks."),
    ("dpop_nonce", "Nothing: the client asks again with the nonce it was given; a client that never succeeds does not read DPoP-Nonce."),
    ("grant_ended", "Nothing: what was granted was revoked, and the app has to send the person to sign in."),
    ("slow_down", "Nothing, unless one client stays at it: then its developer has to heed the interval, or `public_requests` is too low for its network."),
    ("unknown_user_id", "Nothing: the hint names nobody here."),
    ("unmet_authentication_requirements", "See which classes the app asks for, and whether people can set up a factor that reaches them."),
)
"""Answers that belong to the day's work."""

_TROUBLE: Final = (
    # who the client is
    (
        "wrong_client",
        "If it is a client of yours: compare its id, method and secret with `limen client list`; give it a new secret with `limen client rotate`.",
    ),
    (
        "no_client malformed_basic two_clients two_methods",
        "Tell the app's developer how it is registered to authenticate: one method, in the shape of RFC 6749, 2.3.1.",
    ),
    ("public_client", "Register a confidential client for the resource that asks: public ones may not introspect."),
    ("assertion_type assertion_malformed assertion_jti assertion_names assertion_missing", _DEVELOPER),
    ("assertion_key", "See that the key the client or issuer signs with stands in its registered jwks, or that its jwks_uri answers from here and names it."),
    ("assertion_times", "Compare the clocks of this server and of whoever signs: ten seconds are allowed, and an hour of life."),
    ("assertion_audience", "Have the client put this tenant's issuer into aud; older clients that cannot are registered as legacy."),
    (
        "assertion_replayed request_replayed",
        "If the app does not send its requests twice, somebody copied one: look at where it came from, and change the client's key.",
    ),
    ("assertion_issuer", "If that issuer is to be trusted, name it and the client in [[tenant.oauth.issuers]]."),
    ("assertion_subject", "See whether the person has an account that may be used, under the address that the issuer names."),
    ("consent_missing", "The person has not allowed this client these scopes: let her use it by the browser once, or register it as your own (`consent`)."),
    (
        "certificate certificate_missing",
        "See that the trusted proxy asks clients for certificates and hands Client-Cert on, and that the client uses the one it was given tokens with.",
    ),
    # what the client may
    ("unauthorized_client unsupported_grant_type grant_type_missing", "If the client is to use that grant, add it to its `grants`; else tell its developer."),
    (
        "unsupported_response_type response_type_not_registered response_mode",
        "If the client needs that flow, register it (`response_types`); code with PKCE is better.",
    ),
    (
        "scope_not_registered scope_of_another_grant scope_missing openid_missing insufficient_scope",
        "Compare the scopes it asks for with the client's `scopes`.",
    ),
    ("scope_unknown", "A resource lost that scope: put it back into [[tenant.resource]], or take it from the client."),
    (
        "several_resources scope_of_another_resource resource_unknown resource_beyond_grant",
        "Compare what it asks for with the tenant's [[tenant.resource]]: identifiers letter by letter.",
    ),
    ("scope_beyond_subject", "A service wants to know of a person what the app it got the token from may not: see what it is for."),
    ("scope_beyond_grant", "The app asks for more than the person allowed: it has to send her to the authorization endpoint again."),
    (
        "not_pushed not_signed signed_unregistered fapi_method",
        "Compare what the client registered (pushed or signed requests, its profile) with what it sends.",
    ),
    ("push_client_polls", "The client is registered for push and polls: change `backchannel_token_delivery_mode`, or tell its developer."),
    ("exchange_rule exchange_target may_act", "If this exchange is meant, write a rule for it: [[tenant.oauth.exchange]] with client, subjects and resources."),
    ("exchange_opaque", "Let the resource take JWTs (`token_format`), or the service introspect what it has."),
    ("exchange_type exchange_actor exchange_chain subject_token subject_token_missing subject_token_type_missing", _DEVELOPER),
    ("asking_limited", "Somebody asks a person too often: see which client, and whether its requests are hers."),
    # the authorization request
    ("unknown_client", "If the app is yours, compare the client_id in its configuration with `limen client list`; else nothing."),
    ("unregistered_redirect_uri", "If the app is yours, register the address letter by letter; else somebody tries to have people sent elsewhere."),
    ("client_document_refused", "The line `oauth.client_document_refused` says what is wrong with the document; its owner has to mend it."),
    ("pkce pkce_missing", "Have the app send code_challenge with S256; only for a confidential client that cannot, `pkce_required = false`."),
    ("challenge_missing verifier_missing", "If the app does send both, somebody removed the challenge on the way: look at where the request came from."),
    ("claims nonce max_age prompt dpop_jkt hints invalid_request token_missing two_tokens two_requests", _DEVELOPER),
    ("requested_expiry user_code login_hint_token client_notification_token binding_message invalid_binding_message beside_request", _DEVELOPER),
    ("registration_not_supported", "Register the app beforehand: parameters do not register one."),
    ("id_token_hint", "Somebody hints with a token that is none of this tenant's: an app of another tenant or issuer, or one that guesses."),
    ("invalid_authorization_details details_malformed details_members details_too_long", _DEVELOPER),
    ("details_beyond_grant", "The app asks for other details than the person allowed: it has to send her to the authorization endpoint again."),
    ("details_type", "Declare the type in [[tenant.oauth.details]] and name it in the client's `authorization_details_types`, if it is meant."),
    (
        "pushed_unknown pushed_request_uri",
        "If one app meets it often, people stay too long before its page opens: lengthen `pushed_request`; else somebody guesses.",
    ),
    (
        "request_object request_object_alg request_object_plain request_signature",
        "Compare keys and algorithms that the client registered with those it signs and encrypts by.",
    ),
    ("request_object_aud request_object_client request_object_members request_object_nested request_object_sub", _DEVELOPER),
    ("request_aud request_iss request_jti request_members", _DEVELOPER),
    ("request_object_times request_times", "Compare the client's clock with this server's; what it signs lives an hour at most."),
    ("request_uri", "Register the address in the client's `request_uris`, if it is its own."),
    ("request_uri_fetch", "See that the address answers from here: https on 443, no redirect, 64 kB, three seconds."),
    # codes and tokens
    ("code_missing refresh_token_missing device_code_missing auth_req_id_missing", _DEVELOPER),
    (
        "code_unknown device_code_unknown auth_req_id_unknown refresh_unknown",
        "Seldom it is an app that repeats itself; often it is somebody who guesses: see its source and client.",
    ),
    (
        "code_replayed refresh_replayed",
        "Treat it as theft until shown otherwise: the grant has ended; see the person's sessions, and whether the app stores tokens twice.",
    ),
    ("code_of_another_client device_code_of_another_client token_of_another_client", "A client brought what was another's: find out how it got there."),
    (
        "code_of_another_key refresh_of_another_key token_of_another_key dpop_another_key",
        "Somebody has a token or code without its key: if the app did not lose its key, it was stolen.",
    ),
    ("redirect_uri_differs verifier_wrong", "If the app is not at fault, a code was brought into another session than its own (RFC 9700, 4.5)."),
    ("invalid_token", "Nothing for one of them; many from one client say that it keeps tokens that ended."),
    ("token_downgraded token_not_bound", "Have the app show bound tokens with the scheme DPoP and others as Bearer; from a stranger it is a stolen token."),
    ("dpop_missing", "The client registered `dpop_bound_access_tokens` and sends no proof: change one or the other."),
    ("dpop_early dpop_old", "Compare clocks; where the apps' cannot be trusted, let the tenant require nonces (`dpop_nonces`)."),
    ("dpop_htu", "See that `base_url`, or the tenant's domain, is the address the app calls: proxies must not make another of it."),
    ("dpop_replayed", "If the app makes a proof for each request, somebody copied one: look at where it came from."),
    ("dpop_alg dpop_ath dpop_ath_missing dpop_claims dpop_htm dpop_key dpop_malformed dpop_signature dpop_typ", _DEVELOPER),
)


def _table(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {reason: sentence for names, sentence in rows for reason in names.split()}


ADVICE: Final = _table((*_ORDINARY, *_TROUBLE))
"""What to do, by reason."""
_TOLD: Final = frozenset(_table(_TROUBLE))


def _warn(event: str, **words: object) -> None:
    """Write a line. A method of the logger taken while this file is read would keep to the set-up of then, and write past the JSON of now."""
    _log.warning(event, **words)


_lines: Final = Repeats(_warn, "oauth.refused")


def tell(refusal: Refused, **about: str) -> None:
    """Write into the log why a request was refused and what to do: a line for each reason, every ten seconds at most. `about` holds ids only."""
    tell_reason(refusal.reason, error=refusal.code.value, **about)


def tell_reason(reason: str, **about: str) -> None:
    """Likewise of what is told on a page of ours, where nobody hears an error code."""
    if reason in _TOLD:
        _lines.say((about.get("error", ""), reason), reason=reason, **about, do=ADVICE[reason])
