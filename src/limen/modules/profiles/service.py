"""Reading and changing profiles."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.kernel.ids import AccountId
from limen.modules import keys
from limen.modules.profiles import store
from limen.modules.profiles.errors import InvalidProfile, ProfileChangedMeanwhile
from limen.modules.profiles.facts import ProfileChanged
from limen.modules.profiles.model import Changes, Profile, faults, merged, tidied
from limen.platform.crypto import Box
from limen.platform.sql import Reader, Work

_ENCODE: Final = msgspec.json.Encoder().encode
_DECODE: Final = msgspec.json.Decoder(Profile).decode
_EMPTY: Final = Profile()


async def read(reader: Reader, account: AccountId, box: Box | None = None) -> Profile:
    """Return what is known of a person; an empty profile where nothing is, or where she was forgotten.

    `box` is hers, if it is at hand.
    """
    kept = await store.find(reader, account)
    return _EMPTY if kept is None else await _opened(reader, account, kept, box)


def opened(reader: Reader, account: AccountId, box: Box, document: bytes | None) -> Profile:
    """Return the profile whose sealed document was just read by another statement (`document`)."""
    return _EMPTY if document is None else _DECODE(box.open(document, store.place(reader.tenant, account)))


async def versioned(reader: Reader, account: AccountId) -> tuple[Profile, int]:
    """Return the profile and its version, 0 before anything was set."""
    kept = await store.find(reader, account)
    return (_EMPTY, 0) if kept is None else (await _opened(reader, account, kept), kept.version)


async def change(work: Work, account: AccountId, changes: Changes, *, expected: int | None = None) -> tuple[str, ...]:
    """Change a profile; return the names of the attributes that are another now.

    InvalidProfile has a sentence for each field that cannot be; ProfileChangedMeanwhile if `expected` is given and not its version;
    the errors of `keys.subject_box` where there is no such person.
    """
    wanted = tidied(changes)
    if found := faults(wanted, work.now.date()):
        raise InvalidProfile(found)
    kept = await store.take(work, account)
    if expected is not None and expected != (kept.version if kept else 0):
        raise ProfileChangedMeanwhile("the profile changed since it was read; read it again")
    box = await keys.subject_box(work, account)
    place = store.place(work.tenant, account)
    before = _DECODE(box.open(kept.document, place)) if kept else _EMPTY
    after, changed = merged(before, wanted, work.now)
    if not changed:
        return ()
    document = box.seal(_ENCODE(after), place)
    if kept is not None:
        await store.put(work, account, document)
    elif not await store.add(work, account, document):
        raise ProfileChangedMeanwhile("the profile was made a moment ago; try again")
    work.record(ProfileChanged(subject=account, attributes=changed))
    return changed


async def _opened(reader: Reader, account: AccountId, kept: store.Kept, box: Box | None = None) -> Profile:
    try:
        box = box or await keys.subject_box(reader, account)
    except keys.Forgotten:
        return _EMPTY
    return _DECODE(box.open(kept.document, store.place(reader.tenant, account)))
