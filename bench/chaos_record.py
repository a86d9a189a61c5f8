"""``python -m bench.chaos_record``: an archive that is killed, starved, cut off, then judged.

Four cameras of 25 pictures a second are recorded while the recorder is killed by ``kill -9`` at
random instants, its cameras freeze, die and come back, and its disk fills up. A small quota makes
retention delete all the while, and footage of the first seconds is held. At the end ``edge fsck``
reads every byte, FFmpeg decodes every file, and the box's own index says what each kill cost.
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Self

from bench import process, report
from bench.archive import Archive
from bench.box import BoxError, BoxInterface, is_live
from bench.camera import Camera
from bench.pictures import Pictures
from bench.program import Program, ProgramError
from bench.recording import Cut, Span, cut
from bench.report import percentile, rounded
from bench.wait import WaitedTooLongError, until
from protocol.clock import Clock, SystemClock
from village.settings import free_port
from village.testcam.programme import Mount

CAMERAS = 4
PICTURES = Pictures(width=640, height=360, fps=25, bits_per_s=1_000_000, seconds=10, gop=25)
#: About a minute and a half of the four cameras: retention has to delete from then on.
QUOTA_GB = 0.045
#: Kept though the quota is over: the first seconds of every camera.
HELD_S = 10.0

#: A disk of the box's own, where it may have one: what fills it up hits nobody else.
DISK_MB = 160
#: What one kill may cost of what had come from a camera.
MOST_LOST_S = 1.0

_LIMIT_S = 60.0
_FULL_S = 6.0
_SETTLED_S = 2.0
_FROZEN_S = 8.0
_MEMORY_EVERY = 25
_MB = 1_000_000


@dataclass(slots=True)
class Story:
    """What was done to the recorder, and what it cost.

    ``rss``: after so many deaths of the cameras, the bytes of memory of the box's process.
    ``disk_filled``: in words, or why it could not be done here.
    """

    kills: list[datetime] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    freezes: int = 0
    flaps: int = 0
    rss: list[tuple[int, int]] = field(default_factory=list)
    held: dict[str, Span] = field(default_factory=dict)
    disk_filled: str = "no"


class Rig:
    """Cameras, a box that records them, and somebody who does bad things to both. A context."""

    def __init__(self, folder: Path, clock: Clock, chance: random.Random) -> None:
        self.archive = Archive(folder / "box" / "data")
        self._folder = folder / "box"
        self._clock = clock
        self._chance = chance
        self._port = free_port()
        clip = folder / "clip.h264"
        PICTURES.write(clip)
        names = [f"cam-{number:02}" for number in range(1, CAMERAS + 1)]
        mounts = [Mount(f"/{name}", clip, Fraction(PICTURES.fps)) for name in names]
        self.names = tuple(names)
        self._camera = Camera(mounts, folder, clock)
        self._box = BoxInterface(f"http://127.0.0.1:{self._port}")
        self._edge: Program | None = None
        self._config = self._folder / "edge.toml"
        self._has_own_disk = False
        self.story = Story()

    def __enter__(self) -> Self:
        """Start cameras and box and wait until all is recorded."""
        self._folder.mkdir()
        self._has_own_disk = _mount(self._folder)
        self._camera.start()
        self._config.write_text(self._settings(), encoding="utf-8")
        self._start_edge()
        self.wait_recording()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all."""
        self.stop()
        self._camera.__exit__(None, None, None)
        self._box.close()
        if self._has_own_disk:
            subprocess.run(["umount", str(self._folder)], check=False)

    def stop(self) -> None:
        """Let the box end as a service is stopped; idempotent."""
        if self._edge is not None:
            self._edge.stop()
            self._edge = None

    def fsck(self, level: str) -> dict[str, object]:
        """Return the figures of ``edge fsck`` at a box that was stopped; print what it finds."""
        line = [sys.executable, "-m", "edge", "fsck", "--config", str(self._config)]
        done = subprocess.run(
            [*line, "--level", level], capture_output=True, text=True, check=False
        )
        said = done.stdout.splitlines()
        if not said:
            raise BoxError(f"fsck said nothing: {done.stderr[-500:]}")
        for finding in said[:-1]:
            print(f"  {finding}")
        figures: dict[str, object] = json.loads(said[-1])
        return figures

    # -- bad things -------------------------------------------------------------------------------

    def kill(self, *, whole: bool) -> None:
        """Kill the box by SIGKILL at a random instant, with what forks it or alone."""
        edge = self._running()
        self._pause(self._chance.uniform(0.0, 2.0))
        children = process.children(edge.pid)
        killed_at = self._clock.now()
        if whole:
            edge.signal(signal.SIGKILL)
            edge.stop()
            self._start_edge()
        else:
            for child in children:
                os.kill(child, signal.SIGKILL)
        self.story.kills.append(killed_at)
        window = Span(killed_at - timedelta(seconds=30), killed_at + timedelta(seconds=60))
        found = until(
            lambda: self._cuts(window, killed_at),
            limit_s=_LIMIT_S,
            what="recording after a kill",
            clock=self._clock,
        )
        self.story.cuts += found

    def _cuts(self, window: Span, killed_at: datetime) -> list[Cut] | None:
        """Return what a kill cost each camera, once all are recorded again."""
        try:
            found = [cut(self._box.recorded(name, window), killed_at) for name in self.names]
        except BoxError:  # it is not listening yet
            return None
        known = [each for each in found if each is not None]
        return known if len(known) == len(found) else None

    def freeze(self) -> None:
        """Let the cameras hang with open connections, until they are given up, and thaw them."""
        self._camera.freeze()
        self._pause(_FROZEN_S)
        self._camera.thaw()
        self.wait_recording()
        self.story.freezes += 1

    def flap(self) -> None:
        """Let the cameras die and come back."""
        self._camera.kill()
        self._camera.start()
        self.wait_recording()
        self.story.flaps += 1
        if self.story.flaps % _MEMORY_EVERY == 0:
            (child, *_) = process.children(self._running().pid)
            self.story.rss.append((self.story.flaps, process.rss_bytes(child)))

    def hold(self) -> None:
        """Hold the first seconds of every camera, as an alert's footage is."""
        until(
            lambda: all(self.archive.recorded(name) for name in self.names),
            limit_s=_LIMIT_S,
            what="a closed file of each camera",
            clock=self._clock,
        )
        for name in self.names:
            start = self.archive.recorded(name)[0].start
            span = Span(start, start + timedelta(seconds=HELD_S))
            self.archive.hold(name, span, self._clock.now() + timedelta(days=1))
            self.story.held[name] = span

    def fill_disk(self) -> None:
        """Fill the disk to the last byte, and free it again; where the box has one of its own."""
        if not self._has_own_disk:
            self.story.disk_filled = "no: a file system of its own needs root"
            return
        filler = self._folder / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
            except OSError:
                self._pause(_FULL_S)
        filler.unlink()
        self.wait_recording()
        self.story.disk_filled = "yes"

    def wait_recording(self) -> None:
        """Wait until every camera's open file grows; raises WaitedTooLongError."""
        until(self._records, limit_s=_LIMIT_S, what="recording cameras", clock=self._clock)

    # -- inside -----------------------------------------------------------------------------------

    def _records(self) -> bool:
        edge = self._running()
        if not is_live(edge, self._box, CAMERAS):
            return False
        now = self._clock.now()
        window = Span(now - timedelta(seconds=_SETTLED_S), now + timedelta(seconds=_SETTLED_S))
        try:
            return all(self._box.recorded(name, window) for name in self.names)
        except BoxError:  # killed, or not listening yet
            return False

    def _start_edge(self) -> None:
        line = (sys.executable, "-m", "edge", "run", "--config", str(self._config))
        self._edge = Program(line, self._folder / "edge.log")
        self._edge.start()

    def _running(self) -> Program:
        assert self._edge is not None
        return self._edge

    def _pause(self, seconds: float) -> None:
        ends_ns = self._clock.monotonic_ns() + round(seconds * 1e9)
        until(
            lambda: self._clock.monotonic_ns() >= ends_ns,
            limit_s=seconds + _LIMIT_S,
            what="time",
            clock=self._clock,
        )

    def _settings(self) -> str:
        lines = [
            "[box]",
            'id = "box-chaos"',
            'name = "chaos"',
            'region_code = "330100100001"',
            'data_dir = "data"',
            "[http]",
            f"port = {self._port}",
            "[detect]",
            "enabled = false",
            "[recording]",
            "segment_s = 10",
            f"quota_gb = {QUOTA_GB}",
        ]
        for name in self.names:
            lines += [
                "[[cameras]]",
                f'id = "{name}"',
                f'name = "{name}"',
                'grid_code = "330100100001001"',
                f'main_url = "{self._camera.url(f"/{name}")}"',
            ]
        return "\n".join(lines) + "\n"


