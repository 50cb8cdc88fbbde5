"""Whether a person has to be asked something first, as a table of named rules in order; and if nobody may be asked, which error says so."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from limen.modules import accounts, claims, consents, signin
from limen.modules.clients import Client
from limen.modules.journey import Ask
from limen.modules.oauth import claims_request
from limen.modules.oauth.authorize.checks import Entry
from limen.modules.oauth.errors import Code, Refused
from limen.modules.sessions import Session
from limen.platform.sql import Reader

KNOWN_ACR: Final = frozenset({"lmn:email", "aal1", "aal2", "aal3", "phr", "phrh"})
"""Context classes that mean something here. A request that names only others names none (OpenID Connect Core 1.0: acr_values are a wish)."""


class Way(enum.Enum):
    """What a rule that is not met leads to."""

    JOURNEY = "journey"
    """The person is asked; with prompt=none the error goes back."""
    ERROR = "error"
    """The error goes back at once: asking would not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A request that is in order, and who stands behind the browser."""

    ask: Ask
    session: Session | None
    misled: bool
    """There is an `id_token_hint` and it names nobody: no token of ours, or of a key long forgotten."""
    begun: datetime
    """When the request came: what happened since then is fresh."""
    client: Client
    claims: str = ""
    """The parameter `claims`."""


Rule = Callable[[Reader, Situation], Awaitable[bool]]
"""True if there is nothing to ask."""


async def _hint_names_somebody(reader: Reader, here: Situation) -> bool:
    del reader
    return not here.misled


async def _signed_in(reader: Reader, here: Situation) -> bool:
    del reader
    return here.session is not None


async def _no_account_wanted(reader: Reader, here: Situation) -> bool:
    del reader
    return "create" not in here.ask.prompt


async def _no_choice_wanted(reader: Reader, here: Situation) -> bool:
    del reader
    return "select_account" not in here.ask.prompt


async def _the_one_hinted(reader: Reader, here: Situation) -> bool:
    del reader
    return here.ask.account is None or here.session is None or here.session.account == here.ask.account


async def _the_one_named(reader: Reader, here: Situation) -> bool:
    """True unless `login_hint` is an address, and another person's."""
    if not here.ask.login_hint or here.session is None:
        return True
    try:
        named = accounts.normalise(accounts.EMAIL, here.ask.login_hint)
    except accounts.InvalidIdentifier:
        return True
    own = await accounts.identifiers(reader, here.session.account)
    return any(accounts.normalise(one.kind, one.value) == named for one in own)


async def _holds(reader: Reader, here: Situation) -> bool:
    return here.session is not None and await signin.still_holds(reader, here.session, here.ask)


async def _fresh_since(reader: Reader, here: Situation) -> bool:
    """True if the sign-in is as fresh as the request asked for when it came."""
    del reader
    if here.session is None:
        return False
    if "login" in here.ask.prompt and here.session.auth_time < here.begun:
        return False
    return here.ask.max_age is None or here.session.auth_time >= here.begun - timedelta(seconds=here.ask.max_age)


async def _strong(reader: Reader, here: Situation) -> bool:
    """True if the session reaches one of the context classes asked for (RFC 9470, section 5)."""
    del reader
    if here.session is None or not KNOWN_ACR.intersection(here.ask.acr_values):
        return True
    return not signin.falls_short(here.session.acr, here.ask)


async def _the_one_claimed(reader: Reader, here: Situation) -> bool:
    """True unless the claim `sub` is asked for with another person's value (OpenID Connect Core 1.0, 5.5.1)."""
    wanted = claims_request.required(here.claims, "sub")
    if not wanted or here.session is None:
        return True
    return await claims.subject(reader, here.session.account, here.client) in wanted


async def _as_strong_as_essential(reader: Reader, here: Situation) -> bool:
    """True unless `acr` is asked for as an essential claim and the session has none of its values (OpenID Connect Core 1.0, 5.5.1.1)."""
    del reader
    wanted = claims_request.required(here.claims, "acr")
    if not wanted or here.session is None:
        return True
    return here.session.acr in wanted or not signin.falls_short(here.session.acr, replace(here.ask, acr_values=wanted))


