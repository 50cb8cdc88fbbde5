"""The messages there are: a table of values. Each is said once, in parts; its text and its HTML are both made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from limen.kernel.ids import AccountId
from limen.modules import keys
from limen.platform.pages import _m

EMAIL: Final = "email"
SMS: Final = "sms"
VOICE: Final = "voice"
PHONES: Final = frozenset({SMS, VOICE})
"""Channels that go to a telephone number."""
WINDOW: Final = timedelta(hours=1)
"""Over which messages to an address are counted."""
COUNTS: Final = keys.Indexed(
    name="notices.sends", fades=WINDOW, why="counts of messages to an address, of which only the index is known; they move to the new one when counted on"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Where a message goes. `address` is the stored one (of a telephone in E.164), never what somebody typed; `account` where there is one, for the log."""

    address: str
    channel: str = EMAIL
    account: AccountId | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """A paragraph; left out where one of the values it names (`{device}`) is empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of detail; left out like a paragraph. Lines that follow each other stand together."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """The code, alone on its line, so that people and phones can pick it up."""


@dataclass(frozen=True, slots=True)
class Button:
    """The link, under a label; left out where there is none."""

    label: str


@dataclass(frozen=True, slots=True)
class Small:
    """A paragraph in small print: what to do if it was not you."""

    text: str


Part = Say | Line | Code | Button | Small


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One kind of message. Texts are English and translated by `locales/`; `{service}`, `{when}`, `{device}` are always there to name.

    No subject holds a code: subjects show on locked screens.
    """

    subject: str
    preview: str
    """What a mail program shows beside the subject; it holds no code either."""
    parts: tuple[Part, ...]
    needs: frozenset[str] = frozenset()
    """The values the sender has to give."""
    short: str = ""
    """What a text message says, in one paragraph; empty: it goes by mail alone."""
    spoken: str = ""
    """What is said on the telephone, where it can be called out: `{digits}` is the code sign by sign."""

    def goes_by(self, channel: str) -> bool:
        """Whether there are words of it for a channel."""
        return bool({SMS: self.short, VOICE: self.spoken}.get(channel, self.subject))


_ASKED: Final = Line(_m("Asked for: {when}"))
_FROM: Final = Line(_m("From: {device}"))
_HAPPENED: Final = Line(_m("When: {when}"))
_NOT_YOU: Final = Small(
    _m("If this was not you, there is nothing to do: without the code nobody gets in. Never pass it on, whoever asks for it. We will never ask you for it.")
)
_CODE: Final = frozenset({"code", "minutes"})

