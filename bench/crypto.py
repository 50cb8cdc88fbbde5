"""Microseconds of CPU per cryptographic step, best of five: `python bench/crypto.py`. Figures vary by some 20 % between runs."""

from __future__ import annotations

import asyncio
import platform
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from limen.app.checking import is_optimised
from limen.kernel import secrets
from limen.kernel.clock import SystemClock
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId, TenantId
from limen.modules import keys
from limen.modules.keys.service.signing import SIGNING
from limen.platform.crypto import Box, Keyring, KeyringSettings, Place, hash_password, new_key, verify_password
from limen.platform.sql import definitions, open_database
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, DecryptionKey, Enc, EncryptionKey, KeyAlg, KeySet, SigningKey

ROUNDS = 5
PLACE = Place("profiles", "claims", "acme", "acc_01jd8z6n5t3v7x9c1b3n5m7q9s")


class Claims(msgspec.Struct):
    iss: str = "https://id.example.com/t/acme"
    sub: str = "acc_01jd8z6n5t3v7x9c1b3n5m7q9s"
    aud: str = "https://api.acme.example"
    client_id: str = "shop"
    scope: str = "openid profile email read"
    iat: int = 1_772_323_200
    exp: int = 1_772_323_800
    jti: str = "tok_01jd8z6n5t3v7x9c1b3n5m7q9s"


def us(call: Callable[[], object], count: int) -> float:
    """CPU of this process, so that hashing's own threads would count too."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(count):
            call()
        best = min(best, time.process_time() - began)
    return best / count * 1e6


async def us_async(call: Callable[[], Awaitable[object]], count: int) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(count):
            await call()
        best = min(best, time.process_time() - began)
    return best / count * 1e6


def show(what: str, figure: float) -> None:
    print(f"{what:<48}{figure:>12.2f} us")


def boxes(keyring: Keyring) -> None:
    key, plain = new_key(), secrets.octets(40)
    box = Box(key)
    sealed, wrapped = box.seal(plain, PLACE), keyring.epoch_wrap(key, PLACE)
    show("make a box", us(lambda: Box(key), 50_000))
    show("seal 40 octets", us(lambda: box.seal(plain, PLACE), 50_000))
    show("open 40 octets", us(lambda: box.open(sealed, PLACE), 50_000))
    show("wrap a subject's key under the epoch", us(lambda: keyring.epoch_wrap(key, PLACE), 50_000))
    show("unwrap it and make its box", us(lambda: Box(keyring.epoch_unwrap(wrapped, PLACE)), 50_000))


def tokens() -> None:
    encode, claims = msgspec.json.Encoder().encode, Claims()
    for alg, count in ((Alg.ES256, 5_000), (Alg.ED25519, 5_000), (Alg.RS256, 300)):
        key = SigningKey.generate(alg)
        keyset = KeySet([key.public])
        token = jose.encode(key, encode(claims), "at+jwt")
        show(f"{alg.value}: bare signature", us(lambda key=key: key.sign(b"x" * 300), count))  # type: ignore[misc] # a lambda with a default
        show(f"{alg.value}: claims to compact JWS", us(lambda key=key: jose.encode(key, encode(claims), "at+jwt"), count))  # type: ignore[misc] # likewise
        show(f"{alg.value}: verify, claims checked", us(lambda t=token, k=keyset: jose.verify_jwt(t, k, typ={"at+jwt"}), min(count, 2_000)))  # type: ignore[misc] # likewise


def proofs() -> None:
    """A DPoP proof by the key it brings: one whose key was seen, and one whose key was not."""
    key = SigningKey.generate(Alg.ES256)
    members = {name: value for name, value in msgspec.to_builtins(key.public.jwk).items() if name in {"kty", "crv", "x", "y"}}
    claims = {"jti": "-BwC3ESc6acc2lTc", "htm": "POST", "htu": "https://id.example.com/t/acme/oauth/token", "iat": 1_772_323_200}
    heads = [{"typ": "dpop+jwt", "alg": "ES256", "jwk": members | {"n": str(number)}} for number in range(2_000)]
    tokens = []
    for head in heads:
        signed = jose.b64url(msgspec.json.encode(head)) + b"." + jose.b64url(msgspec.json.encode(claims))
        tokens.append(signed + b"." + jose.b64url(key.sign(signed)))
    fresh = iter(tokens * ROUNDS)
    show("DPoP proof, ES256, key at first sight", us(lambda: jose.verify_jwt_by_embedded_key(next(fresh), {Alg.ES256}, typ={"dpop+jwt"}), 400))
    show("DPoP proof, ES256, key seen before", us(lambda: jose.verify_jwt_by_embedded_key(tokens[0], {Alg.ES256}, typ={"dpop+jwt"}), 2_000))


def messages() -> None:
    for alg in (KeyAlg.RSA_OAEP_256, KeyAlg.ECDH_ES):
        key = DecryptionKey.generate(alg)
        public = EncryptionKey(key.public, alg, key.kid)
        message = jose.encrypt(b"x" * 600, public, Enc.A256GCM)
        show(f"{alg.value}: encrypt 600 octets", us(lambda public=public: jose.encrypt(b"x" * 600, public, Enc.A256GCM), 500))  # type: ignore[misc] # a lambda with a default
        show(f"{alg.value}: open them", us(lambda m=message, k=key: jose.decrypt(m, (k,), algs=tuple(KeyAlg), encs=tuple(Enc)), 500))  # type: ignore[misc] # likewise


async def module(keyring: Keyring, folder: Path) -> None:
    db = await open_database(f"sqlite:///{folder / 'limen.db'}", keyring, SystemClock())
    for sql in definitions("sqlite"):
        await db.execute(sql)
    tenant, anna = TenantId("acme"), AccountId("acc_1")
    await keys.ensure(db, tenant, "ES256")
    async with db.work(tenant, SYSTEM) as work:
        await keys.new_subject(work, anna)
    async with db.read(tenant) as read:
        await keys.signer(read)
        await keys.prepare(db, tenant)
        show("keys.signer, warm", await us_async(lambda: keys.signer(read), 200_000))
        show("keys.jwks, warm", await us_async(lambda: keys.jwks(read), 200_000))
        show("keys.tenant_box, warm", await us_async(lambda: keys.tenant_box(read, SIGNING), 200_000))
        show("keys.blind", await us_async(lambda: keys.blind(read, keys.LOGGED, "email", "anna@example.com"), 100_000))
        show("keys.subject_box (SQLite)", await us_async(lambda: keys.subject_box(read, anna), 20_000))
    await db.close()


def passwords() -> None:
    stored = hash_password("correct horse battery staple")
    show("Argon2id: verify", us(lambda: verify_password(stored, "correct horse battery staple"), 5))


def main() -> None:
    """Print the table."""
    print(f"Python {platform.python_version()}, {'optimised' if is_optimised() else 'plain'} build")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keyring = Keyring.create(KeyringSettings(folder / "master.key", folder / "epochs"), environ={})
        boxes(keyring)
        tokens()
        proofs()
        messages()
        asyncio.run(module(keyring, folder))
    passwords()


if __name__ == "__main__":
    main()