def _mount(folder: Path) -> bool:
    """Give a folder a small file system of its own; False where that is not allowed."""
    line = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    return subprocess.run(line, capture_output=True, check=False).returncode == 0


def judge(rig: Rig) -> dict[str, object]:
    """Stop the box, read what it left, and return the figures of the last line."""
    rig.stop()
    print("reading every byte …", flush=True)
    fsck = rig.fsck("bytes")
    unreadable = rig.archive.unreadable()
    for fault in unreadable:
        print(f"  {fault}")
    story = rig.story
    lost_s = [each.lost_received_s for each in story.cuts]
    gone = [name for name, span in story.held.items() if not rig.archive.covers(name, span)]
    sound = not unreadable and not gone and fsck["findings"] == 0
    return {
        "passed": sound and max(lost_s, default=0.0) <= MOST_LOST_S,
        "rounds": len(story.kills),
        "cuts": len(lost_s),
        "lost_s_p50": rounded(percentile(lost_s, 0.5), 2),
        "lost_s_p95": rounded(percentile(lost_s, 0.95), 2),
        "lost_s_max": rounded(max(lost_s, default=None), 2),
        "gap_s_p50": rounded(percentile([each.gap_s for each in story.cuts], 0.5), 2),
        "gap_s_max": rounded(max((each.gap_s for each in story.cuts), default=None), 2),
        "freezes": story.freezes,
        "flaps": story.flaps,
        "disk_filled": story.disk_filled,
        "files": len(rig.archive.files()),
        "unreadable": len(unreadable),
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
        try:
            with Rig(Path(name), SystemClock(), random.Random(seed)) as rig:
                _play(rig, given)
                figures = judge(rig)
                _show(rig.story)
        except (BoxError, ProgramError, WaitedTooLongError) as error:
            print(f"FAILED: {error}")
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
    for turn in range(1, given.flaps + 1):
        rig.flap()
        if turn % 100 == 0:
            print(f"{turn} deaths of the cameras", flush=True)


if __name__ == "__main__":
    sys.exit(main())
