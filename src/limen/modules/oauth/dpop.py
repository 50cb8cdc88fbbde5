"""DPoP proofs (RFC 9449): a JWT with which a client shows, request by request, that it has the key its tokens are bound to.

`read` checks all that a proof says by itself (section 4.3) and changes nothing. Whether its nonce is ours (`nonces`) and whether it came
before (`replays`) is asked after that, and the client is somebody's to prove.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from limen.kernel import secrets
from limen.modules.oauth.errors import Code, Refused
from limen.platform.wire.jose import (
    Alg,
    BadKey,
    BadSignature,
    Early,
    Expired,
    JoseError,
    Jwt,
    Unsupported,
    UnsupportedAlgorithm,
    VerifyKey,
    b64url,
    check_times,
    verify_jwt_by_embedded_key,
)

HEADER: Final = b"dpop"
SCHEME: Final = "DPoP"
ALGORITHMS: Final = tuple(alg for alg in Alg if alg.value in {"ES256", "PS256", "RS256", "Ed25519", "EdDSA"})
"""All that proofs may be signed with: asymmetric, every one."""
FAPI_ALGORITHMS: Final = tuple(alg for alg in ALGORITHMS if alg is not Alg.RS256)
"""And those of a FAPI client (FAPI 2.0, section 5.4.1)."""
LONGEST: Final = 8_192
"""Octets of a proof."""

_TYPE: Final = ("dpop+jwt",)
_LONGEST_JTI: Final = 256
_CLOCKS: Final = timedelta(minutes=1)
"""The clocks of our own processes do not lie further apart."""


class Shown(msgspec.Struct, frozen=True):
    """The request that a proof came with."""

    method: str
    url: str
    """The endpoint's own address, as it is told to the world: never made of what the request says of its host."""
    now: datetime
    window: timedelta
    """How old a proof may be."""
    token: str | None = None
    """The access token beside it, at a protected resource."""


class Proof(msgspec.Struct, frozen=True):
    """A proof in which everything fits, but for nonce and novelty."""

    jkt: str
    """The thumbprint of its key (RFC 7638)."""
    jti: str
    url: str
    until: datetime
    """From then on it is too old for every process."""
    nonce: str | None
    alg: Alg

    @property
    def owner(self) -> str:
        """Within what its `jti` is unique: the key and the address (section 11.1)."""
        return f"{self.jkt} {self.url}"


class _Claims(msgspec.Struct, frozen=True):
    jti: str
    htm: str
    htu: str
    iat: int | float
    ath: str | None = None
    nonce: str | None = None


def _wrong(why: str, reason: str) -> Refused:
    return Refused(Code.INVALID_DPOP_PROOF, why, f"dpop_{reason}")


_MALFORMED: Final = _wrong("The DPoP header holds one proof, a compact JWT, and there is one such header (RFC 9449, section 4.3).", "malformed")
_TYP: Final = _wrong("The proof's header says typ dpop+jwt, and nothing critical that is unknown here.", "typ")
_ALG: Final = _wrong(f"The proof is signed with one of {', '.join(alg.value for alg in ALGORITHMS)}.", "alg")
_KEY: Final = _wrong("The proof's jwk is one public key for its alg; an RSA key has at least 2048 bits.", "key")
_SIGNATURE: Final = _wrong("The proof's signature is not of the key in its jwk.", "signature")
_CLAIMS: Final = _wrong(f"The proof has jti (1 to {_LONGEST_JTI} characters), htm, htu and iat, each of its type.", "claims")
_METHOD: Final = _wrong("The proof's htm is not the method of this request.", "htm")
_ADDRESS: Final = _wrong("The proof's htu is not the address of this endpoint, without query and fragment.", "htu")
_OLD: Final = _wrong("The proof is too old: make one for each request.", "old")
_EARLY: Final = _wrong("The proof comes from the future: its maker's clock is ahead.", "early")
_NO_ATH: Final = _wrong("The proof beside an access token has its SHA-256 as ath.", "ath_missing")
_ATH: Final = _wrong("The proof's ath is of another access token.", "ath")
MISSING: Final = _wrong("The client's tokens are bound to a key: send a proof in the DPoP header.", "missing")
REPLAYED: Final = _wrong("The proof was used before: make one for each request, with a jti of its own.", "replayed")
NOT_FAPI: Final = _wrong(f"The client's profile takes proofs by {', '.join(alg.value for alg in FAPI_ALGORITHMS)} (FAPI 2.0, section 5.4.1).", "alg")
ANOTHER_KEY: Final = _wrong("The proof is by another key than dpop_jkt names.", "another_key")
NEEDS_NONCE: Final = Refused(Code.USE_DPOP_NONCE, "Put the nonce of the DPoP-Nonce header into the proof and ask again.", "dpop_nonce")


