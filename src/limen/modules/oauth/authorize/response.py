"""The answer of the authorization endpoint on its way to the app: as a query, a fragment, a form, and perhaps as one signed JWT."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec

from limen.modules import keys
from limen.modules.clients import Client
from limen.modules.oauth import advice, encryption, strangers, tally
from limen.modules.oauth.access_token import Made, seconds
from limen.modules.oauth.authorize import modes
from limen.modules.oauth.authorize.sound import Sound
from limen.modules.oauth.errors import Refused
from limen.modules.oauth.facts import AuthorizationRefused
from limen.modules.oauth.ground import press, with_keys
from limen.modules.oauth.id_token import IdClaims, flat, half_hash
from limen.modules.oauth.model import TOKEN_TYPE, with_parameters
from limen.platform.http import Answer, Call, FormPost, SeeOther
from limen.platform.sql import Reader
from limen.platform.wire.jose import SigningKey, encode_jwt

LIFETIME: Final = timedelta(minutes=5)
"""Of a signed answer (JARM, section 2.1: ten minutes at most)."""
_TYPE: Final = "JWT"


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """What an app gets from the authorization endpoint, durable and not signed yet. All empty but `refused`: an error."""

    refused: Refused | None = None
    code: str = ""
    access: Made | None = None
    scope: str = ""
    lifetime: int = 0
    """Seconds that `access` lives."""
    identity: IdClaims | None = None
    session_state: str = ""


def refused(call: Call, sound: Sound, refusal: Refused) -> Issued:
    """Return an error on its way to the app, counted and told."""
    advice.tell(refusal, client=sound.client.id)
    tally.count(call.db, call.tenant, AuthorizationRefused(client=sound.client.id, reason=refusal.reason, count=1))
    return Issued(refused=refusal)


async def answer(call: Call, sound: Sound, issued: Issued) -> Answer:
    """Send the browser back to the app (RFC 6749, section 4.1.2; RFC 9207, section 2), whatever was issued; with an error to a stranger's app by her will."""
    parameters = _plain(sound, issued)
    if issued.access is not None or issued.identity is not None:
        parameters |= await _signed(call, sound.client, issued)
    mode = modes.of(sound.asked, sound.client)
    if modes.is_signed(mode):
        parameters = {"response": await _as_jwt(call, sound.client, parameters)}
    going = _sent(sound.redirect_uri, mode.partition(".")[0], parameters)
    if issued.refused is None or not sound.client.dynamic:
        return going
    return await strangers.led(call, sound.client, going, issued.refused)


def _plain(sound: Sound, issued: Issued) -> dict[str, str]:
    refusal = issued.refused
    error = {"error": refusal.code.value, "error_description": refusal.why} if refusal else {}
    whole = {**error, "code": issued.code, "state": sound.asked.state or "", "session_state": issued.session_state, "iss": sound.case.issuer}
    return {name: value for name, value in whole.items() if value}


async def _signed(call: Call, client: Client, issued: Issued) -> dict[str, str]:
    """Return the tokens of the implicit and hybrid flows; hashes tie them to their ID token (OpenID Connect Core 1.0, 3.3.2.11)."""
    alg = client.id_token_signed_response_alg
    found = await with_keys(call.db, call.tenant, lambda reader: press(reader, call.site.issuer, alg))
    parameters: dict[str, str] = {}
    text = issued.access.text(found.key) if issued.access else ""
    if text:
        parameters |= {"access_token": text, "token_type": TOKEN_TYPE, "expires_in": str(issued.lifetime), "scope": issued.scope}
    if issued.identity is not None:
        hashes = {"at_hash": text, "c_hash": issued.code}
        given = {name: half_hash(found.id_key.alg, of) for name, of in hashes.items() if of}
        claims = {**flat(issued.identity), **given}
        parameters["id_token"] = await encryption.for_client(call, client, "id_token", encode_jwt(found.id_key, claims, _TYPE))
    return parameters


async def _as_jwt(call: Call, client: Client, parameters: Mapping[str, str]) -> str:
    """Return the parameters as one JWT for this client (JARM, section 2.1)."""
    now = call.db.clock.now()

    async def signer(reader: Reader) -> SigningKey:
        wanted = client.authorization_signed_response_alg
        return await keys.signer(reader, wanted.value if wanted else (await keys.algorithms(reader))[0].value)

    claims = {**parameters, "iss": call.site.issuer, "aud": client.id, "exp": seconds(now + LIFETIME)}
    return await encryption.for_client(call, client, "authorization", encode_jwt(await with_keys(call.db, call.tenant, signer), claims, _TYPE))


def _sent(uri: str, way: str, parameters: Mapping[str, str]) -> SeeOther | FormPost:
    if way == "form_post":
        return FormPost(uri, parameters)
    return SeeOther(f"{uri}#{urlencode(parameters)}" if way == "fragment" else with_parameters(uri, parameters))
