"""A box with four cameras, and somebody who does bad things to both."""

import json
import os
import random
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Self

from bench import process, stepped_clock
from bench.archive import Archive
from bench.box import BoxError, BoxInterface, is_live
from bench.camera import Camera
from bench.pictures import Pictures
from bench.program import Program
from bench.recording import Cut, Span, begun, cut
from bench.stepped_clock import SteppedClock
from bench.wait import Found, until
from protocol.clock import Clock
from protocol.messages import StreamState
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
#: A camera that falls silent is called lost within this, and is recorded within that when it is
#: back.
MOST_GONE_S = 6.0
MOST_BACK_S = 3.0
_LIMIT_S = 60.0
_FULL_S = 6.0
_SETTLED_S = 2.0
_MEMORY_EVERY = 25
_POLL_S = 0.02
_LAST_LINES = 60

#: How a clock may be wrong, in steps that end where they began: by an hour and a day either way,
#: and beyond all retention, as a box does whose battery is empty.
CLOCK_STEPS = tuple(
    by
    for there in (timedelta(hours=1), timedelta(days=1), timedelta(days=40))
    for by in (there, -there, -there, there)
)


@dataclass(slots=True)
class Story:
    """What was done to the recorder, and what it cost.

    ``gone_s``: from the last a camera sent to its being called lost. ``back_s``: from the moment it
    answers again to the first picture that is recorded. ``rss``: after so many deaths of the
    cameras, the bytes of memory of the box's process. ``disk_filled``, ``clock_steps``: in words,
    or why it could not be done here.
    """

    kills: list[datetime] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    freezes: int = 0
    flaps: int = 0
    gone_s: list[float] = field(default_factory=list)
    back_s: list[float] = field(default_factory=list)
    rss: list[tuple[int, int]] = field(default_factory=list)
    held: dict[str, Span] = field(default_factory=dict)
    disk_filled: str = "no"
    clock_steps: str = "no"


