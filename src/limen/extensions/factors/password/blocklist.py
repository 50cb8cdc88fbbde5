"""What makes a password easy to guess: words everybody uses, the words at hand, rows and repetitions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_WORDS: Final = """
password passwort passwd passphrase kennwort secret geheim letmein welcome willkommen login signin admin administrator master
qwerty qwertz azerty qwertyuiop qwertzuiop asdfgh asdfghjkl zxcvbn yxcvbn iloveyou ichliebedich trustno monkey dragon shadow
superman batman football fussball baseball princess sunshine schatz hallo hello liebe changeme default guest test testing
starwars whatever freedom mustang michael jordan jennifer hunter ranger buster soccer hockey killer charlie pepper flower
summer winter spring autumn fruehling sommer herbst january february march april june july august september october november december
monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag
correcthorsebatterystaple thequickbrownfoxjumpsoverthelazydog thisisapassword thisismypassword mypassword
"""
COMMON: Final = frozenset(_WORDS.split())
"""What is taken out wherever it stands; the long lists, which only a whole password is compared with, are in `lists`."""

_ROWS: Final = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm", "azertyuiop")
_LEET: Final = str.maketrans("0134578@$!", "oleastbasi")
_SHORTEST_WORD: Final = 3
_OWN_CHARACTERS: Final = 6
"""So many characters must be left when the words everybody would try are taken out."""
_SHORTEST_RUN: Final = 4


def is_guessable(password: str, words: Iterable[str]) -> bool:
    """True if hardly anything is left of a password once common words, `words`, rows of keys and repetitions are taken out."""
    folded = password.casefold()
    forms = {re.sub(r"[\W_]+", "", form) for form in (folded, folded.translate(_LEET))}
    if forms == {""}:
        return len(set(password)) < _OWN_CHARACTERS
    at_hand = {part for word in words for part in _parts(word)}
    return any(_left(form, at_hand) < _OWN_CHARACTERS for form in forms if form)


def _parts(word: str) -> Iterable[str]:
    """Return the parts of `ada.lovelace@example.com` or of a name that are long enough to count."""
    return (part for part in re.split(r"[\W_]+", word.casefold()) if len(part) >= _SHORTEST_WORD)


def _left(plain: str, at_hand: set[str]) -> int:
    """Return how many characters remain that nobody would try first."""
    for word in sorted(COMMON | at_hand, key=len, reverse=True):
        plain = plain.replace(word, " ")
    rest = "".join(_without_runs(part) for part in plain.split())
    return len(_without_repetition(rest))


def _without_runs(text: str) -> str:
    """Take out runs along the alphabet, the digits or a row of keys, forwards and backwards, such as `4567` or `lkjh`."""
    for row in _ROWS:
        for line in (row * 2, row[::-1] * 2):
            for length in range(min(len(text), len(line)), _SHORTEST_RUN - 1, -1):
                for start in range(len(row)):
                    text = text.replace(line[start : start + length], "")
    return text


def _without_repetition(text: str) -> str:
    """Return one block of a text that is a block repeated (`abcabcabc`), and one of a character repeated (`aaaa`)."""
    text = re.sub(r"(.)\1{2,}", r"\1", text)
    repeated = re.fullmatch(r"(.+?)\1+", text)
    return repeated[1] if repeated else text
