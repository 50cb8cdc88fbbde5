"""What the answer to a form leaves for the page after it: what was wrong, with what was typed, or that all is well.

A POST answers 303, so its page has to learn this another way. It travels sealed in cookie `e`, for that one page of that one session, is shown
once and gone: a reload says nothing twice, and nothing is written for a mistake.
"""

from __future__ import annotations

import binascii
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from limen.kernel.secrets import Secret
from limen.platform.crypto import KeyringError, Place, Unsealable
from limen.platform.http.answers import SeeOther, SetCookie, drop_cookie
from limen.platform.pages import Message

if TYPE_CHECKING:
    from limen.platform.http.call import Call

ECHO: Final = "e"
"""Name of the cookie."""

_KEPT_FOR: Final = 60
_ROOM: Final = 1_440
"""Octets sealed at most, so that the cookie fits its bound."""
_LONGEST: Final = 512
_INFLATED: Final = 65_536

Said = Mapping[str, str | Message]


class Echo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was left: `errors` by field and `typed` as it stood in the form, or a `remark` that it worked."""

    remark: Message | None = None
    errors: Mapping[str, Message] = {}
    typed: Mapping[str, str] = {}

    @property
    def values(self) -> dict[str, object]:
        """What a page takes into its `values`."""
        return {"errors": dict(self.errors), "remarks": (self.remark,) if self.remark else ()}

    @property
    def cookies(self) -> tuple[SetCookie, ...]:
        """What a page takes into its `cookies`, so that this is said once."""
        return () if self == _NOTHING else (drop_cookie(ECHO),)


_NOTHING: Final = Echo()
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Echo).decode


def say(call: Call, path: str, *, remark: str | Message | None = None, errors: Said | None = None, typed: Mapping[str, str] | None = None) -> SeeOther:
    """Answer a form: 303 to a page of the tenant (`path`, a query may follow), which then `hear`s this. The longest text is left out where not all fit."""
    kept = {name: text[:_LONGEST] for name, text in (typed or {}).items()}
    said = Echo(_message(remark) if remark else None, {name: _message(text) for name, text in (errors or {}).items()}, kept)
    while len(octets := zlib.compress(_encode(said), 9)) > _ROOM and kept:
        kept.pop(max(kept, key=lambda name: len(kept[name].encode())))
        said = msgspec.structs.replace(said, typed=kept)
    sealed = call.db.keyring.seal(octets, _place(call, path.partition("?")[0]))
    return SeeOther(path, (SetCookie(ECHO, Secret(urlsafe_b64encode(sealed).rstrip(b"=").decode()), _KEPT_FOR),))


def hear(call: Call) -> Echo:
    """Return what was left for this page; nothing in most calls. Pages put its `values` and `cookies` into their own."""
    brought = call.cookies.get(ECHO)
    if brought is None:
        return _NOTHING
    try:
        sealed = urlsafe_b64decode(f"{brought.reveal()}==")
        octets = call.db.keyring.open(sealed, _place(call, call.path.removeprefix(call.site.prefix)))
        return _decode(zlib.decompressobj().decompress(octets, _INFLATED))
    except (Unsealable, KeyringError, binascii.Error, zlib.error, msgspec.DecodeError, ValueError):
        return _NOTHING


def _place(call: Call, path: str) -> Place:
    return Place("browser", "echo", call.tenant, f"{call.session or ''} {path}")


def _message(text: str | Message) -> Message:
    return text if isinstance(text, Message) else Message(text)
