"""Whether a box's events follow one another without a gap, each naming the one before. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """An event's number, its digest, and the digest that it says the event before it has.

    ``is_opaque``: it is in quarantine, and what it says can't be read.
    """

    sequence: int
    digest: str
    prevhash: str | None
    is_opaque: bool = False


def extend(complete_to: int, links: Sequence[Link]) -> tuple[int, int | None]:
    """Return how far the chain is without a gap, and the first event that follows another one.

    ``links`` are in order and begin with the event ``complete_to``, or where that is 0 with the
    first there is. The chain goes on beyond a broken place: what came is there all the same, and
    the place is named.
    """
    broken_at = None
    before: Link | None = None
    for link in links:
        if link.sequence == complete_to:
            before = link
            continue
        if link.sequence != complete_to + 1:
            break
        expected = None if before is None else before.digest
        if not link.is_opaque and link.prevhash != expected and broken_at is None:
            broken_at = link.sequence
        complete_to, before = link.sequence, link
    return complete_to, broken_at
