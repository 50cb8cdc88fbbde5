"""How an answer travels back to the app: `response_mode` (OAuth 2.0 Multiple Response Type Encoding Practices; Form Post Response Mode; JARM)."""

from __future__ import annotations

from typing import Final

from limen.modules.clients import Client
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.model import CODE, Asked

JWT: Final = "jwt"
PLAIN: Final = ("query", "fragment", "form_post")
MODES: Final = (*PLAIN, *(f"{one}.jwt" for one in PLAIN), JWT)


def of(asked: Asked, client: Client) -> str:
    """Return the mode a request's answer has: as asked, or what its response type and client usually have. Never the shorthand `jwt`."""
    usual = "fragment" if not asked.types <= {CODE} and " ".join(sorted(asked.types)) in client.types else "query"
    mode = asked.response_mode
    if mode in ("", JWT):
        signed = mode == JWT or client.authorization_signed_response_alg is not None
        return f"{usual}.jwt" if signed else usual
    return mode if mode in MODES else usual


def is_signed(mode: str) -> bool:
    """True if the answer is one JWT (JARM, section 2.3)."""
    return mode.endswith(f".{JWT}")


def fault(asked: Asked, client: Client) -> Refused | None:
    """Return why a request's mode will not do."""
    mode = asked.response_mode
    if mode and mode not in MODES:
        return Refused(Code.INVALID_REQUEST, f"The response_mode is of {', '.join(MODES)}.", "response_mode")
    effective = of(asked, client)
    if effective.startswith("query") and not asked.types <= {CODE} and not (effective == "query.jwt" and client.authorization_encrypted_response_alg):
        return Refused(Code.INVALID_REQUEST, "Tokens do not travel in a query: leave response_mode out.", "response_mode")
    if client.fapi and client.authorization_signed_response_alg is not None and not is_signed(effective):
        return Refused(Code.INVALID_REQUEST, "This client's answers are signed: response_mode is jwt.", "response_mode")
    return None