async def _agreed(reader: Reader, here: Situation) -> bool:
    """True unless the tenant has terms, or another version of them, that the person did not agree to."""
    return here.session is None or await consents.terms_wanted(reader, here.session.account) is None


async def _consented_now(reader: Reader, here: Situation) -> bool:
    if here.session is None or here.ask.client is None:
        return False
    afresh = "consent" in here.ask.prompt or bool(here.ask.details)
    return not await consents.is_asked(reader, here.session.account, here.ask.client, here.ask.scopes, afresh=afresh)


async def _consented(reader: Reader, here: Situation) -> bool:
    if here.session is None or here.ask.client is None:
        return False
    return not await consents.is_asked(reader, here.session.account, here.ask.client, here.ask.scopes)


_MISLED: Final = Refused(Code.INVALID_REQUEST, "id_token_hint is no ID token of this issuer, so it cannot be said whom it means.", "id_token_hint")
_LOGIN: Final = Refused(Code.LOGIN_REQUIRED, "The person has to sign in, and nobody may be asked.")
_CREATE: Final = Refused(Code.INTERACTION_REQUIRED, "The person has to make an account, and nobody may be asked.")
_SELECT: Final = Refused(Code.ACCOUNT_SELECTION_REQUIRED, "The person has to choose an account, and nobody may be asked.")
OTHER: Final = Refused(Code.LOGIN_REQUIRED, "Another person is signed in than the one the request hints at.", "another_person")
_WEAK: Final = Refused(Code.UNMET_AUTHENTICATION_REQUIREMENTS, "None of the acr_values can be reached with what this person has set up.")
_TERMS: Final = Refused(Code.INTERACTION_REQUIRED, "The person has to agree to the terms of this place, and nobody may be asked.")
_CONSENT: Final = Refused(Code.CONSENT_REQUIRED, "The person has not allowed this app what it asks for.")

_A: Final = Entry.AUTHORIZE
_R: Final = Entry.RESUME
_ASK: Final = Way.JOURNEY
_END: Final = Way.ERROR

RULES: Final[tuple[tuple[str, Rule, Refused, Way, Entry], ...]] = (
    ("id_token_hint can be read", _hint_names_somebody, _MISLED, _END, _A | _R),
    ("somebody is signed in", _signed_in, _LOGIN, _ASK, _A | _R),
    ("prompt=create", _no_account_wanted, _CREATE, _ASK, _A),
    ("prompt=select_account", _no_choice_wanted, _SELECT, _ASK, _A),
    ("id_token_hint", _the_one_hinted, OTHER, _ASK, _A | _R),
    ("the claim sub", _the_one_claimed, OTHER, _END, _A | _R),
    ("prompt=login, max_age, acr_values", _holds, _LOGIN, _ASK, _A),
    ("prompt=login, max_age, when the request came", _fresh_since, _LOGIN, _END, _R),
    ("acr_values within reach", _strong, _WEAK, _END, _A | _R),
    ("acr as an essential claim", _as_strong_as_essential, _WEAK, _END, _A | _R),
    ("terms of the tenant's", _agreed, _TERMS, _ASK, _A),
    ("prompt=consent, new scopes", _consented_now, _CONSENT, _ASK, _A),
    ("login_hint", _the_one_named, OTHER, _ASK, _A),  # after consent: an app that nobody let in does not find out with prompt=none whose address it is
    ("consent", _consented, _CONSENT, _END, _R),
)
_OF_ENTRY: Final = {entry: tuple((rule, refusal, way) for _, rule, refusal, way, entries in RULES if entry in entries) for entry in Entry}


@dataclass(frozen=True, slots=True)
class Unmet:
    """The first rule that is not met."""

    refusal: Refused
    way: Way


async def unmet(reader: Reader, here: Situation, entry: Entry) -> Unmet | None:
    """Return the first rule of an entry that is not met; None if the app may have its code now. Back from a journey nobody is asked again."""
    for rule, refusal, way in _OF_ENTRY[entry]:
        if not await rule(reader, here):
            return Unmet(refusal, way if entry is Entry.AUTHORIZE else Way.ERROR)
    return None
