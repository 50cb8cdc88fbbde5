"""What can be wrong with a token or a key. The texts name the trouble, never the content."""

from __future__ import annotations

from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class JoseError(LimenError):
    """The root of this package's errors: reading foreign input raises nothing else."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "invalid_token"


class Malformed(JoseError):
    """It is no compact JWS, or a part of it is not what the specification says."""

    code: ClassVar[str] = "malformed_token"


class Unsupported(JoseError):
    """Well-formed, but of a type, or with a critical extension, that is not accepted here."""

    code: ClassVar[str] = "unsupported_token"


class UnsupportedAlgorithm(Unsupported):
    """Made with an algorithm that is not accepted here, whatever the key."""

    code: ClassVar[str] = "unsupported_algorithm"


class UnknownKey(JoseError):
    """No key at hand has that `kid` with that `alg`; fetching the issuer's keys again may help."""

    code: ClassVar[str] = "unknown_key"


class BadSignature(JoseError):
    """The signature is not of that key over that content."""

    code: ClassVar[str] = "bad_signature"


class Undecipherable(JoseError):
    """An encrypted message that this key does not open, for whatever reason."""

    code: ClassVar[str] = "undecipherable_token"


class Expired(JoseError):
    """Its `exp` is past."""

    code: ClassVar[str] = "token_expired"


class Early(JoseError):
    """Its `nbf` or `iat` lies further ahead than clocks may differ."""

    code: ClassVar[str] = "token_not_yet_valid"


class BadKey(JoseError):
    """A JWK or JWK Set that cannot be used, or must not be (it holds a private key)."""

    code: ClassVar[str] = "invalid_key"


class BadCertificate(JoseError):
    """A certificate that cannot be read."""

    code: ClassVar[str] = "invalid_certificate"
