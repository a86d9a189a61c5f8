"""``python -m bench.review``: looking for a moment in real recordings, in a real browser.

A camera shows real people at full HD and is killed for some seconds; box and centre record and
serve it as they always do. Chromium then plays over the gap, seeks, steps, plays fast and exports
a minute. What it shows is held, pixel by pixel, against the recorded files as FFmpeg decodes them.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import httpx
from playwright.sync_api import Error as BrowserError

from bench import real_footage, report
from bench.browser import Browser
from bench.camera import Camera
from bench.clip import Decoded, decode
from bench.program import ProgramError
from bench.real_footage import NoFootageError
from bench.recorded_pictures import RecordedFile, RecordedPictures, first_picture
from bench.recording import Span
from bench.review_page import PlayedFile, Presented, ReviewPage, Sought
from bench.village import Village
from bench.wait import WaitedTooLongError, until
from protocol.clock import Clock, SystemClock
from village import demo

CAMERA_ID = "cam-01"
SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

_MOUNT = "/gate/main"
_EXPORT_S = 60
_START_LIMIT_S = 180.0
_FILE_LIMIT_S = 60.0
_SPEED_FOR_S = 3.0
#: Faster than that a browser without a decoder in hardware may fall behind: 1080p at 100 a second.
_SURE_SPEED = 4.0
_SPEED_SLACK = 0.1
_BEFORE_GAP_S = 2.0
_AROUND_GAP_S = 8.0
_OPENINGS = 5
#: Media time is told in whole ticks, and the browser rounds to microseconds.
_AXIS_US = 100.0
_FAILURES = (
    BrowserError,
    NoFootageError,
    ProgramError,
    WaitedTooLongError,
    httpx.HTTPError,
)


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
        is_after = at_us >= _ms(self._recording.gap.end) * 1000 - 1
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
        outcome.export_played = self._page.play_file(data, _FILE_LIMIT_S)

    def _judge_export(self, outcome: Outcome, data: bytes) -> None:
        """Hold the bounds that are said of the export, and what is in it, against the recording."""
        pictures, made = self._recording.pictures, outcome.export
        start, end = (pictures.number_at(_us(bound)) for bound in outcome.export_bounds)
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


def record(village: Village, camera: Camera, options: Options, clock: Clock) -> Recording:
    """Let the box record with a gap, and return what it has then."""
    edge = until(lambda: village.edge_url, limit_s=_START_LIMIT_S, what="the box", clock=clock)
    with httpx.Client(base_url=edge, timeout=30, trust_env=False) as client:

        def files(after: datetime) -> list[tuple[int, Span]]:
            query = {"from": after.isoformat(), "to": clock.now().isoformat()}
            try:
                answer = client.get(f"/v1/cameras/{CAMERA_ID}/timeline", params=query)
                segments = answer.raise_for_status().json()["segments"]
            except httpx.HTTPError:
                return []  # it is not listening yet
            return [(each["id"], _span(each)) for each in segments]

        began = clock.now()
        until(
            lambda: _length_s(files(began)) >= options.before_s,
            limit_s=_START_LIMIT_S + options.before_s,
            what="the first stretch",
            clock=clock,
        )
        camera.kill()
        gone = clock.now()
        threading.Event().wait(options.gap_s)
        camera.start()
        until(
            lambda: _length_s(files(gone)) >= options.after_s,
            limit_s=_START_LIMIT_S + options.after_s,
            what="the second stretch",
            clock=clock,
        )
        found = files(began)
        recorded = tuple(span for _, span in found)
        print("decoding what was recorded …", flush=True)
        data = [client.get(f"/v1/segments/{number}.mp4").content for number, _ in found]
        pictures = RecordedPictures.decoded(
            RecordedFile(span.start, each) for span, each in zip(recorded, data, strict=True)
        )
    gap = max(
        (Span(each.end, later.start) for each, later in pairwise(recorded)),
        key=lambda span: span.length_s,
    )
    return Recording(recorded, gap, pictures)


def run(options: Options, folder: Path, picture: Path | None = None) -> Outcome:
    """Record, look and judge."""
    clock = SystemClock()
    print("encoding real footage …", flush=True)
    clip = folder / "gate.h264"
    source = real_footage.write(clip)
    mounts = [real_footage.mount(_MOUNT, clip)]
    with contextlib.ExitStack() as stack:
        camera = stack.enter_context(Camera(mounts, folder, clock))
        url = camera.url(_MOUNT)
        village = stack.enter_context(Village(folder / "village", "auto", (url,)))
        print("recording …", flush=True)
        recording = record(village, camera, options, clock)
        login = village.login("duty")
        browser = stack.enter_context(Browser(village.base_url, login.username, login.password))
        page = ReviewPage(browser.page, village.base_url, f"{demo.BOX_ID}.{CAMERA_ID}")
        outcome = Outcome(source.value, len(recording.pictures), recording.gap)
        print("looking …", flush=True)
        try:
            Reviewer(page, recording, options).look(outcome)
        finally:
            if picture is not None:
                page.screenshot(str(picture))
    return outcome


def figures(outcome: Outcome, options: Options) -> Mapping[str, report.Figure]:
    """Return the last line."""
    made, played = outcome.export, outcome.export_played
    return {
        "passed": outcome.passed,
        "footage": outcome.source,
        "recorded_pictures": outcome.pictures,
        "seeks": options.seeks,
        "seek_ms_median": _median(outcome.sought),
        "seek_ms_p95": report.rounded(report.percentile(_times(outcome.sought), 0.95)),
        "seek_ms_median_loaded": _median([each for each in outcome.sought if each.loaded]),
        "seek_ms_median_unloaded": _median([each for each in outcome.sought if not each.loaded]),
        "seek_mb_median_unloaded": _median_mb([each for each in outcome.sought if not each.loaded]),
        "seeks_loaded": sum(each.loaded for each in outcome.sought),
        "open_ms_median": _median(outcome.opened),
        "frame_errors": len(outcome.wrong),
        "gap_s": report.rounded(outcome.gap.length_s),
        "gap_crossed": outcome.crossed,
        "gap_stall_ms": report.rounded(outcome.stall_ms),
        "speeds": {f"{speed:g}": round(found, 2) for speed, found in outcome.speeds.items()},
        "export_play_ok": outcome.export_ok,
        "export_true_start": outcome.export_bounds[0],
        "export_true_end": outcome.export_bounds[1],
        "export_pictures": None if made is None else made.frames,
        "export_s": None if made is None else report.rounded(made.seconds, 3),
        "export_played_s": None if played is None else report.rounded(played.reached_s, 3),
    }


def show(outcome: Outcome) -> None:
    """Print the tables."""
    mb = _median_mb([each for each in outcome.sought if not each.loaded])
    rows = [
        ("open the page at a moment", *_spread(outcome.opened)),
        ("seek, all", *_spread(outcome.sought)),
        ("seek, media loaded", *_spread([each for each in outcome.sought if each.loaded])),
        ("seek, media not loaded", *_spread([each for each in outcome.sought if not each.loaded])),
    ]
    print(report.table(("until the picture is shown", "times", "median ms", "95 % ms"), rows))
    print(f"a seek to what is not loaded waits for a piece of {mb} MB")
    speeds = [(speed, round(found, 2)) for speed, found in outcome.speeds.items()]
    print(report.table(("speed", "measured"), speeds))
    print("fast speeds: a browser without a video decoder in hardware skips and falls behind")
    stall = report.rounded(outcome.stall_ms)
    print(f"gap of {outcome.gap.length_s:.1f} s: the longest a picture stood was {stall} ms")
    for wrong in outcome.wrong:
        print(f"WRONG PICTURE {wrong}")
    for what, error in (
        ("export, decoded", outcome.export and outcome.export.error),
        ("export, played", outcome.export_played and outcome.export_played.error),
    ):
        if error:
            print(f"{what}: {error}")


def _spread(sought: Sequence[Sought]) -> tuple[int, float | None, float | None]:
    times = _times(sought)
    return len(times), _median(sought), report.rounded(report.percentile(times, 0.95))


def _times(sought: Sequence[Sought]) -> list[float]:
    return [each.ms for each in sought if each.ms is not None]


def _median(sought: Sequence[Sought]) -> float | None:
    times = _times(sought)
    return round(statistics.median(times), 1) if times else None


def _median_mb(sought: Sequence[Sought]) -> float | None:
    """Return what a seek has to wait for, in megabytes: a village's uplink is slow."""
    sizes = [each.piece_bytes for each in sought if each.piece_bytes]
    return round(statistics.median(sizes) / 1e6, 2) if sizes else None


