"""Which language a visitor reads: asked for by the app, chosen before, said by the browser, or the tenant's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur", "ps", "sd", "ug", "yi", "dv", "ckb"})
_NAMES: Final = {
    "ar": "العربية", "cs": "Čeština", "da": "Dansk", "de": "Deutsch", "el": "Ελληνικά", "en": "English", "es": "Español", "fi": "Suomi",
    "fr": "Français", "he": "עברית", "hu": "Magyar", "it": "Italiano", "ja": "日本語", "ko": "한국어", "nl": "Nederlands", "pl": "Polski",
    "pt": "Português", "ro": "Română", "ru": "Русский", "sv": "Svenska", "tr": "Türkçe", "uk": "Українська", "zh": "中文",
}  # fmt: skip
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")
_QUALITY: Final = re.compile(r"q=(0(\.[0-9]{0,3})?|1(\.0{0,3})?)")
_MOST: Final = 20


def direction(language: str) -> str:
    """Return `rtl` for the languages written from right to left, else `ltr`."""
    return "rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"


def own_name(language: str) -> str:
    """Return what its speakers call a language; the tag where we do not know."""
    return _NAMES.get(language) or _NAMES.get(language.partition("-")[0], language)


def _preferred(header: str) -> list[str]:
    """Return the tags of an Accept-Language header, most wanted first (RFC 9110, section 12.5.4); what is malformed is passed over."""
    found: list[tuple[float, int, str]] = []
    for place, item in enumerate(header.split(",")[:_MOST]):
        tag, _, parameter = (part.strip() for part in item.partition(";"))
        quality = _QUALITY.fullmatch(parameter)
        weight = float(quality[1]) if quality else 0.0 if parameter else 1.0
        if _TAG.fullmatch(tag) and weight > 0:
            found.append((-weight, place, tag))
    return [tag for _, _, tag in sorted(found)]


@dataclass(frozen=True, slots=True)
class Languages:
    """The languages a tenant offers, the first of them its default; only these are ever chosen."""

    offered: tuple[str, ...]

    def _match(self, tag: str) -> str | None:
        """Return the offered language for a wanted one: lookup of RFC 4647, section 3.4, then any of the same language."""
        known = {language.lower(): language for language in self.offered}
        wanted = tag.lower()
        while wanted:
            if wanted in known:
                return known[wanted]
            wanted = wanted.rpartition("-")[0]
        root = tag.lower().partition("-")[0]
        return next((language for lower, language in known.items() if lower.partition("-")[0] == root), None)

    def choose(self, *, ui_locales: str = "", cookie: str = "", accept_language: str = "") -> str:
        """Return the language: `ui_locales` (OpenID Connect Core 1.0, section 3.1.2.1), the cookie, Accept-Language, the default."""
        wanted = [*ui_locales.split(" ")[:_MOST], cookie, *_preferred(accept_language)]
        for tag in wanted:
            if _TAG.fullmatch(tag) and (found := self._match(tag)):
                return found
        return self.offered[0]
