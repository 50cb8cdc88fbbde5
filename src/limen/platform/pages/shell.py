"""The shell around a signed-in person's pages: one menu, gathered from the modules that have pages in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from limen.platform.pages.model import Card

_CARDS: Final[list[Card]] = []
_PLACES: Final[dict[str, str]] = {}


def install_cards(cards: Iterable[Card]) -> None:
    """Take the entries of the menu; called at start-up, before the first request. In order of `order`."""
    _CARDS[:] = sorted(cards, key=lambda card: (card.order, card.path))


def shell_cards() -> tuple[Card, ...]:
    """Return the entries of the menu, which are the cards of the start page too."""
    return tuple(_CARDS)


def install_places(places: Mapping[str, str]) -> None:
    """Take which page does what, as modules say of theirs in `PLACES`; called at start-up. The names are those of well-known addresses."""
    _PLACES.clear()
    _PLACES.update(places)


def place_of(purpose: str) -> str | None:
    """Return the path of the page that does this (`change-password`, `passkeys`); None where there is none."""
    return _PLACES.get(purpose)