def _length_s(files: Sequence[tuple[int, Span]]) -> float:
    return sum(span.length_s for _, span in files)


def _span(item: Mapping[str, str]) -> Span:
    return Span(datetime.fromisoformat(item["start"]), datetime.fromisoformat(item["end"]))


def _ms(at: datetime) -> float:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1)


def _us(moment: str) -> float:
    return _ms(datetime.fromisoformat(moment)) * 1000


def _clock(at_ms: float) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%H:%M:%S.%f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, return the exit status: 0 only if every picture was the right one."""
    parser = argparse.ArgumentParser(prog="bench.review", description=__doc__)
    parser.add_argument("--before", type=float, default=75.0, help="seconds before the gap (75)")
    parser.add_argument("--after", type=float, default=40.0, help="seconds after the gap (40)")
    parser.add_argument("--seeks", type=int, default=20, help="random moments (20)")
    parser.add_argument("--picture", type=Path, help="keep what the page showed last, as PNG")
    given = parser.parse_args(arguments)
    options = Options(before_s=given.before, after_s=given.after, seeks=given.seeks)
    with tempfile.TemporaryDirectory(prefix="bench-review-") as name:
        try:
            outcome = run(options, Path(name), given.picture)
        except _FAILURES as error:
            print(f"FAILED: {error}")
            report.emit(sys.stdout, {"passed": False, "error": str(error)})
            return 1
    show(outcome)
    report.emit(sys.stdout, figures(outcome, options))
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