class Rig:
    """Cameras, a box that records them, and somebody who does bad things to both. A context."""

    def __init__(self, folder: Path, clock: Clock, chance: random.Random) -> None:
        self.archive = Archive(folder / "box" / "data")
        self._folder = folder / "box"
        self._clock = SteppedClock(clock, folder / "clock")
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
        self._log = self._folder / "edge.log"
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
            self._restart_killed()
        else:
            for child in children:
                os.kill(child, signal.SIGKILL)
        self.story.kills.append(killed_at)
        window = Span(killed_at - timedelta(seconds=30), killed_at + timedelta(seconds=60))
        self.story.cuts += self._until(
            lambda: self._cuts(window, killed_at), "recording after a kill"
        )

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
        before = self._recorded_before()
        self._camera.freeze()
        frozen_ns = self._clock.monotonic_ns()
        self._until(lambda: self._lost() == CAMERAS, "lost cameras")
        self.story.gone_s.append((self._clock.monotonic_ns() - frozen_ns) / 1e9)
        gone_at = self._clock.now()
        self._camera.thaw()
        self._until_back(gone_at, gone_at, before)
        self.story.freezes += 1

    def flap(self) -> None:
        """Let the cameras die and come back; print what the box said where that took too long."""
        said_before = self._log.stat().st_size
        before = self._recorded_before()
        self._camera.kill()
        gone_at = self._clock.now()
        self._camera.start()
        back_at = self._clock.now()
        late_s = self._until_back(gone_at, back_at, before)
        self.story.flaps += 1
        if late_s > MOST_BACK_S:
            print(
                f"back after {late_s:.1f} s; the camera died at {gone_at}, was there at {back_at}"
            )
            with self._log.open(encoding="utf-8", errors="replace") as log:
                log.seek(said_before)
                print(log.read(), flush=True)
        if self.story.flaps % _MEMORY_EVERY == 0:
            (child, *_) = process.children(self._running().pid)
            self.story.rss.append((self.story.flaps, process.rss_bytes(child)))

    def last_words(self) -> str:
        """Return the end of the box's log, for what it says of a failure."""
        with self._log.open(encoding="utf-8", errors="replace") as log:
            return "".join(deque(log, _LAST_LINES))

    def hold(self) -> None:
        """Hold the first seconds of every camera, as an alert's footage is."""
        self._until(
            lambda: all(self.archive.recorded(name) for name in self.names),
            "a closed file of each camera",
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

    def step_clock(self) -> None:
        """Set the box's clock while it runs, kill it with the clock wrong, and so on until right.

        The held footage is held for less than the largest step: who believed the clock would let it
        go, and delete all the rest by its age.
        """
        library = stepped_clock.library()
        if library is None:
            self.story.clock_steps = "no: libfaketime is not installed"
            return
        self.stop()
        environment = self._clock.environment(library)
        self._start_edge(environment)
        self.wait_recording()
        for by in CLOCK_STEPS:
            self._clock.step(by)
            self._until_recorded_anew("recording after a clock was set")
            self._restart_killed(environment)
            self._until_recorded_anew("recording after a kill with a wrong clock")
        self.stop()
        self._start_edge()
        self.wait_recording()
        self.story.clock_steps = f"yes: {len(CLOCK_STEPS)}"

    def wait_recording(self) -> None:
        """Wait until every camera's open file grows; raises WaitedTooLongError."""
        self._until(self._records, "recording cameras")

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

    def _recorded_before(self) -> list[frozenset[datetime]]:
        """Return when what there is already of each camera begins, from now on.

        While the clock was ahead, footage was dated so; an hour later it seems to begin.
        """
        now = self._clock.now()
        window = Span(now, now + timedelta(seconds=2 * _LIMIT_S))
        spans = (self._box.recorded(name, window) for name in self.names)
        return [frozenset(span.start for span in each) for each in spans]

    def _until_back(
        self, gone_at: datetime, back_at: datetime, before: Sequence[Collection[datetime]]
    ) -> float:
        """Wait until every camera is recorded anew; note how soon after it was seen to be back.

        Returns the longest, in seconds.

        It may have been recorded before it was seen: both are looked for at intervals.
        """
        first = self._until(
            lambda: self._recorded_since(gone_at, before), "recorded cameras that came back"
        )
        back_s = [max(0.0, (each - back_at).total_seconds()) for each in first]
        self.story.back_s += back_s
        return max(back_s)

    def _until_recorded_anew(self, what: str) -> None:
        now = self._clock.now()
        nothing: list[Collection[datetime]] = [()] * CAMERAS
        self._until(lambda: self._recorded_since(now, nothing), what)

    def _recorded_since(
        self, at: datetime, before: Sequence[Collection[datetime]]
    ) -> list[datetime] | None:
        """Return when each camera's first new recording began after ``at``, once all have one.

        ``before``: when those began that are not new.
        """
        window = Span(at, at + timedelta(seconds=_LIMIT_S))
        try:
            spans = [self._box.recorded(name, window) for name in self.names]
        except BoxError:  # it is not listening yet
            return None
        first = [begun(each, at, known) for each, known in zip(spans, before, strict=True)]
        known = [each for each in first if each is not None]
        return known if len(known) == len(first) else None

    def _lost(self) -> int:
        try:
            return self._box.streams_in(StreamState.LOST)
        except BoxError:
            return 0

    def _until(self, look: Callable[[], Found | None], what: str) -> Found:
        return until(look, limit_s=_LIMIT_S, what=what, clock=self._clock, every_s=_POLL_S)

    def _restart_killed(self, environment: Mapping[str, str] | None = None) -> None:
        edge = self._running()
        edge.signal(signal.SIGKILL)
        edge.stop()
        self._start_edge(environment)

    def _start_edge(self, environment: Mapping[str, str] | None = None) -> None:
        line = (sys.executable, "-m", "edge", "run", "--config", str(self._config))
        self._edge = Program(line, self._log, environment=environment)
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
