"""Passwords, names and words that are tried first: the lists that zxcvbn brings, some 94,000 entries.

They are read from its package at the first question, without importing it (its dictionaries would stay in memory), and kept as sorted
digests: a tenth of a second once, in the hashing pool, and 750 kB from then on.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from bisect import bisect_left
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Final

_TRIMMED: Final = re.compile(r"[\W\d_]{0,2}(.*?)[\W\d_]{0,5}", re.DOTALL)
"""Everybody's ways to make a word a password: a sign before it, a year and a sign after it. More than that is not trivial."""
_REPEATED: Final = re.compile(r"(.{3,}?)\1+", re.DOTALL)


def is_common(password: str) -> bool:
    """True if a password is on the lists, whatever its case and width: as it is, or with what one puts around a word, or said several times."""
    whole = unicodedata.normalize("NFKC", password).casefold()
    trimmed = _TRIMMED.fullmatch(whole)
    forms = {whole, trimmed[1] if trimmed else whole}
    forms |= {found[1] for form in forms if (found := _REPEATED.fullmatch(form))}
    return any(map(_listed, forms))


def size() -> int:
    """Return how many entries there are."""
    return len(_digests())


def _listed(form: str) -> bool:
    entries, wanted = _digests(), _digest(form)
    at = bisect_left(entries, wanted)
    return at < len(entries) and entries[at] == wanted


def _digest(form: str) -> int:
    return int.from_bytes(hashlib.blake2b(form.encode("utf-8", "surrogatepass"), digest_size=8).digest())


@cache
def _digests() -> array[int]:
    entries = {unicodedata.normalize("NFKC", entry).casefold() for entries in _lists().values() for entry in entries}
    return array("Q", sorted({_digest(entry) for entry in entries}))


def _lists() -> dict[str, list[str]]:
    """Return the lists by name, from the file in which the package has them. ImportError if it has another shape."""
    package = find_spec("zxcvbn")
    folders = package.submodule_search_locations if package else None
    spec = spec_from_file_location("zxcvbn_lists", Path(folders[0]) / "frequency_lists.py") if folders else None
    if spec is None or spec.loader is None:
        raise ImportError("zxcvbn is not installed")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    lists: dict[str, list[str]] = module.FREQUENCY_LISTS
    return lists
