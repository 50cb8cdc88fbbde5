"""What a device's request is, and the code a person types for it."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Final

import msgspec

from limen.kernel import secrets
from limen.modules.clients import Client
from limen.modules.journey import Ask, Elsewhere
from limen.modules.oauth.model import Asked

DEVICE_PREFIX: Final = "lmn_dc_"
"""Scanners of leaked secrets know it."""
INTERVAL: Final = 5
"""Seconds between two questions of a device, and by how many they grow when it does not wait (RFC 8628, sections 3.2 and 3.5)."""
LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no word comes of them, and no two that look alike (section 6.1)."""
USUAL: Final = 8
LONGER: Final = 10
"""Letters of a code; why there are two numbers is told in `guessing`."""

_LONGEST_TYPED: Final = 64


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a device asks, and where it was when it asked. Sealed: the address is somebody's."""

    asked: Asked
    address: str
    at: datetime


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """A code that was typed in a browser: for which request, and when."""

    digest: bytes
    code: str
    near: bool
    at: datetime


def draw(letters: int) -> str:
    """Return a fresh user code."""
    return secrets.letters(LETTERS, letters)


def read(typed: str) -> str:
    """Return the code somebody typed, in whatever case and with whatever between the letters (section 6.1); empty where it is none."""
    plain = unicodedata.normalize("NFKC", typed[:_LONGEST_TYPED]).upper()
    code = "".join(letter for letter in plain if letter.isalnum())
    return code if len(code) in (USUAL, LONGER) and not set(code) - set(LETTERS) else ""


def shown(code: str) -> str:
    """Return a code as people read it: in two halves."""
    half = len(code) // 2
    return f"{code[:half]}-{code[half:]}"


def ask_of(client: Client, request: Request, entered: Entered, details: tuple[str, ...] = ()) -> Ask:
    """Return what steps may know of a device's request. Whatever was allowed before, the person is asked: it may be another device this time."""
    return Ask(
        client=client.id,
        scopes=request.asked.scopes,
        acr_values=client.default_acr_values,
        max_age=client.default_max_age,
        prompt=frozenset({"consent"}),
        details=details,
        elsewhere=Elsewhere(code=shown(entered.code), address=request.address, near=entered.near, at=request.at),
    )
