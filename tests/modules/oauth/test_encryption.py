"""Messages only the client can read, and requests only we can (OpenID Connect Core 1.0, 10.2; RFC 9101, 6.1; JARM, 2.2; RFC 9701)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest

from limen.modules.clients import AuthMethod
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, DecryptionKey, Enc, EncryptionKeys, KeyAlg, SigningKey, decrypt
from tests.modules.oauth.conftest import BASE, BYE, CALLBACK, SECRET, Door, answered, basic
from tests.modules.oauth.test_pushed import KEY, change, request_object

pytestmark = pytest.mark.anyio

RSA = DecryptionKey.generate(KeyAlg.RSA_OAEP_256)
EC = DecryptionKey.generate(KeyAlg.ECDH_ES)


def jwks(*more: SigningKey) -> str:
    """Return the shop's keys: two to encrypt to, and perhaps some to check with."""
    return msgspec.json.encode({"keys": [RSA.jwk, EC.jwk, *(one.public.jwk for one in more)]}).decode()


def unsealed(token: str) -> str:
    """Return what is inside a message that was encrypted to the shop: a signed one."""
    found = decrypt(token, [RSA, EC], algs=tuple(KeyAlg), encs=tuple(Enc))
    assert found.cty == "jwt"
    return found.payload.decode()


async def ours(door: Door) -> jose.KeySet:
    """Return our keys as a stranger reads them."""
    return jose.KeySet.parse((await door.calls.get("/oauth/jwks")).body, (Alg.ES256,))


@pytest.mark.parametrize(("alg", "enc"), [("RSA-OAEP-256", None), ("RSA-OAEP", "A256GCM"), ("ECDH-ES", "A128GCM"), ("ECDH-ES+A256KW", "A256CBC-HS512")])
async def test_every_message_is_signed_and_then_encrypted(door: Door, alg: str, enc: str | None) -> None:
    """ID token, userinfo, the answer of the authorization endpoint and introspection: as the client registered, for its key alone."""
    stems = ("id_token_encrypted_response", "userinfo_encrypted_response", "authorization_encrypted_response", "introspection_encrypted_response")
    registered: dict[str, Any] = {f"{stem}_alg": alg for stem in stems} | ({f"{stem}_enc": enc for stem in stems} if enc else {})
    await change(door, "shop", jwks=jwks(), userinfo_signed_response_alg=Alg.ES256, **registered)
    person, known = await door.person(), await ours(door)
    body = await door.tokens(person)
    assert jose.verify_jwt(unsealed(body["id_token"]), known, typ=("jwt",)).claims["sub"] == person.account
    told = await door.userinfo(body["access_token"])
    assert told.headers["content-type"] == "application/jwt"
    said = jose.verify_jwt(unsealed(told.text), known, typ=("jwt",)).claims
    assert (said["sub"], said["iss"], said["aud"]) == (person.account, BASE, "shop")
    answer = await door.ask(person.browser, response_mode="jwt")
    assert "code" in jose.verify_jwt(unsealed(parse_qs(urlsplit(answer.location).query)["response"][0]), known, typ=("jwt",)).claims
    looked = await introspected(door, body["access_token"])
    found = jose.verify_jwt(unsealed(looked.text), known, typ=("token-introspection+jwt",)).claims
    assert (found["iss"], found["aud"]) == (BASE, "shop")
    assert "exp" not in found
    assert msgspec.convert(found["token_introspection"], dict[str, Any])["active"] is True


async def introspected(door: Door, token: str) -> Any:
    """Ask for an answer as a JWT."""
    headers = {"authorization": basic("shop", SECRET), "accept": "application/token-introspection+jwt"}
    return await door.calls.post("/oauth/introspect", form={"token": token}, headers=headers)


async def test_an_introspection_answer_is_no_token(door: Door) -> None:
    """RFC 9701, 5 and 8.1: its type is its own, and the audience is who asked; errors stay plain."""
    body = await door.tokens(await door.person())
    looked = await introspected(door, body["access_token"])
    assert (looked.status, looked.headers["content-type"]) == (200, "application/token-introspection+jwt")
    assert (await door.userinfo(looked.text)).status == 401
    assert not await door.active(looked.text)
    dead = jose.peek((await introspected(door, "rubbish")).text).claims
    assert dead["token_introspection"] == {"active": False}
    headers = {"accept": "application/token-introspection+jwt"}
    assert (await door.calls.post("/oauth/introspect", form={"token": "x"}, headers=headers)).json()["error"] == "invalid_client"


async def test_what_cannot_be_encrypted_is_not_sent(door: Door) -> None:
    """Never in clear instead: the client is told that nothing came, the operator why."""
    await change(door, "shop", jwks=jwks(), id_token_encrypted_response_alg="ECDH-ES")
    only_rsa = msgspec.json.encode({"keys": [RSA.jwk]}).decode()
    await change(door, "shop", jwks=only_rsa)
    refused = await door.redeem(await door.code(await door.person()))
    assert refused.status == 503
    assert "id_token" not in refused.text