NOTICES: Final[Mapping[str, Notice]] = {
    "sign_in_code": Notice(
        subject=_m("Your sign-in code for {service}"),
        preview=_m("The code is inside. It works once, for {lasts}."),
        parts=(
            Say(_m("Somebody, we hope you, wants to sign in to {service}. Enter this code on the page that asked for it:")),
            Code(),
            Say(_m("It works once, for {lasts}.")),
            _ASKED,
            _FROM,
            _NOT_YOU,
        ),
        short=_m("{code} is your code to sign in to {service}. It works once, for {lasts}. Never pass it on."),
        spoken=_m("This is {service}. Your code to sign in is: {digits}. Once more: {digits}. Never pass it on."),
        needs=_CODE,
    ),
    "sign_up_code": Notice(
        subject=_m("Confirm your e-mail address for {service}"),
        preview=_m("The code is inside. It works once, for {lasts}."),
        parts=(
            Say(_m("Welcome to {service}. To show that this address is yours, enter this code on the page that asked for it:")),
            Code(),
            Say(_m("It works once, for {lasts}.")),
            _ASKED,
            _FROM,
            Small(_m("If this was not you, there is nothing to do: without the code no account is made with your address. Never pass it on to anybody.")),
        ),
        short=_m("{code} is your code to make an account at {service}. It works once, for {lasts}. Never pass it on."),
        spoken=_m("This is {service}. Your code to make an account is: {digits}. Once more: {digits}. Never pass it on."),
        needs=_CODE,
    ),
    "recovery_code": Notice(
        subject=_m("Your code to get back into {service}"),
        preview=_m("The code is inside. It works once, for {lasts}."),
        parts=(
            Say(_m("Somebody, we hope you, cannot get into {service} and wants to choose a new password. Enter this code on the page that asked for it:")),
            Code(),
            Say(_m("It works once, for {lasts}.")),
            _ASKED,
            _FROM,
            _NOT_YOU,
        ),
        short=_m("{code} is your code to get back into {service}. It works once, for {lasts}. Never pass it on."),
        spoken=_m("This is {service}. Your code to get back in is: {digits}. Once more: {digits}. Never pass it on."),
        needs=_CODE,
    ),
    "unknown_address": Notice(
        subject=_m("There is no account for this address at {service}"),
        preview=_m("Somebody wanted to sign in with your address."),
        parts=(
            Say(_m("Somebody, perhaps you, wanted to sign in to {service} with this e-mail address. There is no account with it.")),
            Say(_m("You may have signed up with another address. If you have no account yet, you can make one here:")),
            Button(_m("Make an account")),
            _ASKED,
            _FROM,
            Small(_m("If this was not you, there is nothing to do. Nothing was made and nothing was changed.")),
        ),
        short=_m("Somebody, perhaps you, wanted to sign in to {service} with this number. There is no account with it. Nothing was changed."),
        needs=frozenset({"link"}),
    ),
    "already_registered": Notice(
        subject=_m("You already have an account at {service}"),
        preview=_m("Somebody wanted to make another one with your address."),
        parts=(
            Say(_m("Somebody, perhaps you, wanted to make an account at {service} with this e-mail address. You already have one. You can sign in here:")),
            Button(_m("Sign in")),
            Say(_m("If you have forgotten your password, you can sign in with a code and choose a new one.")),
            _ASKED,
            _FROM,
            Small(_m("If this was not you, there is nothing to do. Nothing was made and nothing was changed.")),
        ),
        short=_m("Somebody, perhaps you, wanted to make an account at {service} with this number. You already have one. Nothing was changed."),
        needs=frozenset({"link"}),
    ),
    "password_changed": Notice(
        subject=_m("Your password for {service} was changed"),
        preview=_m("If this was you, there is nothing to do."),
        parts=(
            Say(_m("The password of your account at {service} was changed. All other devices were signed out.")),
            _HAPPENED,
            _FROM,
            Say(_m("If this was you, there is nothing to do. If it was not, choose a new password now; whoever changed it is then signed out:")),
            Button(_m("This was not me")),
            Small(_m("We tell you of every such change. You cannot switch this message off.")),
        ),
        short=_m("Your password for {service} was changed. If this was not you, choose a new one now: {link}"),
        needs=frozenset({"link"}),
    ),
    "factor_added": Notice(
        subject=_m("A way to sign in to {service} was added"),
        preview=_m("If this was you, there is nothing to do."),
        parts=(
            Say(_m("A way to sign in was added to your account at {service}.")),
            _HAPPENED,
            _FROM,
            Say(_m("If this was you, there is nothing to do. If it was not, sign in, remove it and choose a new password:")),
            Button(_m("Look at my ways to sign in")),
            Small(_m("We tell you of every such change. You cannot switch this message off.")),
        ),
        short=_m("A way to sign in to {service} was added. If this was not you, sign in, remove it and choose a new password: {link}"),
        needs=frozenset({"link"}),
    ),
    "factor_removed": Notice(
        subject=_m("A way to sign in to {service} was removed"),
        preview=_m("If this was you, there is nothing to do."),
        parts=(
            Say(_m("A way to sign in was removed from your account at {service}.")),
            _HAPPENED,
            _FROM,
            Say(_m("If this was you, there is nothing to do. If it was not, sign in, add it again and choose a new password:")),
            Button(_m("Look at my ways to sign in")),
            Small(_m("We tell you of every such change. You cannot switch this message off.")),
        ),
        short=_m("A way to sign in to {service} was removed. If this was not you, sign in, add it again and choose a new password: {link}"),
        needs=frozenset({"link"}),
    ),
    "new_sign_in": Notice(
        subject=_m("New sign-in to {service}"),
        preview=_m("Your account was used on a device we have not seen before."),
        parts=(
            Say(_m("Your account at {service} was used on a device we have not seen before.")),
            _HAPPENED,
            _FROM,
            Say(_m("If this was you, there is nothing to do. If it was not, look at your devices and sign out those you do not know:")),
            Button(_m("Look at my devices")),
        ),
        short=_m("Your account at {service} was used on a new device. If this was not you, look at your devices: {link}"),
        needs=frozenset({"link"}),
    ),
    "approval_asked": Notice(
        subject=_m("{app} asks for your approval"),
        preview=_m("Look whether it was you who began this."),
        parts=(
            Say(_m("{app} asks for your approval with your account at {service}. You have {lasts} to answer.")),
            Line(_m("Message of the app, the same on its side: {message}")),
            _ASKED,
            Button(_m("Look at the request")),
            Small(_m("If this was not you, deny it there or do nothing. Without your yes nothing happens, and opening the link decides nothing.")),
        ),
        needs=frozenset({"app", "message", "minutes", "link"}),
    ),
}
