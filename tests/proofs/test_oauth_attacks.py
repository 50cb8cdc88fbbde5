"""RFC 9700 and RFC 8725 from the attacker's side: tokens taken for others, keys and algorithms confused, addresses bent, answers mixed up."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from limen.kernel import secrets
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import TenantId
from limen.modules import sessions
from limen.modules.clients import AuthMethod, GrantType
from limen.modules.oauth import bearer
from limen.modules.oauth.client_auth.assertion import TYPE
from limen.modules.oauth.token import client_credentials
from limen.modules.sessions import EndReason
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, SigningKey
from tests.modules.oauth.conftest import ACME, BASE, BYE, CALLBACK, RIVAL, SECRET, VERIFIER, Door, answered, asked, basic
from tests.modules.oauth.registering import desk
from tests.modules.oauth.test_pushed import KEY, assertion, jwks, request_object
from tests.modules.oauth.test_refresh import beside
from tests.rig.asgi import Client
from tests.rig.ear import listening
from tests.rig.prover import Prover

pytestmark = pytest.mark.anyio

EVIL: Final = "https://evil.example"
THIEF: Final = SigningKey.generate(Alg.ES256)
RSA: Final = SigningKey.generate(Alg.RS256)
EXCHANGE: Final = GrantType.TOKEN_EXCHANGE.value
ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture
async def keyed(door: Door) -> Door:
    """The shop proves itself by a key of its own, signs its requests by it, and gets userinfo signed."""
    grants = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)
    await door.change("shop", auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=jwks(KEY), grants=grants, userinfo_signed_response_alg=Alg.ES256)
    return door


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address that the server turns to, which is nowhere to be reached."""
    called: list[str] = []

    async def send(_: httpx2.AsyncClient, request: httpx2.Request, **_more: Any) -> httpx2.Response:
        called.append(str(request.url))
        raise httpx2.ConnectError("nobody there")

    monkeypatch.setattr(httpx2.AsyncClient, "send", send)
    return called


def b64(octets: bytes) -> str:
    """Return base64url."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def forged(header: Mapping[str, object], said: Mapping[str, object], secret: bytes | None = None) -> str:
    """Return a JWT that nobody signed, or an HMAC with that secret."""
    signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(said).encode())}"
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest()) if secret else ''}"


def signed_by(key: SigningKey, header: Mapping[str, object], said: Mapping[str, object]) -> str:
    """Return a JWT with any header and claims."""
    signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(said).encode())}"
    return f"{signed}.{b64(key.sign(signed.encode()))}"


def signed_by_thief(header: Mapping[str, object], said: Mapping[str, object]) -> str:
    """Return one signed with a key that nobody registered."""
    return signed_by(THIEF, header, said)


def now(door: Door) -> int:
    """Return the present second."""
    return int(door.world.clock.now().timestamp())


def about_shop(door: Door) -> dict[str, object]:
    """Return the claims of an assertion of the shop's."""
    return {"iss": "shop", "sub": "shop", "aud": BASE, "iat": now(door), "exp": now(door) + 60, "jti": secrets.token()}


async def as_shop(door: Door, token: str, **form: str) -> Any:
    """Ask for tokens with an assertion of the shop's; a code that nobody has is asked about once the client is believed."""
    usual = {"grant_type": "refresh_token", "refresh_token": "x", "client_assertion_type": TYPE, "client_assertion": token}
    return await door.calls.post("/oauth/token", form={**usual, **form})


