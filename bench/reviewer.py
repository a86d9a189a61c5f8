"""Somebody who looks for a moment in recordings, and whether what they are shown is right."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from bench.clip import Decoded, decode
from bench.recorded_pictures import RecordedPictures, first_picture
from bench.recording import Span
from bench.review_page import PlayedFile, Presented, ReviewPage, Sought
from village import demo

SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

_EXPORT_S = 60
_SPEED_FOR_S = 3.0
#: Faster than that a browser without a decoder in hardware may fall behind: 1080p at 100 a second.
_SURE_SPEED = 4.0
_SPEED_SLACK = 0.1
_BEFORE_GAP_S = 2.0
_AROUND_GAP_S = 8.0
_OPENINGS = 5
#: Media time is told in whole ticks, and the browser rounds to microseconds.
_AXIS_US = 100.0
#: Two ways from ticks to microseconds may differ by one.
_ROUNDED_US = 2
_PLAY_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """How much is done. The camera is recorded ``before_s``, gone ``gap_s``, then ``after_s``."""

    before_s: float = 75.0
    gap_s: float = 6.0
    after_s: float = 40.0
    seeks: int = 20
    steps: int = 10


@dataclass(frozen=True, slots=True)
class Recording:
    """What the box says it has of the camera: its files, in order, and the one gap in between."""

    files: tuple[Span, ...]
    gap: Span
    pictures: RecordedPictures


@dataclass(slots=True)
class Outcome:
    """Everything that was measured. A picture is wrong where it is not the one recorded then."""

    source: str
    pictures: int
    gap: Span
    opened: list[Sought] = field(default_factory=list)
    sought: list[Sought] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stall_ms: float | None = None
    crossed: bool = False
    speeds: dict[float, float] = field(default_factory=dict)
    export: Decoded | None = None
    export_bounds: tuple[str, str] = ("", "")
    export_played: PlayedFile | None = None

    @property
    def export_ok(self) -> bool:
        """Whether the exported minute plays to its end and decodes whole."""
        made, played = self.export, self.export_played
        if made is None or played is None or made.error or played.error:
            return False
        return played.reached_s >= played.duration_s - 0.1 and made.seconds >= _EXPORT_S - 0.1

    @property
    def passed(self) -> bool:
        """Whether everything is as it must be; how quick it is is for the reader to judge."""
        return not self.wrong and self.crossed and self.export_ok and self.keeps_speed

    @property
    def keeps_speed(self) -> bool:
        """Whether every speed is what it says; of more than four times that is not asked."""
        slow = {speed: found for speed, found in self.speeds.items() if speed <= _SURE_SPEED}
        return all(abs(found / speed - 1) <= _SPEED_SLACK for speed, found in slow.items())


class Reviewer:
    """Does what somebody does who looks for a moment, and judges what they are shown."""

    def __init__(self, page: ReviewPage, recording: Recording, options: Options) -> None:
        self._page = page
        self._recording = recording
        self._options = options
        self._random = Random(1)  # the same moments in every run
        self._axis_us: dict[bool, float] = {}  # wall minus media time, before and after the gap

    def look(self, outcome: Outcome) -> None:
        """Do everything."""
        for _ in range(_OPENINGS):
            self._page.open()
            self._axis_us.clear()
            outcome.opened.append(self._check_seek(outcome, self._moment(), "open"))
        for _ in range(self._options.seeks):
            outcome.sought.append(self._check_seek(outcome, self._moment(), "seek"))
        self._step(outcome)
        self._cross(outcome)
        self._hurry(outcome)
        self._export(outcome)

    def _moment(self) -> float:
        """Return a recorded moment, in epoch milliseconds."""
        files = self._recording.files
        chosen = self._random.choices(files, [file.length_s for file in files])[0]
        return _ms(chosen.start) + self._random.random() * chosen.length_s * 1000

    def _check_seek(self, outcome: Outcome, at_ms: float, what: str) -> Sought:
        sought = self._page.seek(at_ms)
        expected = self._recording.pictures.number_at(at_ms * 1000)
        said = f"{what} to {_clock(at_ms)}"
        self._judge(outcome, expected, said)
        self._judge_time(outcome, expected, sought, said)
        return sought

    def _judge(self, outcome: Outcome, expected: int, what: str) -> None:
        shown = self._recording.pictures.like(self._page.picture(), expected)
        if shown != expected:
            outcome.wrong.append(f"{what}: {shown - expected:+d} pictures off")

    def _judge_time(self, outcome: Outcome, expected: int, sought: Sought, what: str) -> None:
        """Hold the media time that the browser tells of the picture against the recorded one."""
        if sought.media_s is None:
            outcome.wrong.append(f"{what}: no picture was presented")
            return
        at_us = self._recording.pictures.at_us(expected)
        axis_us = at_us - sought.media_s * 1_000_000
        is_after = at_us >= _us(self._recording.gap.end) - _ROUNDED_US
        off_us = axis_us - self._axis_us.setdefault(is_after, axis_us)
        if abs(off_us) > _AXIS_US:
            outcome.wrong.append(f"{what}: media time is {off_us / 1000:+.1f} ms off")

    def _step(self, outcome: Outcome) -> None:
        """Go on over the edge of a file, and back again."""
        edge = self._recording.files[1].start
        at_ms = _ms(edge) - self._options.steps * 20
        self._page.seek(at_ms)
        number = self._recording.pictures.number_at(at_ms * 1000)
        for key, by in ((".", 1), (",", -1)):
            for turn in range(1, self._options.steps + 1):
                self._page.press(key)
                number += by
                self._judge(outcome, number, f"step {by:+d}, the {turn}. time")

    def _cross(self, outcome: Outcome) -> None:
        gap = self._recording.gap
        self._page.seek(_ms(gap.start) - _BEFORE_GAP_S * 1000)
        frames = self._page.play_for(_AROUND_GAP_S)
        outcome.stall_ms = longest_ms(frames)
        shown = self._page.clock()
        arrived = f"{gap.end.astimezone(ZoneInfo(demo.TIME_ZONE)):%m-%d %H:%M:%S}"
        outcome.crossed = shown > arrived and len(frames) > _AROUND_GAP_S
        print(f"played over the gap: clock {shown}, the gap ends {arrived}", flush=True)

    def _hurry(self, outcome: Outcome) -> None:
        self._page.slower()
        for speed in SPEEDS:
            self._page.seek(_ms(self._recording.files[0].start) + 1000)
            frames = self._page.play_for(_SPEED_FOR_S)
            outcome.speeds[speed] = ratio(frames)
            self._page.faster()
        for _ in SPEEDS[2:]:
            self._page.slower()

    def _export(self, outcome: Outcome) -> None:
        self._page.seek(_ms(self._recording.files[0].start) + 3000)
        data, headers = self._page.export_minute()
        outcome.export = decode(data)
        outcome.export_bounds = headers.get("x-clip-start", ""), headers.get("x-clip-end", "")
        self._judge_export(outcome, data)
        outcome.export_played = self._page.play_file(data, _PLAY_LIMIT_S)

    def _judge_export(self, outcome: Outcome, data: bytes) -> None:
        """Hold the bounds that are said of the export, and what is in it, against the recording."""
        pictures, made = self._recording.pictures, outcome.export
        start, end = (
            pictures.number_at(_us(datetime.fromisoformat(bound)) + _ROUNDED_US)
            for bound in outcome.export_bounds
        )
        shown = pictures.like(first_picture(data), start)
        if shown != start:
            outcome.wrong.append(f"export begins {shown - start:+d} pictures off")
        if made is None or made.frames != end - start:
            outcome.wrong.append(f"export: {end - start} pictures were recorded within its bounds")


def longest_ms(frames: Sequence[Presented]) -> float | None:
    """Return the longest time for which the same picture stood."""
    return max((later.now_ms - each.now_ms for each, later in pairwise(frames)), default=None)


def ratio(frames: Sequence[Presented]) -> float:
    """Return how many seconds of media were shown a second, the start left out."""
    steady = frames[len(frames) // 5 :]
    if len(steady) < 2:
        return 0.0
    first, last = steady[0], steady[-1]
    return (last.media_s - first.media_s) * 1000 / max(1.0, last.now_ms - first.now_ms)


def _ms(at: datetime) -> float:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1)


def _us(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _clock(at_ms: float) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%H:%M:%S.%f}"
