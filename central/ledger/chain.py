"""The hash chain of a ledger (incident I4). Pure.

``hash = sha256(prev_hash + canonical JSON of the entry)``; the first entry's ``prev_hash`` is 64
zeros. Positions count from 1 without holes. So whoever has one hash can tell whether anything
before it was changed, added or taken out.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

ROOT = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to one subject (an alert, an incident …, by its id)."""

    subject_id: str
    at: datetime
    action: str
    actor_id: str | None = None
    device: str | None = None
    from_state: str | None = None
    to_state: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry in its place."""

    position: int
    entry: Entry
    prev_hash: str
    hash: str


def link(previous: Link | None, entry: Entry) -> Link:
    """Return the entry put behind ``previous``."""
    prev_hash = previous.hash if previous else ROOT
    position = previous.position + 1 if previous else 1
    return Link(position, entry, prev_hash, _hash(position, prev_hash, entry))


def first_break(links: Iterable[Link]) -> int | None:
    """Return the position at which a chain, read from its start, is broken; None where it holds."""
    previous: Link | None = None
    for found in links:
        right = link(previous, found.entry)
        if found != right:
            return right.position
        previous = found
    return None


def _hash(position: int, prev_hash: str, entry: Entry) -> str:
    words = json.dumps(
        [
            position,
            entry.subject_id,
            entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            entry.action,
            entry.actor_id,
            entry.device,
            entry.from_state,
            entry.to_state,
            entry.note,
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(prev_hash.encode() + words.encode()).hexdigest()
