"""Keys for encryption: somebody else's public ones, to write to them, and our own private ones, to read what was written to us.

None of them signs or checks anything, and no key for signatures comes in here.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from limen.platform.wire.jose.errors import BadKey, UnknownKey
from limen.platform.wire.jose.jwk import PublicJwk, coordinate, export, read_public, thumbprint
from limen.platform.wire.jose.keys import RSA_BITS
from limen.platform.wire.jose.keyset import LONGEST_KID, entries_of
from limen.platform.wire.jose.strict import JsonValue

if TYPE_CHECKING:
    from joserfc.jwk import Key


class KeyAlg(enum.Enum):
    """How the key of a message reaches its recipient (`alg`; RFC 7518, section 4.1). RSA1_5, passwords and `none` are not among them."""

    RSA_OAEP_256 = "RSA-OAEP-256"
    RSA_OAEP = "RSA-OAEP"
    """With SHA-1, as its name has it: for recipients that know no other."""
    ECDH_ES = "ECDH-ES"
    ECDH_ES_A128KW = "ECDH-ES+A128KW"
    ECDH_ES_A256KW = "ECDH-ES+A256KW"


class Enc(enum.Enum):
    """How the content is encrypted (`enc`; RFC 7518, section 5.1)."""

    A128CBC_HS256 = "A128CBC-HS256"
    A256CBC_HS512 = "A256CBC-HS512"
    A128GCM = "A128GCM"
    A256GCM = "A256GCM"


Public: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | x25519.X25519PublicKey
_Private: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

RSA_ALGS: Final = frozenset({KeyAlg.RSA_OAEP_256, KeyAlg.RSA_OAEP})
_OPERATIONS: Final = frozenset({"encrypt", "wrapKey", "deriveKey", "deriveBits"})


def serves(public: Public, alg: KeyAlg) -> bool:
    """Whether a key of this type is for that algorithm: RSA, or else P-256 or X25519."""
    return isinstance(public, rsa.RSAPublicKey) == (alg in RSA_ALGS)


class EncryptionKey:
    """Somebody's public key, pinned to one algorithm."""

    __slots__ = ("_theirs", "alg", "kid", "public")

    def __init__(self, public: Public, alg: KeyAlg, kid: str | None = None) -> None:
        """`kid` is what its owner calls it; BadKey if the key does not serve `alg`."""
        if not serves(public, alg) or (isinstance(public, ec.EllipticCurvePublicKey) and not isinstance(public.curve, ec.SECP256R1)):
            raise BadKey(f"the key does not serve {alg.value}")
        self.alg = alg
        self.kid = kid
        self.public = public
        self._theirs: Key | None = None

    def theirs(self) -> Key:
        """Return it as the library's own object, made once."""
        if self._theirs is None:
            self._theirs = library_key(self.public)
        return self._theirs

    def __repr__(self) -> str:
        return f"EncryptionKey({self.alg.value} {self.kid})"


class EncryptionKeys:
    """The keys of a JWK Set that somebody may be written to with."""

    __slots__ = ("_entries", "_picked")

    def __init__(self, entries: list[dict[str, JsonValue]]) -> None:
        self._entries = [entry for entry in entries if _is_for_encryption(entry)]
        self._picked: dict[KeyAlg, EncryptionKey] = {}

    @classmethod
    def parse(cls, raw: bytes) -> EncryptionKeys:
        """Read somebody else's JWK Set; BadKey if it is malformed, too large, or holds a private or symmetric key."""
        return cls(entries_of(raw))

    def pick(self, alg: KeyAlg) -> EncryptionKey:
        """Return the first key for that algorithm, those before all others that say they are for encryption; UnknownKey if there is none.

        A key that names its `alg` serves that one, another whatever its type fits; one that cannot be used is passed over.
        """
        found = self._picked.get(alg)
        if found is None:
            found = self._picked[alg] = self._first(alg)
        return found

    def _first(self, alg: KeyAlg) -> EncryptionKey:
        named = [entry for entry in self._entries if entry.get("alg") in (None, alg.value)]
        for entry in sorted(named, key=lambda entry: (entry.get("use") is None, entry.get("alg") is None)):
            try:
                kid = entry.get("kid")
                return EncryptionKey(_read_recipient(entry), alg, kid if isinstance(kid, str) else None)
            except BadKey:
                continue
        raise UnknownKey(f"the key set holds no key to encrypt with by {alg.value}")


class DecryptionKey:
    """A private key of our own. It reads by every algorithm its type fits; which of them are accepted is each reader's to say."""

    __slots__ = ("_private", "_theirs", "jwk", "kid", "public")

    def __init__(self, private: _Private, kid: str | None = None) -> None:
        """`kid` is the RFC 7638 thumbprint unless given. P-256, or RSA."""
        public = private.public_key()
        if isinstance(public, ec.EllipticCurvePublicKey) and not isinstance(public.curve, ec.SECP256R1):
            raise BadKey("a key on another curve than P-256 does not serve")
        plain = export(public)
        self.public = public
        self.kid = kid or thumbprint(plain)
        self.jwk: PublicJwk = msgspec.structs.replace(plain, kid=self.kid, use="enc")
        """As the world sees it, without `alg`, since it serves several."""
        self._private = private
        self._theirs: Key | None = None

    @classmethod
    def generate(cls, alg: KeyAlg) -> DecryptionKey:
        """Make a key that serves an algorithm; RSA takes up to a second: call it in a thread."""
        if alg in RSA_ALGS:
            return cls(rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS))
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def load(cls, der: bytes, kid: str | None = None) -> DecryptionKey:
        """Read what `dump` wrote and a box kept from change: an RSA key is not proved anew, which would cost 100 ms."""
        private = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(private, _Private):
            raise BadKey(operator="a stored key for encryption is of a kind Limen does not make")
        return cls(private, kid)

    def dump(self) -> bytes:
        """Return the private key as PKCS #8 DER, to be sealed at once."""
        return self._private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def theirs(self) -> Key:
        """Return it as the library's own object, made once: it spells out the numbers of an RSA key, which takes a while."""
        if self._theirs is None:
            self._theirs = library_key(self._private)
        return self._theirs

    def __repr__(self) -> str:
        return f"DecryptionKey({self.jwk.kty} {self.kid})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a DecryptionKey is not pickled")


def library_key(key: Public | _Private) -> Key:
    """Return a key as joserfc wants it, without having it read anew."""
    from joserfc.jwk import ECKey, OKPKey, RSAKey  # noqa: PLC0415 - 30 ms that only encryption costs

    if isinstance(key, (rsa.RSAPublicKey, rsa.RSAPrivateKey)):
        return RSAKey.import_key(key)
    if isinstance(key, x25519.X25519PublicKey):
        return OKPKey.import_key(key)
    return ECKey.import_key(key)


def _read_recipient(members: Mapping[str, JsonValue]) -> Public:
    kid = members.get("kid")
    if not (kid is None or (isinstance(kid, str) and len(kid) <= LONGEST_KID)):
        raise BadKey("`kid` is no text, or too long")
    if (members.get("kty"), members.get("crv")) == ("OKP", "X25519"):
        return x25519.X25519PublicKey.from_public_bytes(coordinate(members, "x"))
    public = read_public(members)
    if not isinstance(public, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        raise BadKey("a key of this type does not serve here")
    return public


def _is_for_encryption(members: Mapping[str, JsonValue]) -> bool:
    operations = members.get("key_ops")
    return members.get("use") in (None, "enc") and (
        operations is None or (isinstance(operations, list) and any(isinstance(one, str) and one in _OPERATIONS for one in operations))
    )