async def redeemed(door: Door, code: str) -> dict[str, Any]:
    """Redeem a code of the shop's with its key."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    answer = await door.calls.post("/oauth/token", form={**form, **assertion(door)})
    assert answer.status == 200, answer.text
    return dict(answer.json())


# ------------------------------------------------------------------ one kind of token for another


@pytest.fixture
async def kinds(keyed: Door) -> AsyncIterator[tuple[Door, dict[str, str]]]:
    """One genuine JWT of every kind there is, most of them signed by the server itself, all about the same person and the same client."""
    async with listening() as ear:
        await keyed.change("shop", backchannel_logout_uri=ear.uri())
        person, other = await keyed.person(), await keyed.person()
        tokens = await redeemed(keyed, await keyed.code(person, scope="openid email"))
        leaving = await redeemed(keyed, await keyed.code(other, scope="openid"))
        seen = await keyed.userinfo(tokens["access_token"])
        looked = await keyed.calls.post(
            "/oauth/introspect", form={"token": tokens["access_token"], **assertion(keyed)}, headers={"accept": "application/token-introspection+jwt"}
        )
        jarm = answered(await keyed.ask(person.browser, response_mode="query.jwt"))["response"]
        async with keyed.world.db.work(ACME, SYSTEM) as work:
            assert other.session is not None
            await sessions.end(work, other.session, EndReason.SIGNED_OUT)
        await keyed.runner.run_due()
        yield (
            keyed,
            {
                "access": tokens["access_token"],
                "id": tokens["id_token"],
                "logout": ear.forms[0]["logout_token"],
                "userinfo": seen.text,
                "introspection": looked.text,
                "jarm": jarm,
                "assertion": assertion(keyed)["client_assertion"],
                "request": request_object(keyed),
                "proof": Prover(clock=keyed.world.clock).proof("POST", f"{BASE}/oauth/token"),
                "ended": leaving["id_token"],
            },
        )


async def test_every_kind_there_is(kinds: tuple[Door, dict[str, str]]) -> None:
    """The tokens that the next tests swap are genuine: three parts each, no two of one kind."""
    for name, token in kinds[1].items():
        assert token.count(".") == 2, (name, token)
    assert len(set(kinds[1].values())) == len(kinds[1])


async def test_nothing_else_is_an_access_token(kinds: tuple[Door, dict[str, str]]) -> None:
    """RFC 9068, 4 and RFC 8725, 3.11: at userinfo, the API, introspection and as the subject of an exchange, only `at+jwt` counts."""
    door, tokens = kinds
    for name in tokens.keys() - {"access"}:
        assert (await door.userinfo(tokens[name])).status == 401, name
        headers = {"authorization": f"Bearer {tokens[name]}"}
        assert (await door.calls.get("/api/v1/sessions", headers=headers)).status == 401, name
        looked = await door.calls.post("/oauth/introspect", form={"token": tokens[name], **assertion(door)})
        assert looked.json() == {"active": False}, name
        swapped = await door.calls.post("/oauth/revoke", form={"token": tokens[name], **assertion(door)})
        assert swapped.status == 200, name
    assert (await door.userinfo(tokens["access"])).status == 200


async def test_nothing_else_is_an_id_token_hint(kinds: tuple[Door, dict[str, str]]) -> None:
    """OpenID Connect Core 1.0, 3.1.2.1; Back-Channel Logout 1.0, 2.4: logout tokens, userinfo, answers and all that clients sign hint at nobody."""
    door, tokens = kinds
    person = await door.person()
    for name in tokens.keys() - {"id", "ended"}:
        found = answered(await door.ask(person.browser, "old", scope="openid", prompt="none", id_token_hint=tokens[name]))
        assert found["error"] == "invalid_request", (name, found)
        out = await person.browser.get(f"/oauth/logout?{urlencode({'id_token_hint': tokens[name], 'post_logout_redirect_uri': BYE})}", follow=False)
        assert urlsplit(out.location).path == "/oauth/logout/confirm", name
    assert "code" in answered(await door.ask(person.browser, "old", scope="openid", prompt="none"))


async def test_nothing_else_is_a_clients_assertion(kinds: tuple[Door, dict[str, str]]) -> None:
    """RFC 7523, 3; RFC 9101, 10.8: nothing the server signed, no proof, and no request object, though the client's key signed it and it names her client."""
    door, tokens = kinds
    for name in tokens.keys() - {"assertion"}:
        assert (await as_shop(door, tokens[name])).json()["error"] == "invalid_client", name
    for typ in ("oauth-authz-req+jwt", "JWT", ""):
        stolen = request_object(door, typ=typ, sub="shop", jti=secrets.token())
        assert (await as_shop(door, stolen)).json()["error"] == "invalid_client", typ
    for typ in ("dpop+jwt", "at+jwt", "logout+jwt", "secevent+jwt"):
        assert (await as_shop(door, jose.encode_jwt(KEY, about_shop(door), typ))).json()["error"] == "invalid_client", typ
    assert (await as_shop(door, tokens["assertion"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("legacy", [False, True])
async def test_nothing_else_is_a_request(kinds: tuple[Door, dict[str, str]], legacy: bool) -> None:  # noqa: FBT001
    """RFC 9101, 10.8: an assertion or proof somebody caught does not make what stands beside it a signed request, of a legacy client neither."""
    door, tokens = kinds
    await door.change("shop", legacy=legacy, require_signed_request_object=True)
    person = await door.person()
    caught = {**tokens, "plain": jose.encode_jwt(KEY, {**about_shop(door), "client_id": "shop"}, "JWT")}
    for name in caught.keys() - {"request"}:
        found = answered(await door.ask(person.browser, request=caught[name]))
        assert found.get("error") == "invalid_request_object", (name, found)
    assert "code" in answered(await door.ask(person.browser, request=tokens["request"]))


async def test_a_tenant_of_the_same_house_signs_for_itself_alone(kinds: tuple[Door, dict[str, str]]) -> None:
    """Every token of one tenant is rubbish at another under the same host, where clients and keys have the same names."""
    door, tokens = kinds
    for name, token in tokens.items():
        assert (await door.userinfo(token, base=RIVAL)).status == 401, name
        assert (await door.call("/oauth/introspect", auth="orders-api", base=RIVAL, token=token)).json() == {"active": False}, name
        form = {"grant_type": "refresh_token", "refresh_token": "x", "client_assertion_type": TYPE, "client_assertion": token}
        answer = await door.calls.post(f"{RIVAL}/oauth/token", form=form)
        assert answer.json()["error"] == "invalid_client", name


# ------------------------------------------------------------------ keys and algorithms


async def test_a_public_key_is_no_secret_of_the_client(keyed: Door) -> None:
    """RFC 8725, 2.1: `none`, and an HMAC with whatever of the registered public key an attacker can spell, in assertion and request alike."""
    await keyed.change("shop", jwks=jwks(KEY, RSA))
    person = await keyed.person()
    for key in (KEY, RSA):
        jwk = msgspec.json.encode(key.public.jwk)
        pem = load_der_private_key(key.dump(), None).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for secret in (jwk, pem, pem.strip(), json.dumps(json.loads(jwk)).encode(), jwks(key).encode(), b"shop"):
            header = {"alg": "HS256", "kid": json.loads(jwk).get("kid"), "typ": "JWT"}
            assert (await as_shop(keyed, forged(header, about_shop(keyed), secret))).json()["error"] == "invalid_client"
            request = forged(header, {"iss": "shop", "aud": BASE, **asked("shop")}, secret)
            assert answered(await keyed.ask(person.browser, request=request))["error"] == "invalid_request_object"
    for alg in ("none", "None", "NONE", "nOnE", "", "HS512", "ES256K", "RS1", "HS256"):
        assert (await as_shop(keyed, forged({"alg": alg}, about_shop(keyed)))).json()["error"] == "invalid_client", alg


async def test_a_shared_secret_is_no_key_for_anything_else(door: Door) -> None:
    """client_secret_jwt takes HS256 with the client's own secret: not another's, not the empty one, not our public key, not a key in the header, not ES256."""
    await door.set("registration", auth_methods=["client_secret_jwt"])
    made = await desk(door).made(token_endpoint_auth_method="client_secret_jwt")
    own, known = made["client_secret"].encode(), {"iss": made["client_id"], "sub": made["client_id"]}
    public = (await door.calls.get("/oauth/jwks")).body
    good = forged({"alg": "HS256"}, about_shop(door) | known, own)
    assert (await as_shop(door, good, grant_type="authorization_code", code="x")).json()["error"] == "invalid_grant"
    assert (await as_shop(door, good)).json()["error"] == "invalid_client"
    thief = msgspec.json.encode(THIEF.public.jwk)
    bad = [
        *(forged({"alg": "HS256"}, about_shop(door) | known, secret) for secret in (b"\0", b"null", own[:-1], public, thief, SECRET.encode())),
        forged({"alg": "HS384"}, about_shop(door) | known, own),
        forged({"alg": "none"}, about_shop(door) | known),
        forged({"alg": "HS256", "jwk": {"kty": "oct", "k": b64(b"x" * 32)}}, about_shop(door) | known, b"x" * 32),
        jose.encode_jwt(THIEF, about_shop(door) | known, "JWT"),
        forged({"alg": "HS256"}, about_shop(door), own),
    ]
    for token in bad:
        assert (await as_shop(door, token)).json()["error"] == "invalid_client", token


LURES: Final[tuple[dict[str, object], ...]] = (
    {"jku": f"{EVIL}/jwks"},
    {"x5u": f"{EVIL}/certificate"},
    {"jku": f"{EVIL}/jwks", "kid": "thief"},
    {"jwk": msgspec.to_builtins(THIEF.public.jwk)},
    {"jwk": msgspec.to_builtins(THIEF.public.jwk), "kid": THIEF.public.kid},
    {"jwk": msgspec.to_builtins(THIEF.public.jwk), "kid": KEY.kid},
    {"x5c": [base64.b64encode(b"\x30\x00").decode()]},
    {"kid": "../../../../dev/null"},
    {"kid": "/proc/sys/kernel/randomize_va_space"},
    {"kid": "' UNION SELECT 'c2VjcmV0"},
    {"kid": "x\x00y"},
    {"kid": "k" * 600},
    {"kid": f"{EVIL}/key"},
    {"kid": ""},
    {"crit": ["jku"], "jku": f"{EVIL}/jwks"},
    {"b64": False, "crit": ["b64"]},
)


async def test_a_header_leads_nobody_anywhere(keyed: Door, outside: list[str]) -> None:
    """RFC 8725, 3.10: keys and addresses in a header count for nothing and are not gone to; a `kid` is a name in a dict and no path, address or SQL."""
    person = await keyed.person()
    for lure in LURES:
        header = {"alg": "ES256", "typ": "JWT", **lure}
        for typ, said in (("JWT", about_shop(keyed)), ("oauth-authz-req+jwt", {"iss": "shop", "aud": BASE, **asked("shop")})):
            token = signed_by_thief({**header, "typ": typ}, said)
            assert (await as_shop(keyed, token)).json()["error"] == "invalid_client", lure
            assert answered(await keyed.ask(person.browser, request=token))["error"] == "invalid_request_object", lure
            assert answered(await keyed.ask(person.browser, id_token_hint=token))["error"] == "invalid_request", lure
        dates = {"iat": now(keyed), "exp": now(keyed) + 60}
        said = {"iss": BASE, "sub": person.account, "client_id": "shop", "scope": "openid", "aud": BASE, "jti": "tok_1", **dates}
        access = signed_by_thief({**header, "typ": "at+jwt"}, said)
        assert (await keyed.userinfo(access)).status == 401, lure
    assert outside == []


# ------------------------------------------------------------------ mix-up


async def test_every_answer_says_whose_it_is(keyed: Door) -> None:
    """RFC 9207, 2 and 2.4: `iss` is in every answer, error or not, by whatever way, and each tenant of the house has its own."""
    for base, tenant in ((BASE, ACME), (RIVAL, TenantId("rival"))):
        person = await keyed.person(tenant=tenant)
        for mode in ("query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt", "jwt"):
            for scope, member in (("openid", "code"), ("admin", "error")):
                answer = await keyed.ask(person.browser, "spa", base=base, response_mode=mode, scope=scope)
                given = parameters(answer)
                said = dict(jose.peek(given["response"]).claims) if mode.endswith("jwt") else given
                assert (said["iss"], member in said) == (base, True), (base, mode, scope)
                if mode.endswith("jwt"):
                    assert (said["aud"], "iss" in given) == ("spa", False)
                    assert 0 < int(str(said["exp"])) - now(keyed) <= 600


def parameters(answer: Any) -> dict[str, str]:
    """Return what an app gets, whichever way it came."""
    if answer.status == 200:
        (form,) = answer.forms()
        return dict(form.fields)
    parts = urlsplit(answer.location)
    return {name: values[0] for name, values in parse_qs(parts.fragment or parts.query).items()}


# ------------------------------------------------------------------ addresses

BENT: Final = (
    "{}@evil.example",
    "{}\\@evil.example",
    "{}/../../evil",
    "{}/%2e%2e/evil",
    "{}%2f..%2fevil",
    "{}#{}",
    "{}\t",
    " {}",
    "{}\x00",
    "{},https://evil.example",
    "{} https://evil.example",
    "{};x",
    "{}&code=x",
)
SWAPPED: Final = (
    ("shop.example", "shop.example."),
    ("shop.example", "SHOP.example"),
    ("shop.example", "shop.example:443"),
    ("shop.example", "shop.example:8443"),
    ("shop.example", "shop.example.evil.example"),
    ("shop.example", "evil.example\\.shop.example"),
    ("shop.example", "evil.example%00.shop.example"),
    ("shop.example", "evil.example?.shop.example"),
    ("shop.example", "evil.example/.shop.example"),
    ("shop.example", "shop@shop.example"),
    ("shop.example", "\u0455hop.example"),
    ("shop.example", "xn--hop-i8d.example"),
    ("shop.example", "sho\u200bp.example"),
    ("https://", "http://"),
    ("https://", "HTTPS://"),
    ("https://", "https:///"),
    ("https://", "//"),
    ("https://", "javascript://"),
    ("https://", "https:/\\"),
)


def bent(uri: str) -> list[str]:
    """Return everything that looks like a registered address to somebody."""
    return [*(one.format(uri, uri) for one in BENT), *(uri.replace(old, new, 1) for old, new in SWAPPED)]


async def test_no_bent_address_is_gone_back_to(door: Door) -> None:
    """RFC 9700, 4.1.3: user parts, backslashes, steps, ports, dots, letters that look alike: compared letter by letter, at the page and when pushed."""
    person = await door.person()
    for uri in bent(CALLBACK):
        answer = await door.ask(person.browser, redirect_uri=uri)
        assert (answer.status, answer.headers.get("location")) == (400, None), uri
        pushed = await door.call("/oauth/par", auth="shop", **asked("shop", redirect_uri=uri))
        assert pushed.status == 400, uri
    doubled = f"/oauth/authorize?{urlencode(asked())}&{urlencode({'redirect_uri': EVIL})}"
    for query in (doubled, doubled.replace("redirect_uri=https%3A%2F%2Fevil.example", "redirect_uri%5B%5D=x&client_id=old")):
        answer = await person.browser.get(query, follow=False)
        assert (answer.status, answer.headers.get("location")) == (400, None)
    code = await door.code(person)
    assert (await door.redeem(code, redirect_uri="https://shop.example/other")).json()["error"] == "invalid_grant"


def is_ours(answer: Any) -> bool:
    """Whether an answer leads nowhere but to a page of ours."""
    return urlsplit(answer.headers.get("location", BASE)).netloc in ("", urlsplit(BASE).netloc)


async def test_no_bent_address_is_gone_on_to_after_leaving(door: Door) -> None:
    """RP-Initiated Logout 1.0, 3; RFC 9700, 4.11: the browser ends at our own page, whoever asks and whatever hint comes along."""
    for uri in bent(BYE):
        person = await door.person()
        hint = (await door.tokens(person, scope="openid"))["id_token"]
        for query in ({"post_logout_redirect_uri": uri, "client_id": "shop"}, {"post_logout_redirect_uri": uri, "id_token_hint": hint}):
            answer = await person.browser.get(f"/oauth/logout?{urlencode(query)}", follow=False)
            assert answer.status in (303, 400), uri
            assert is_ours(answer), uri
        left = await door.browser().get(f"/oauth/logout?{urlencode({'post_logout_redirect_uri': uri, 'client_id': 'shop'})}", follow=False)
        assert is_ours(left), uri


async def test_a_sign_in_begun_here_ends_at_the_app(door: Door) -> None:
    """OpenID Connect Core 1.0, 4: `target_link_uri` is a parameter for the app to judge and never where the browser goes."""
    await door.change("shop", initiate_login_uri="https://shop.example/login")
    for target in (EVIL, f"//{EVIL[8:]}", "javascript:alert(1)", "x\r\nLocation: https://evil.example", "&iss=https://evil.example", "#"):
        answer = await door.browser().get(f"/oauth/initiate_login?{urlencode({'client_id': 'shop', 'target_link_uri': target})}", follow=False)
        parts = urlsplit(answer.location)
        assert (parts.scheme, parts.netloc, parts.path) == ("https", "shop.example", "/login"), target
        assert parse_qs(parts.query)["iss"] == [BASE]


# ------------------------------------------------------------------ memory


async def test_one_request_in_many_spellings_fills_no_memory(door: Door) -> None:
    """What a service's requests have in common is kept by their words, and long words are not kept: blanks by the kilobyte buy nothing."""
    client_credentials._PLANS.clear()
    for number in range(1, 6):
        answer = await door.token(auth="svc", grant_type="client_credentials", scope="read" + " " * (4_000 + number))
        assert answer.status == 200, answer.text
    assert (await door.token(auth="svc", grant_type="client_credentials", scope="read")).status == 200
    assert [key[2] for key in client_credentials._PLANS] == ["read"]


async def test_tokens_and_rubbish_by_the_thousand_fill_no_memory(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens whose signature was checked are kept up to a number, and what was never signed is not kept at all."""
    monkeypatch.setattr(bearer, "_MOST_GENUINE", 8)
    bearer._GENUINE.clear()
    for _ in range(12):
        good = (await door.token(auth="svc", grant_type="client_credentials", scope="read")).json()["access_token"]
        assert await door.active(good, "svc")
        assert not await door.active(good[:-8] + secrets.token()[:8], "svc")
        assert len(bearer._GENUINE) <= 8


# ------------------------------------------------------------------ two processes


async def test_what_was_used_in_one_process_is_used_up_in_the_other(keyed: Door) -> None:
    """A code, a pushed request, a client's assertion and a proof that a thief copies to another process of the same server give nothing there."""
    person, prover = await keyed.person(), Prover(clock=keyed.world.clock)
    async with beside(keyed) as other:
        code = await keyed.code(person)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        body = (await keyed.calls.post("/oauth/token", form={**form, **assertion(keyed)})).json()
        again = await other.calls.post("/oauth/token", form={**form, **assertion(keyed)})
        assert again.json()["error"] == "invalid_grant"
        assert (await other.userinfo(body["access_token"])).status == 401

        shown = assertion(keyed)
        pushed = await keyed.calls.post("/oauth/par", form={**asked("shop"), **shown})
        assert (await other.calls.post("/oauth/par", form={**asked("shop"), **shown})).status == 401
        way = f"/oauth/authorize?{urlencode({'client_id': 'shop', 'request_uri': pushed.json()['request_uri']})}"
        assert "code" in answered(await person.browser.get(way, follow=False))
        thief = Client(other.app, BASE)
        thief.jar = {host: dict(kept) for host, kept in person.browser.jar.items()}
        assert (await thief.get(way, follow=False)).status == 400
        beside_it = f"{way}&{urlencode({'redirect_uri': CALLBACK})}"
        assert answered(await thief.get(beside_it, follow=False))["error"] == "invalid_request_uri"

        proof = prover.proof("POST", f"{BASE}/oauth/token")
        service = {"grant_type": "client_credentials", "scope": "read"}
        headers = {"authorization": basic("svc", SECRET), "dpop": proof}
        assert (await keyed.calls.post("/oauth/token", form=service, headers=headers)).status == 200
        stolen = await other.calls.post("/oauth/token", form=service, headers=headers)
        assert (stolen.status, stolen.json()["error"]) == (400, "invalid_dpop_proof")
        elsewhere = await other.calls.post("/oauth/par", form=asked("spa"), headers={"dpop": proof})
        assert (elsewhere.status, elsewhere.json()["error"]) == (400, "invalid_dpop_proof")


async def test_a_refresh_token_copied_to_another_process_ends_the_thiefs_way_too(door: Door) -> None:
    """RFC 9700, 4.14.2: whoever of owner and thief is second, in whichever process, ends all that either of them has, access tokens too."""
    async with beside(door) as other:
        for owner, thief in ((door, other), (other, door)):
            person = await door.person()
            stolen = (await door.tokens(person))["refresh_token"]
            first = (await thief.refresh(stolen)).json()
            used = (await thief.refresh(first["refresh_token"])).json()
            assert (await owner.refresh(stolen)).json()["error"] == "invalid_grant"
            assert (await thief.refresh(used["refresh_token"])).json()["error"] == "invalid_grant"
            for process in (owner, thief):
                for token in (first["access_token"], used["access_token"]):
                    assert (await process.userinfo(token)).status == 401


# ------------------------------------------------------------------ numbers


async def test_numbers_beyond_all_clocks_are_refused(keyed: Door) -> None:
    """Dates of the size of the universe, of no size and of other types: an error of the client's, and none of ours, wherever a JWT is read."""
    person = await keyed.person()
    extremes: tuple[object, ...] = (1e308, -1e308, 2**63, -(2**63), 10**400, 0, 0.5, True, "1", [], {})
    for odd in extremes:
        for name in ("exp", "nbf", "iat"):
            token = signed_by(KEY, {"alg": "ES256", "typ": "JWT", "kid": KEY.kid}, {**about_shop(keyed), name: odd})
            assert (await as_shop(keyed, token)).status in (400, 401), (name, odd)
            said = {"iss": "shop", "aud": BASE, **asked("shop"), name: odd}
            request = signed_by(KEY, {"alg": "ES256", "typ": "oauth-authz-req+jwt", "kid": KEY.kid}, said)
            assert (await keyed.ask(person.browser, request=request)).status == 303, (name, odd)
        prover = Prover(clock=keyed.world.clock)
        headers = {"authorization": basic("svc", SECRET), "dpop": prover.proof("POST", f"{BASE}/oauth/token", iat=odd)}
        refused = await keyed.calls.post("/oauth/token", form={"grant_type": "client_credentials"}, headers=headers)
        assert (refused.status, refused.json()["error"]) == (400, "invalid_dpop_proof"), odd
