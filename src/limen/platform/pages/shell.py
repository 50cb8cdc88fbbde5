"""The shell around a signed-in person's pages: one menu, gathered from the modules that have pages in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from limen.platform.pages.model import Card

_CARDS: Final[list[Card]] = []


def install_cards(cards: Iterable[Card]) -> None:
    """Take the entries of the menu; called at start-up, before the first request. In order of `order`."""
    _CARDS[:] = sorted(cards, key=lambda card: (card.order, card.path))


def shell_cards() -> tuple[Card, ...]:
    """Return the entries of the menu, which are the cards of the start page too."""
    return tuple(_CARDS)
