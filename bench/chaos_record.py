"""``python -m bench.chaos_record``: an archive that is killed, starved, cut off, then judged.

Four cameras of 25 pictures a second are recorded while the recorder is killed by ``kill -9`` at
random instants, its cameras freeze, die and come back, its disk fills up and its clock is set by
hours, days and weeks. A small quota makes retention delete all the while, and footage of the first
seconds is held. At the end ``edge fsck`` reads every byte, FFmpeg decodes every file, and the box's
own index says what each kill cost.
"""

import argparse
import random
import statistics
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from bench import report
from bench.box import BoxError
from bench.chaos_rig import MOST_BACK_S, MOST_GONE_S, Rig, Story
from bench.program import ProgramError
from bench.report import percentile, rounded
from bench.wait import WaitedTooLongError
from protocol.clock import SystemClock

#: What one kill may cost of what had come from a camera.
MOST_LOST_S = 1.0
#: What the polling of this program may add to either.
_SEEN_S = 0.2

_MB = 1_000_000


def judge(rig: Rig) -> dict[str, object]:
    """Stop the box, read what it left, and return the figures of the last line."""
    rig.stop()
    print("reading every byte …", flush=True)
    fsck = rig.fsck("bytes")
    unreadable = rig.archive.unreadable()
    impossible = rig.archive.impossible()
    for fault in (*unreadable, *impossible):
        print(f"  {fault}")
    story = rig.story
    lost_s = [each.lost_received_s for each in story.cuts]
    gone = [name for name, span in story.held.items() if not rig.archive.covers(name, span)]
    sound = not unreadable and not impossible and not gone and fsck["findings"] == 0
    prompt = (
        max(story.gone_s, default=0.0) <= MOST_GONE_S + _SEEN_S
        and max(story.back_s, default=0.0) <= MOST_BACK_S + _SEEN_S
    )
    return {
        "passed": sound and prompt and max(lost_s, default=0.0) <= MOST_LOST_S,
        "rounds": len(story.kills),
        "cuts": len(lost_s),
        "lost_s_p50": rounded(percentile(lost_s, 0.5), 2),
        "lost_s_p95": rounded(percentile(lost_s, 0.95), 2),
        "lost_s_max": rounded(max(lost_s, default=None), 2),
        "gap_s_p50": rounded(percentile([each.gap_s for each in story.cuts], 0.5), 2),
        "gap_s_max": rounded(max((each.gap_s for each in story.cuts), default=None), 2),
        "freezes": story.freezes,
        "flaps": story.flaps,
        "gone_s_max": rounded(max(story.gone_s, default=None), 2),
        "back_s_p50": rounded(percentile(story.back_s, 0.5), 2),
        "back_s_max": rounded(max(story.back_s, default=None), 2),
        "disk_filled": story.disk_filled,
        "clock_steps": story.clock_steps,
        "files": len(rig.archive.files()),
        "unreadable": len(unreadable),
        "negative_or_overlapping": len(impossible),
        "fsck_errors": fsck["findings"],
        "segments_deleted": rig.archive.deleted(),
        "held_deleted": len(gone),
        "rss_slope_mb_per_1000": rounded(slope_mb(story.rss), 2),
        "rss_mb": rounded(story.rss[-1][1] / _MB) if story.rss else None,
    }


def slope_mb(rss: Sequence[tuple[int, int]]) -> float | None:
    """Return by how many MB the memory grew a thousand times, by least squares: pure.

    The first quarter is left out: a process that has just begun takes what it will need.
    """
    settled = rss[len(rss) // 4 :]
    if len(settled) < 3:
        return None
    times, sizes = [each[0] for each in settled], [each[1] for each in settled]
    slope, _ = statistics.linear_regression(times, sizes)
    return slope * 1000 / _MB


def _show(story: Story) -> None:
    lost_s = [each.lost_received_s for each in story.cuts]
    edges = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, float("inf"))
    rows = [
        (f"{low:.1f} to {high:.1f} s", sum(low <= each < high for each in lost_s))
        for low, high in pairwise(edges)
    ]
    print(report.table(("lost of what had come, a kill and camera", "times"), rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, return the exit status: 0 only if nothing was broken or lost that must not be."""
    parser = argparse.ArgumentParser(prog="bench.chaos_record", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="kills of the recorder (200)")
    parser.add_argument("--flaps", type=int, default=1000, help="deaths of the cameras (1000)")
    parser.add_argument("--freezes", type=int, default=3, help="hangs of the cameras (3)")
    parser.add_argument("--seed", type=int, default=None, help="of the random instants")
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-chaos-") as name:
        rig = Rig(Path(name), SystemClock(), random.Random(seed))
        try:
            with rig:
                try:
                    _play(rig, given)
                    figures = judge(rig)
                except (BoxError, WaitedTooLongError):
                    print(rig.last_words())
                    raise
                _show(rig.story)
        except (BoxError, ProgramError, WaitedTooLongError) as error:
            print(f"FAILED after {rig.story.flaps} deaths: {error}")
            report.emit(sys.stdout, {"passed": False, "error": str(error)})
            return 1
    report.emit(sys.stdout, figures | {"seed": seed})
    return 0 if figures["passed"] else 1


def _play(rig: Rig, given: argparse.Namespace) -> None:
    rig.hold()
    for turn in range(1, given.rounds + 1):
        # Turn about: a box that dies again and again is forked later and later.
        rig.kill(whole=turn % 2 == 0)
        if turn % 20 == 0:
            print(f"{turn} kills", flush=True)
    for _ in range(given.freezes):
        rig.freeze()
    rig.fill_disk()
    rig.step_clock()
    for turn in range(1, given.flaps + 1):
        rig.flap()
        if turn % 100 == 0:
            print(f"{turn} deaths of the cameras", flush=True)


if __name__ == "__main__":
    sys.exit(main())