def read(text: str, shown: Shown) -> Proof | Refused:
    """Return what a DPoP header proves, by its own words, or what is wrong with it."""
    opened = _opened(text)
    if isinstance(opened, Refused):
        return opened
    jwt, key = opened
    try:
        claims = jwt.into(_Claims)
        check_times(jwt, shown.now, needs_exp=False)
    except Expired:
        return _OLD
    except Early:
        return _EARLY
    except JoseError:
        return _CLAIMS
    wrong = _misfit(claims, shown)
    if wrong is not None:
        return wrong
    left = shown.window.total_seconds() - (shown.now.timestamp() - claims.iat)
    return Proof(key.thumbprint, claims.jti, shown.url, shown.now + timedelta(seconds=left) + _CLOCKS, claims.nonce, key.alg) if left >= 0 else _OLD


def _opened(text: str) -> tuple[Jwt, VerifyKey] | Refused:
    """Return a proof's claims and the key in its header, which signed it."""
    try:
        jwt = verify_jwt_by_embedded_key(text, ALGORITHMS, typ=_TYPE, limit=LONGEST)
    except BadKey:
        return _KEY
    except UnsupportedAlgorithm:
        return _ALG
    except Unsupported:
        return _TYP
    except BadSignature:
        return _SIGNATURE
    except JoseError:
        return _MALFORMED
    return (jwt, jwt.key) if isinstance(jwt.key, VerifyKey) else _KEY


def _misfit(claims: _Claims, shown: Shown) -> Refused | None:
    """Return what of a proof does not fit the request it came with."""
    if not 0 < len(claims.jti) <= _LONGEST_JTI:
        return _CLAIMS
    if claims.htm != shown.method:
        return _METHOD
    if claims.htu != shown.url and not _same_address(claims.htu, shown.url):
        return _ADDRESS
    if shown.token is None:
        return None
    if claims.ath is None:
        return _NO_ATH
    return None if secrets.same(claims.ath.encode("utf-8", "surrogatepass"), hash_of(shown.token)) else _ATH


def hash_of(token: str) -> bytes:
    """Return `ath` of an access token (section 4.2)."""
    return b64url(hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest())


_LETTERS: Final = r"[A-Za-z0-9\-._~!$&'()*+,;=:/%@]"
_ADDRESS_PARTS: Final = re.compile(
    rf"(?P<scheme>https?)://(?P<host>[A-Za-z0-9\-._]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]*))?(?P<path>/{_LETTERS}*)?(?:[?#].*)?", re.IGNORECASE
)
_ESCAPE: Final = re.compile(r"%(?P<code>[0-9A-Fa-f]{2})?")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def _same_address(htu: str, url: str) -> bool:
    found = normal(htu)
    return found is not None and found == _normal_own(url)


def normal(url: str) -> str | None:
    """Return an http(s) address in the one form of RFC 3986, sections 6.2.2 and 6.2.3, without query and fragment; None if it is none.

    What nobody puts into an endpoint's address, and parsers read in different ways, makes it none: a user, escapes in the host, a backslash.
    """
    parts = _ADDRESS_PARTS.fullmatch(url)
    if parts is None or not url.isascii():
        return None
    path = parts["path"] or "/"
    if "%" in path and any(escape["code"] is None for escape in _ESCAPE.finditer(path)):
        return None
    scheme, port = parts["scheme"].lower(), parts["port"] or ""
    named = f":{port}" if port and port != _DEFAULT_PORTS[scheme] else ""
    return f"{scheme}://{parts['host'].lower()}{named}{_without_dots(_ESCAPE.sub(_shortest, path))}"


@lru_cache(maxsize=1_024)
def _normal_own(url: str) -> str | None:
    return normal(url)


def _shortest(escape: re.Match[str]) -> str:
    """RFC 3986, sections 6.2.2.1 and 6.2.2.2."""
    letter = chr(int(escape["code"], 16))
    return letter if letter in _UNRESERVED else escape[0].upper()


def _without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4."""
    if "/." not in path:
        return path
    segments = path.split("/")[1:]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)
