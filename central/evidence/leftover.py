"""Which half-received files are not worth keeping any longer (evidence I5): pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file that is here in part; ``idle_s`` since its last byte came."""

    name: str
    size_bytes: int
    idle_s: float


@dataclass(frozen=True, slots=True)
class Allowance:
    """How long a half-received file waits for the rest, and how much all of them may take."""

    keep_s: float
    max_bytes: int


def overdue(leftovers: Sequence[Leftover], allowance: Allowance) -> list[str]:
    """Return the names of those to remove.

    All that waited longer than ``keep_s``; then those that waited longest, until the rest takes no
    more than ``max_bytes``. What is removed costs its box a second sending, never the evidence.
    """
    gone = []
    taken_bytes = 0
    for each in sorted(leftovers, key=lambda leftover: (leftover.idle_s, leftover.name)):
        taken_bytes += each.size_bytes
        if each.idle_s > allowance.keep_s or taken_bytes > allowance.max_bytes:
            gone.append(each.name)
    return gone


#: So many files that no row names may always be leftovers, and beyond that one in ten.
_FEW, _SHARE = 20, 10


def may_be_removed(unvouched: int, files: int) -> bool:
    """Return whether files that no row names are leftovers, of ``files`` that lie there in all.

    Where they are many the database is another than the files belong to: a new one, or an old
    copy. Then a person has to look, and nothing goes.
    """
    return unvouched <= max(_FEW, files // _SHARE)
