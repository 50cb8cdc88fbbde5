"""Keeps secrets and personal data out of logs: by the name of the key, and by the look of the value."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from limen.kernel.secrets import Secret

HIDDEN: Final = "[hidden]"

_KEYS: Final = frozenset({
    "access_token", "address", "assertion", "authorization", "birthdate", "client_assertion", "client_secret", "code", "code_verifier", "cookie", "csrf",
    "email", "family_name", "form", "given_name", "headers", "id_token", "id_token_hint", "identifier", "ip", "login_hint", "nickname", "nonce", "password",
    "phone", "phone_number", "preferred_username", "query", "recipient", "refresh_token", "secret", "state", "text", "to", "token", "url_query",
    "user_agent", "username", "verifier",
})  # fmt: skip
"""Keys whose values are never written, whatever they hold."""

_PARTS: Final = ("password", "secret", "token", "cookie", "email", "phone")
_SAFE: Final = frozenset({"token_type", "token_format", "tokens", "email_verified", "phone_verified"})

_MARKED: Final = re.compile(r"\blmn_[a-z0-9]{1,8}_[A-Za-z0-9_-]{6,}")
_JWT: Final = re.compile(r"\beyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){1,4}")
_MAIL: Final = re.compile(
    r"[^\s@<>\"'(),:;\[\]=/]{1,64}@[^\s@<>\"'(),:;\[\]=/?]+\.[^\s@<>\"'(),:;\[\]=/?.]+|[^\s@<>\"'(),:;\[\]=/]{1,64}(?:%40)[A-Za-z0-9.%-]+"
)
_QUERY: Final = re.compile(r"(?<=[\w/])\?[\w%.~+-]+=[^\s\"'<>]*")
_PASSWORD_IN_URL: Final = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)")
_DEEPEST: Final = 6


def clean(text: str) -> str:
    """Return a text with everything that looks like a token, an e-mail address, a password in an address or a query replaced."""
    if "://" in text:
        text = _PASSWORD_IN_URL.sub(HIDDEN, text)
    if "lmn_" in text:
        text = _MARKED.sub(HIDDEN, text)
    if "eyJ" in text:
        text = _JWT.sub(HIDDEN, text)
    if "?" in text:
        text = _QUERY.sub(f"?{HIDDEN}", text)
    if "@" in text or "%40" in text:
        text = _MAIL.sub(HIDDEN, text)
    return text


def _hides(key: str) -> bool:
    name = key.lower().replace("-", "_")
    return name not in _SAFE and (name in _KEYS or any(part in name for part in _PARTS))


def cleaned(value: object, depth: int = 0) -> object:
    """Return a value fit for a log, all the way down."""
    if isinstance(value, str):
        return clean(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (bytes, Secret)) or depth >= _DEEPEST:
        return HIDDEN
    if isinstance(value, Mapping):
        return {clean(str(key)): HIDDEN if _hides(str(key)) else cleaned(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [cleaned(inner, depth + 1) for inner in value]
    return clean(str(value))


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # structlog's own signature
    """Processor of structlog: the last before rendering, so that tracebacks and messages of libraries pass through it too."""
    for key, value in event.items():
        if not key.startswith("_"):
            event[key] = HIDDEN if _hides(key) else cleaned(value)
    return event
