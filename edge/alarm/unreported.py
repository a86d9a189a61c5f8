"""What the rules said and the desk has not taken yet. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from edge.ports import Occurrence
from protocol.messages import AlertOp

Key = tuple[str, str, str]


class Unreported:
    """Occurrences in order, at most ``limit`` of them. Not thread-safe.

    An UPDATE is merged with the one of its alert that waits already, with the higher peak of both,
    so there is one of each alert. Overflow: the oldest UPDATE goes, its peak to what follows of its
    alert; where there is none, the oldest START goes together with its END, so no alert is ever
    left open or ended by an overflow. What went is counted in ``dropped``. The first never goes: it
    may be on its way to the desk.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: dict[int, Occurrence] = {}
        self._next = 0
        # The waiting UPDATE of each alert, where no START or END of it follows.
        self._updates: dict[Key, int] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, occurrence: Occurrence) -> None:
        """Queue what a rule says."""
        key = _key(occurrence)
        if occurrence.op is not AlertOp.UPDATE:
            self._updates.pop(key, None)
        elif key in self._updates:
            number = self._updates[key]
            self._waiting[number] = _with_peak_of(occurrence, self._waiting[number])
            return
        else:
            self._updates[key] = self._next
        self._waiting[self._next] = occurrence
        self._next += 1
        if len(self._waiting) > self._limit:
            for number in self._least():
                self._remove(number)
                self.dropped += 1

    def first(self) -> Occurrence | None:
        """Return what is to be reported next, or None."""
        return next(iter(self._waiting.values()), None)

    def done(self, occurrence: Occurrence) -> None:
        """Take that ``first`` was reported; where it was merged meanwhile, the rest still waits."""
        number = next(iter(self._waiting), None)
        if number is not None and self._waiting[number] is occurrence:
            self._remove(number)

    def _least(self) -> tuple[int, ...]:
        """Return what is missed least: an UPDATE, a START with its END, or else the oldest."""
        later = list(self._waiting)[1:]
        for number in later:
            if self._waiting[number].op is AlertOp.UPDATE:
                self._hand_down(number)
                return (number,)
        starts: dict[Key, int] = {}
        for number in later:
            occurrence = self._waiting[number]
            key = _key(occurrence)
            if occurrence.op is AlertOp.START:
                starts[key] = number
            elif key in starts:
                return starts[key], number
        return tuple(later[:1])

    def _hand_down(self, number: int) -> None:
        """Give the peak of an UPDATE that goes to what follows of its alert."""
        update = self._waiting[number]
        for follows in self._following(number, _key(update)):
            self._waiting[follows] = _with_peak_of(self._waiting[follows], update)
            return

    def _following(self, number: int, key: Key) -> Iterator[int]:
        return (
            each
            for each, occurrence in self._waiting.items()
            if each > number and _key(occurrence) == key
        )

    def _remove(self, number: int) -> None:
        key = _key(self._waiting.pop(number))
        if self._updates.get(key) == number:
            del self._updates[key]


def _with_peak_of(occurrence: Occurrence, earlier: Occurrence) -> Occurrence:
    return replace(occurrence, peak=max(occurrence.peak, earlier.peak, earlier.count))


def _key(occurrence: Occurrence) -> Key:
    return occurrence.camera_id, occurrence.rule_id, occurrence.region_id
