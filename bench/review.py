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
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import httpx
from playwright.sync_api import Error as BrowserError

from bench import real_footage, report
from bench.browser import Browser
from bench.camera import Camera
from bench.program import ProgramError
from bench.real_footage import NoFootageError, View
from bench.recorded_pictures import RecordedFile, RecordedPictures
from bench.recording import Span
from bench.review_page import ReviewPage, Sought
from bench.reviewer import Options, Outcome, Recording, Reviewer
from bench.village import Village
from bench.wait import WaitedTooLongError, until
from protocol.clock import Clock, SystemClock
from village import demo

CAMERA_ID = "cam-01"

_MOUNT = "/gate/main"
#: Of the footage so long is shown before it begins again.
_CLIP_S = 24
_START_LIMIT_S = 180.0
_FAILURES = (
    BrowserError,
    NoFootageError,
    ProgramError,
    WaitedTooLongError,
    httpx.HTTPError,
)


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
    source, video = real_footage.find(folder)
    pictures = real_footage.pictures(video, View.PEOPLE, _CLIP_S * real_footage.MAIN.fps)
    real_footage.MAIN.write(clip, pictures)
    mounts = [real_footage.MAIN.mount(_MOUNT, clip)]
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
