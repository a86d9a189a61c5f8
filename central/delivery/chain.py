"""Whether a box's events follow one another without a gap, each naming the one before. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: Broken places that are named; further ones are counted.
_NAMED = 20


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


@dataclass(frozen=True, slots=True)
class Examined:
    """What a whole chain shows, read from its beginning.

    All of 1 to ``whole_to`` are there. ``breaks`` follow another event than the one before them;
    ``broken`` is how many there are. Of ``opaque`` ones nobody knows what they follow, though the
    ones after them say what they are.
    """

    links: int
    opaque: int
    whole_to: int
    missing: int
    broken: int
    breaks: tuple[int, ...]
    last: Link | None


def examine(links: Iterable[Link]) -> Examined:
    """Return what a chain shows; ``links`` are all there are, in order, each number once."""
    count = opaque = whole_to = broken = 0
    breaks: list[int] = []
    before: Link | None = None
    for link in links:
        count += 1
        opaque += link.is_opaque
        follows_on = link.sequence == (before.sequence if before else 0) + 1
        if follows_on and whole_to == link.sequence - 1:
            whole_to = link.sequence
        if follows_on and not link.is_opaque and link.prevhash != (before and before.digest):
            broken += 1
            breaks += [link.sequence] if len(breaks) < _NAMED else []
        before = link
    missing = (before.sequence if before else 0) - count
    return Examined(count, opaque, whole_to, missing, broken, tuple(breaks), before)
