"""Which alerts were expected, which were missed, which are false: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

#: How far an alert's start may be from the truth's and still be that gathering, in seconds.
TOLERANCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Match:
    """Indices into the two sequences that were compared.

    ``pairs`` are (expected, found); ``missed`` were expected and not raised; ``false`` were raised
    and not expected, doubles of a gathering that was found already among them.
    """

    pairs: tuple[tuple[int, int], ...]
    missed: tuple[int, ...]
    false: tuple[int, ...]


def match(
    expected: Sequence[datetime], found: Sequence[datetime], *, tolerance_s: float = TOLERANCE_S
) -> Match:
    """Pair every expected start with at most one found start within ``tolerance_s`` of it.

    As many pairs as can be are made: both are gone through in time order and each expected start
    takes the earliest found one that is still free and near enough, which no other choice beats.
    """
    wanted = sorted(range(len(expected)), key=lambda index: expected[index])
    raised = sorted(range(len(found)), key=lambda index: found[index])
    pairs: list[tuple[int, int]] = []
    used: set[int] = set()
    for want in wanted:
        for have in raised:
            if have in used:
                continue
            distance_s = (found[have] - expected[want]).total_seconds()
            if -tolerance_s <= distance_s <= tolerance_s:
                pairs.append((want, have))
                used.add(have)
                break
    hit = {want for want, _ in pairs}
    return Match(
        pairs=tuple(pairs),
        missed=tuple(index for index in wanted if index not in hit),
        false=tuple(index for index in raised if index not in used),
    )
