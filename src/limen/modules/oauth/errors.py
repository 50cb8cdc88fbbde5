"""What the door answers when it refuses: a value with the specification's code and a sentence for the developer of the app."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class Code(enum.Enum):
    """Error codes, each where its specification defines it."""

    INVALID_REQUEST = "invalid_request"  # RFC 6749, 4.1.2.1 and 5.2
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    ACCESS_DENIED = "access_denied"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
    INVALID_SCOPE = "invalid_scope"
    SERVER_ERROR = "server_error"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    INVALID_CLIENT = "invalid_client"  # RFC 6749, 5.2
    INVALID_GRANT = "invalid_grant"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INTERACTION_REQUIRED = "interaction_required"  # OpenID Connect Core 1.0, 3.1.2.6
    LOGIN_REQUIRED = "login_required"
    ACCOUNT_SELECTION_REQUIRED = "account_selection_required"
    CONSENT_REQUIRED = "consent_required"
    REQUEST_NOT_SUPPORTED = "request_not_supported"
    REQUEST_URI_NOT_SUPPORTED = "request_uri_not_supported"
    REGISTRATION_NOT_SUPPORTED = "registration_not_supported"
    UNMET_AUTHENTICATION_REQUIREMENTS = "unmet_authentication_requirements"  # OpenID Connect Core Unmet Authentication Requirements 1.0
    INVALID_REQUEST_URI = "invalid_request_uri"  # RFC 9101, 7
    INVALID_REQUEST_OBJECT = "invalid_request_object"
    INVALID_AUTHORIZATION_DETAILS = "invalid_authorization_details"  # RFC 9396, 5
    INVALID_TARGET = "invalid_target"  # RFC 8707, 2
    INVALID_DPOP_PROOF = "invalid_dpop_proof"  # RFC 9449, 5
    USE_DPOP_NONCE = "use_dpop_nonce"
    AUTHORIZATION_PENDING = "authorization_pending"  # RFC 8628, 3.5
    SLOW_DOWN = "slow_down"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105
    UNKNOWN_USER_ID = "unknown_user_id"  # CIBA Core 1.0, 13
    MISSING_USER_CODE = "missing_user_code"
    INVALID_USER_CODE = "invalid_user_code"
    INVALID_BINDING_MESSAGE = "invalid_binding_message"
    TRANSACTION_FAILED = "transaction_failed"
    INVALID_TOKEN = "invalid_token"  # RFC 6750, 3.1  # noqa: S105
    INSUFFICIENT_SCOPE = "insufficient_scope"


@dataclass(frozen=True, slots=True)
class Refused:
    """A protocol refusal. `why` goes to the app's developer; `operator` (a reason code, no personal data) goes into the facts."""

    code: Code
    why: str
    operator: str = ""

    @property
    def reason(self) -> str:
        """The reason code of the fact."""
        return self.operator or self.code.value


class UnknownClient(LimenError):
    """An authorization request that names no client of this tenant: told on a page of ours, since there is nobody to tell it to."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "unknown_client"


class UnregisteredAddress(LimenError):
    """An authorization request to an address its client did not register: the browser is never sent there (RFC 9700, section 4.1)."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "unregistered_redirect_uri"


class UnreadableRequest(LimenError):
    """A pushed or signed request that cannot be read, of a client with several addresses and none beside it: there is nowhere to tell it."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "unreadable_request"


class NothingWaits(LimenError):
    """The request is finished, too old, or another browser's."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code: ClassVar[str] = "nothing_waits"
