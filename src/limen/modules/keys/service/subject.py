"""A person's own key: all that is hers is sealed under it, and forgetting her is destroying it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from limen.kernel.ids import AccountId
from limen.modules.keys import store
from limen.modules.keys.errors import Forgotten
from limen.modules.keys.facts import SubjectForgotten
from limen.platform.crypto import Box, Place, Unsealable, new_key
from limen.platform.sql import Reader, Work


async def new_subject(work: Work, subject: AccountId) -> Box:
    """Make a person's key and return its box. Conflict if she has one: a key is made once, with the account."""
    key = new_key()
    ring = work.tx.db.keyring
    wrapped = ring.epoch_wrap(key, store.subject_place(work.tenant, subject))
    await store.add_subject_key(work, subject, ring.epoch_of(wrapped), wrapped)
    return Box(key)


async def subject_box(reader: Reader, subject: AccountId) -> Box:
    """Return a person's box; Forgotten if her key is destroyed, which is asked in the database each time.

    UnknownEpoch if the keyring lost the epoch her key is wrapped under: an old backup, or the wrong folder.
    """
    found = await store.subject_key(reader, subject)
    if found is None:
        raise Forgotten(operator=f"{subject} of {reader.tenant} has no key")
    return opened(reader, subject, found.wrapped)


def opened(reader: Reader, subject: AccountId, wrapped: bytes) -> Box:
    """Return the box of a person whose wrapped key was just read by another statement (`wrapped_key`). UnknownEpoch as in `subject_box`."""
    return reader.tx.db.keyring.epoch_box(wrapped, store.subject_place(reader.tenant, subject))


async def forget_subject(work: Work, subject: AccountId) -> None:
    """Destroy a person's key. Copies of the database lose it within two epochs. Doing it again changes nothing."""
    if await store.drop_subject_key(work, subject):
        work.record(SubjectForgotten(subject=subject))
        work.tx.after_commit(work.tx.db.keyring.let_go)


async def seal_fact(work: Work, subject: AccountId, name: str, detail: Mapping[str, str]) -> bytes:
    """Return the `private` part of a fact of this Work: personal detail, readable until she is forgotten. `name` is the fact's wire name."""
    box = await subject_box(work, subject)
    return box.seal(msgspec.json.encode(detail), _fact_place(work, subject, name, work.now))


async def open_fact(reader: Reader, subject: AccountId, name: str, at: datetime, sealed: bytes) -> Mapping[str, str]:
    """Return the personal detail of a stored fact; Forgotten, or Unsealable if it belongs to another."""
    box = await subject_box(reader, subject)
    try:
        return msgspec.json.decode(box.open(sealed, _fact_place(reader, subject, name, at)), type=dict[str, str])
    except msgspec.MsgspecError:
        raise Unsealable(operator=f"the private part of a {name} is not what seal_fact writes") from None


def _fact_place(reader: Reader, subject: AccountId, name: str, at: datetime) -> Place:
    return Place("facts", "private", reader.tenant, f"{subject}|{name}|{at.isoformat(timespec='microseconds')}")
