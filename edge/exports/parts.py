"""Which samples of the recording go into which file of an export. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter

from edge.exports.order import Shown, Source
from edge.media.boxes import SampleEntry
from edge.media.mp4 import SampleTable
from edge.media.sample import TICKS_PER_S, CodecParameters

#: Up to so much a picture stands still over a gap; a longer one begins a new file (export E4).
LONGEST_STILL_90K = 5 * TICKS_PER_S

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Opened:
    """A recorded file that can be read: what its head says, and its samples by fragment."""

    source: Source
    parameters: CodecParameters
    fragments: tuple[tuple[SampleEntry, ...], ...]


@dataclass(slots=True)
class Take:
    """What is taken of one recorded file: stretches of bytes in order, offset and size."""

    source: Source
    ranges: list[tuple[int, int]] = field(default_factory=list)

    def add(self, entry: SampleEntry) -> None:
        """Take one more sample."""
        if self.ranges and sum(self.ranges[-1]) == entry.offset:
            offset, size_bytes = self.ranges[-1]
            self.ranges[-1] = offset, size_bytes + entry.size_bytes
        else:
            self.ranges.append((entry.offset, entry.size_bytes))


@dataclass(frozen=True, slots=True)
class Part:
    """One file: its samples (decoding times count from the first), where they are, what it shows.

    ``shown`` are the stretches without a hole, and :meth:`wall` says what its own time is: wall
    time minus ``start``, later by up to LONGEST_STILL_90K where a clock was set back by so little.
    """

    parameters: CodecParameters
    start: datetime
    end: datetime
    table: SampleTable
    takes: tuple[Take, ...]
    shown: tuple[Shown, ...]
    late: tuple[tuple[int, int], ...]  # from when on, and by how much more than at its start

    def wall(self, at_90k: int) -> datetime:
        """Return the wall time of what is decoded so long after the first sample."""
        step = bisect_right(self.late, at_90k, key=itemgetter(0)) - 1
        return self.start + _span(at_90k - self.late[max(0, step)][1])


#: Whether a part that is so long and large is full.
IsFull = Callable[[CodecParameters, int, int], bool]


def parts(
    opened: Iterable[Opened], start: datetime, end: datetime, is_full: IsFull
) -> Iterator[Part]:
    """Yield the files of ``start`` to ``end``, each once its last sample is known.

    The first begins at the key frame at or before ``start``, else at the first one after; a new one
    begins where the parameters change, after a gap of more than LONGEST_STILL_90K, where wall time
    goes back by as much, and at a recorded file once ``is_full(parameters, duration_90k, bytes)``.
    A recorded file is never in two of them. What is read of ``opened`` is not kept.
    """
    begun: _Begun | None = None
    for shot in _from_key(_shots(opened, _ticks(end)), _ticks(start)):
        if begun is None or begun.breaks(shot) or (shot.may_break and begun.is_full(is_full)):
            if begun is not None:
                yield begun.part()
            begun = _Begun(shot)
        begun.add(shot)
    if begun is not None:
        yield begun.part()


@dataclass(frozen=True, slots=True)
class _Shot:
    """A sample with its place on the file's time line, in 90 kHz ticks of 1970.

    It is the wall's but for ``late_90k``: so much later than it was recorded.
    """

    opened: Opened
    entry: SampleEntry
    at_90k: int
    late_90k: int
    begins_fragment: bool
    may_break: bool  # a file may begin here

    @property
    def wall_90k(self) -> int:
        """When it was recorded."""
        return self.at_90k - self.late_90k


def _shots(opened: Iterable[Opened], end_90k: int) -> Iterator[_Shot]:
    """Yield what can be decoded, until ``end_90k``; one run after the other."""
    previous: Opened | None = None
    reached_90k = late_90k = 0
    decodable = False
    for each in opened:
        if previous is None or not _follows(previous.source, each.source):
            wall_90k = _ticks(each.source.start)
            decodable = False
            if abs(wall_90k - reached_90k) > LONGEST_STILL_90K:
                reached_90k = wall_90k
            # Runs may overlap where a clock was set: within a file time never goes back.
            reached_90k = max(reached_90k, wall_90k)
            late_90k = reached_90k - wall_90k
        if previous is not None and previous.parameters != each.parameters:
            decodable = False
        base_90k = reached_90k - each.source.start_dts_90k
        opens_file = True
        for samples in each.fragments:
            for number, entry in enumerate(samples):
                at_90k = base_90k + entry.dts_90k
                reached_90k = at_90k + entry.duration_90k
                decodable = decodable or entry.is_key
                if decodable and at_90k - late_90k < end_90k:
                    may_break = opens_file and entry.is_key
                    yield _Shot(each, entry, at_90k, late_90k, number == 0, may_break)
                opens_file = False
        previous = each


def _follows(previous: Source, source: Source) -> bool:
    return (
        previous.run_id == source.run_id
        and previous.start_dts_90k + previous.duration_90k == source.start_dts_90k
    )


def _from_key(shots: Iterable[_Shot], start_90k: int) -> Iterator[_Shot]:
    """Leave out what lies before the last key frame at or before ``start_90k``."""
    waiting: list[_Shot] = []
    for shot in shots:
        if shot.entry.is_key and shot.wall_90k <= start_90k:
            waiting = []
        if shot.wall_90k < start_90k:
            waiting.append(shot)
            continue
        yield from waiting
        waiting = []
        yield shot
    # The last picture may last until after the start.
    if waiting and waiting[-1].wall_90k + waiting[-1].entry.duration_90k > start_90k:
        yield from waiting


class _Begun:
    """A part whose samples are still coming."""

    def __init__(self, first: _Shot) -> None:
        source = first.opened.source
        self._parameters = first.opened.parameters
        self._start = source.start + _span(first.entry.dts_90k - source.start_dts_90k)
        self._first_90k = first.at_90k
        self._first_wall_90k = first.wall_90k
        self._end_90k = first.at_90k
        self._table = SampleTable()
        self._takes: list[Take] = []
        self._stretches: list[tuple[int, int]] = []  # by the wall
        self._late: list[tuple[int, int]] = []

    def breaks(self, shot: _Shot) -> bool:
        """Return whether it can't be in one file with the one before it.

        Judged by what is in the file: what lay between and was left out says nothing.
        """
        still_90k = shot.at_90k - self._end_90k
        return shot.opened.parameters != self._parameters or not 0 <= still_90k <= LONGEST_STILL_90K

    def is_full(self, judge: IsFull) -> bool:
        return judge(self._parameters, self._table.duration_90k, self._table.payload_bytes)

    def add(self, shot: _Shot) -> None:
        entry, source = shot.entry, shot.opened.source
        before = self._takes[-1].source if self._takes else None
        begins_file = before is not source
        leaps = before is None or before.run_id != source.run_id or shot.at_90k != self._end_90k
        if begins_file:
            self._takes.append(Take(source))
        self._takes[-1].add(entry)
        self._table.add(
            entry.size_bytes,
            shot.at_90k - self._first_90k,
            entry.duration_90k,
            entry.cts_90k,
            is_key=entry.is_key,
            begins_chunk=begins_file or shot.begins_fragment,
        )
        end_wall_90k = shot.wall_90k + entry.duration_90k
        if leaps:
            at_90k = shot.at_90k - self._first_90k
            self._late.append((at_90k, at_90k - (shot.wall_90k - self._first_wall_90k)))
            self._stretches.append((shot.wall_90k, end_wall_90k))
        else:
            self._stretches[-1] = self._stretches[-1][0], end_wall_90k
        self._end_90k = shot.at_90k + entry.duration_90k

    def part(self) -> Part:
        return Part(
            self._parameters,
            self._start,
            self._wall(max(end for _, end in self._stretches)),
            self._table,
            tuple(self._takes),
            tuple(
                Shown(start=self._wall(begin), end=self._wall(end))
                for begin, end in self._stretches
            ),
            tuple(self._late),
        )

    def _wall(self, wall_90k: int) -> datetime:
        return self._start + _span(wall_90k - self._first_wall_90k)


def span_of(source: Source) -> tuple[datetime, datetime]:
    """Return when a recorded file begins and ends."""
    return source.start, source.start + _span(source.duration_90k)


def _ticks(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1) * TICKS_PER_S // 1_000_000


def _span(ticks_90k: int) -> timedelta:
    return timedelta(microseconds=ticks_90k * 1_000_000 // TICKS_PER_S)