async def test_requests_may_be_encrypted_to_us(door: Door) -> None:
    """RFC 9101, 6.1: to a key in the JWKS that is for encryption alone; signed inside; and in no other way than registered."""
    await door.set("keys", encryption=True)
    document = (await door.calls.get("/.well-known/openid-configuration")).json()
    assert "RSA-OAEP-256" in document["request_object_encryption_alg_values_supported"]
    shown = (await door.calls.get("/oauth/jwks")).body
    assert {key["use"] for key in msgspec.json.decode(shown)["keys"]} == {"sig", "enc"}
    assert len(await ours(door)) == 1
    theirs = EncryptionKeys.parse(shown)
    await change(door, "shop", auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=jwks(KEY))
    person = await door.person()
    for alg, enc in ((KeyAlg.RSA_OAEP_256, Enc.A256GCM), (KeyAlg.ECDH_ES, Enc.A128CBC_HS256)):
        found = await _sent(person.browser, jose.nest(request_object(door), theirs.pick(alg), enc))
        assert "code" in found, found
    bad = [
        jose.nest(request_object(door, SigningKey.generate(Alg.ES256)), theirs.pick(KeyAlg.ECDH_ES), Enc.A128GCM),
        jose.encrypt(b'{"client_id":"shop"}', theirs.pick(KeyAlg.ECDH_ES), Enc.A128GCM),
        jose.nest(request_object(door), EncryptionKeys.parse(jwks().encode()).pick(KeyAlg.ECDH_ES), Enc.A128GCM),
    ]
    for token in bad:
        assert (await _sent(person.browser, token))["error"] == "invalid_request_object"
    await change(door, "shop", request_object_encryption_alg="ECDH-ES", request_object_encryption_enc="A256GCM")
    assert (await _sent(person.browser, request_object(door)))["error"] == "invalid_request_object"
    assert (await _sent(person.browser, jose.nest(request_object(door), theirs.pick(KeyAlg.RSA_OAEP_256), Enc.A256GCM)))["error"] == "invalid_request_object"
    assert "code" in await _sent(person.browser, jose.nest(request_object(door), theirs.pick(KeyAlg.ECDH_ES), Enc.A256GCM))


async def hint_to_us(door: Door, token: str, alg: KeyAlg = KeyAlg.RSA_OAEP_256, enc: Enc = Enc.A256GCM) -> str:
    """Return an ID token encrypted to us, as a stranger reads our keys."""
    return jose.nest(token, EncryptionKeys.parse((await door.calls.get("/oauth/jwks")).body).pick(alg), enc)


@pytest.mark.parametrize(("alg", "enc"), [(KeyAlg.RSA_OAEP_256, Enc.A256GCM), (KeyAlg.ECDH_ES, Enc.A128CBC_HS256)])
async def test_a_hint_may_be_encrypted_to_us(door: Door, alg: KeyAlg, enc: Enc) -> None:
    """OpenID Connect Core 1.0, 3.1.2.1: a client gets its ID tokens encrypted, and encrypts the one inside to us: it means that person, at logout too."""
    await door.set("keys", encryption=True)
    await door.calls.get("/oauth/jwks")
    await change(door, "shop", jwks=jwks(), id_token_encrypted_response_alg="RSA-OAEP-256")
    ada, bob = await door.person(), await door.person()
    sealed = await hint_to_us(door, unsealed((await door.tokens(ada))["id_token"]), alg, enc)
    assert "code" in answered(await door.ask(ada.browser, id_token_hint=sealed, prompt="none"))
    assert answered(await door.ask(bob.browser, id_token_hint=sealed, prompt="none"))["error"] == "login_required"
    leaving = {"id_token_hint": sealed, "post_logout_redirect_uri": BYE}
    assert urlsplit((await bob.browser.get(f"/oauth/logout?{urlencode(leaving)}")).url).path == "/oauth/logout/confirm"
    left = await ada.browser.get(f"/oauth/logout?{urlencode(leaving)}", follow=False)
    assert (left.status, left.location) == (303, BYE)
    assert ada.browser.cookie("lmn_s_acme") is None


async def test_an_encrypted_hint_is_no_better_than_what_is_inside(door: Door) -> None:
    """Encrypted to somebody else, with nothing signed inside, a foreign token, an access token, or to a tenant that reads nothing: it names nobody."""
    await door.set("keys", encryption=True)
    await door.calls.get("/oauth/jwks")
    person = await door.person()
    body = await door.tokens(person)
    own = EncryptionKeys.parse((await door.calls.get("/oauth/jwks")).body).pick(KeyAlg.ECDH_ES)
    good = jose.nest(body["id_token"], own, Enc.A128GCM)
    assert "code" in answered(await door.ask(person.browser, id_token_hint=good, prompt="none"))
    claims = jose.peek(body["id_token"]).claims
    bad = [
        jose.nest(body["id_token"], EncryptionKeys.parse(jwks().encode()).pick(KeyAlg.ECDH_ES), Enc.A128GCM),
        jose.encrypt(msgspec.json.encode(claims), own, Enc.A128GCM),
        jose.nest(jose.encode_jwt(KEY, claims, "JWT"), own, Enc.A128GCM),
        jose.nest(body["access_token"], own, Enc.A128GCM),
        jose.nest(good, own, Enc.A128GCM),
        good[:-4] + "AAAA",
        "a.b.c.d.e",
    ]
    for token in bad:
        found = answered(await door.ask(person.browser, id_token_hint=token, prompt="none"))
        assert (found["error"], "id_token_hint" in found["error_description"]) == ("invalid_request", True)
        page = await person.browser.get(f"/oauth/logout?{urlencode({'id_token_hint': token})}")
        assert urlsplit(page.url).path == "/oauth/logout/confirm"
    await door.set("keys", encryption=False)
    assert answered(await door.ask(person.browser, id_token_hint=good, prompt="none"))["error"] == "invalid_request"


async def _sent(browser: Any, token: str) -> dict[str, str]:
    query = {"client_id": "shop", "redirect_uri": CALLBACK, "request": token}
    return answered(await browser.get(f"/oauth/authorize?{urlencode(query)}", follow=False))
