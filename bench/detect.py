"""``make bench-detect``: what looking costs, beside the script that people write first.

The box looks for people, flame and smoke in the sub-streams of 1, 4 and 16 cameras, and neither
records nor shows: at two looks a second at all times, and again as it does by default, two where
there is something to see and one in two seconds elsewhere. The footage is real, of two views: where
people walk all the time, and the same place with nobody in it. The plain script
(bench.plain_script) looks for people, two times a second, in the main streams of 1 and 4 of the
same cameras, and again with a second network for fire. They run one after the other against one
camera server, which is not counted. CPU is user + system of the whole tree, as a share of one core;
memory is PSS.

A machine that is too small for what is asked of it makes fewer looks, so looks are counted, and the
ratios are of CPU a look: how much more the script takes to see the same. By default the box makes
fewer looks where there is nothing to see; that is its saving, and the ratio is of the CPU that the
script would take at the looks it was told.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import peers, process, report
from bench.box import BoxError, BoxInterface, BoxSettings, is_live
from bench.hd_cameras import real_cameras
from bench.load import Load, Meter
from bench.program import Program, ProgramError
from bench.real_footage import NoFootageError, View
from bench.wait import WaitedTooLongError, until
from protocol.clock import Clock, SystemClock
from village.settings import free_port

COUNTS = (1, 4, 16)
#: The script is a process a camera, each with a network of its own: more is swapping.
PLAIN_COUNTS = (1, 4)
FPS = 2.0
BOX, PLAIN, PLAIN_FIRE = "box, 2 looks/s", "plain script", "plain script, fire too"
BOX_NOBODY, BOX_PEOPLE = "box, by default, nobody", "box, by default, people"

_START_LIMIT_S = 120.0
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Looked:
    """A measurement: the load, the looks a second at all cameras, and CPU time a look.

    ``cpu_ms`` is of the whole tree; ``detector_ms`` of the process that decodes and infers alone.
    """

    load: Load
    per_s: float
    detector_ms: float | None

    @property
    def cpu_ms(self) -> float | None:
        """CPU milliseconds of the whole tree for a look, or None where there was none."""
        return 1000 * self.load.cpu / self.per_s if self.per_s else None


class Bench:
    """One camera server, one meter, one Python that has ultralytics. Own folders for everything."""

    def __init__(self, folder: Path, meter: Meter, python: str, weights: str, clock: Clock) -> None:
        self._folder = folder
        self._meter = meter
        self._python = python
        self._weights = weights
        self._clock = clock
        self._count = 0

    def box(self, name: str, sources: Sequence[peers.Source], calm_fps: float | None) -> Looked:
        """Measure the box. Raises BoxError and ProgramError."""
        folder, port = self._new_folder(), free_port()
        config = BoxSettings(
            folder, port, sources, fps=FPS, records=False, calm_fps=calm_fps, fire=True
        ).write()
        command = (sys.executable, "-m", "edge", "run", "--config", str(config))
        box = BoxInterface(f"http://127.0.0.1:{port}")
        with contextlib.closing(box), Program(command, folder / "edge.log") as edge:
            until(
                lambda: is_live(edge, box, 2 * len(sources)) and _looks(box) > 0,
                limit_s=_START_LIMIT_S,
                what="looks at live cameras",
                clock=self._clock,
            )
            before = _Moment.of(box, self._clock)
            load = self._meter.measure(name, len(sources), [edge], folder)
            after = _Moment.of(box, self._clock)
        # The meter's time is a part of ours: both counts are over all of it, warm-up and all.
        took_s, looks = after.at_s - before.at_s, after.looks - before.looks
        spent_s = after.detector_cpu_s - before.detector_cpu_s
        return Looked(load, looks / took_s, 1000 * spent_s / looks if looks else None)

    def plain(self, name: str, sources: Sequence[peers.Source]) -> Looked:
        """Measure the plain script, one process a camera. Raises ProgramError."""
        folder = self._new_folder()
        more = ("--fire",) if name == PLAIN_FIRE else ()
        with contextlib.ExitStack() as stack:
            script = (self._python, "-m", "bench.plain_script", "--weights", self._weights)
            programs = [
                stack.enter_context(
                    Program(
                        (*script, *more, "--fps", str(FPS), source.main_url),
                        folder / f"{source.name}.log",
                        folder=_ROOT,
                    )
                )
                for source in sources
            ]

            def lines() -> int:
                return sum(_lines(program.log) for program in programs)

            until(
                lambda: all(_is_looking(program) for program in programs),
                limit_s=_START_LIMIT_S,
                what="looks of the plain script",
                clock=self._clock,
            )
            looked, from_ns = lines(), self._clock.monotonic_ns()
            load = self._meter.measure(name, len(sources), programs, folder)
            took_s = (self._clock.monotonic_ns() - from_ns) / 1e9
            return Looked(load, (lines() - looked) / took_s, None)

    def _new_folder(self) -> Path:
        self._count += 1
        folder = self._folder / f"{self._count:03}"
        folder.mkdir()
        return folder


@dataclass(frozen=True, slots=True)
class _Moment:
    """How far a box's detector process was."""

    at_s: float
    looks: int
    detector_cpu_s: float

    @classmethod
    def of(cls, box: BoxInterface, clock: Clock) -> "_Moment":
        figures = box.health()["components"]["detector"]["figures"]
        cpu_s = process.usage([int(figures["pid"])]).cpu_s
        return cls(clock.monotonic_ns() / 1e9, int(figures["looks"] or 0), cpu_s)


def _looks(box: BoxInterface) -> int:
    return int(box.health()["components"]["detector"]["figures"].get("looks") or 0)


def _lines(log: Path) -> int:
    """Return how many looks a script has written down; what libraries say is not a number."""
    text = log.read_text(encoding="utf-8", errors="replace")
    return sum(line.strip().isdigit() for line in text.splitlines())


def _is_looking(program: Program) -> bool:
    program.check()
    return _lines(program.log) > 0


def missing(python: str) -> str | None:
    """Return why the plain script can't run with that Python, or None."""
    try:
        tried = subprocess.run(
            [python, "-c", "import cv2, ultralytics"], capture_output=True, text=True, check=False
        )
    except OSError as error:
        return f"{python}: {error.strerror}"
    said = tried.stderr.strip().splitlines()
    return f"{python}: {said[-1] if said else 'does not start'}" if tried.returncode else None


def figures(measured: Sequence[Looked]) -> dict[str, object]:
    """Return the figures of the last line; null where something was not measured. Pure."""
    known = {(each.load.name, each.load.cameras): each for each in measured}
    one = known.get((BOX, 1))

    def ratio(name: str, cameras: int, script: str = PLAIN) -> float | None:
        ours, plain = known.get((name, cameras)), known.get((script, cameras))
        if ours is None or plain is None or not ours.cpu_ms or not plain.cpu_ms:
            return None
        if name in {BOX_NOBODY, BOX_PEOPLE}:
            return round(plain.cpu_ms * FPS * cameras / (1000 * ours.load.cpu), 1)
        return round(plain.cpu_ms / ours.cpu_ms, 1)

    return {
        "ms_per_frame": _round(None if one is None else one.detector_ms),
        "cpu_ratio_vs_plain_4": ratio(BOX_PEOPLE, 4),
        "cpu_ratio_vs_plain_4_nobody": ratio(BOX_NOBODY, 4),
        "cpu_ratio_vs_plain_4_at_2_looks": ratio(BOX, 4),
        "cpu_ratio_vs_plain_4_with_fire": ratio(BOX_PEOPLE, 4, PLAIN_FIRE),
        "cpu_ratio_vs_plain_4_with_fire_nobody": ratio(BOX_NOBODY, 4, PLAIN_FIRE),
        "cpu_ratio_vs_plain_1": ratio(BOX_PEOPLE, 1),
        **{
            f"{_key(each.load.name)}_{each.load.cameras}": {
                "cpu": round(each.load.cpu, 3),
                "pss_mb": round(each.load.pss_mb, 1),
                "looks_per_s": round(each.per_s, 2),
                "cpu_ms_per_look": _round(each.cpu_ms),
            }
            for each in measured
        },
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _key(name: str) -> str:
    return {
        BOX: "box_at_2_looks",
        BOX_NOBODY: "box_by_default_nobody",
        BOX_PEOPLE: "box_by_default_people",
        PLAIN: "plain",
        PLAIN_FIRE: "plain_with_fire",
    }[name]


def _table(measured: Sequence[Looked]) -> str:
    head = ("program", "cameras", "looks/s", "CPU %", "CPU ms a look", "detector ms", "PSS MB")
    rows = [
        (
            each.load.name,
            each.load.cameras,
            round(each.per_s, 2),
            round(each.load.cpu * 100, 1),
            _round(each.cpu_ms),
            _round(each.detector_ms),
            round(each.load.pss_mb, 1),
        )
        for each in measured
    ]
    return report.table(head, rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, return the exit status."""
    parser = argparse.ArgumentParser(prog="bench.detect", description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0, help="how long each is measured")
    parser.add_argument("--warm-up", type=float, default=15.0, help="seconds before measuring")
    parser.add_argument("--counts", default="1,4,16", help="numbers of cameras")
    parser.add_argument("--python", default=sys.executable, help="one that has ultralytics")
    parser.add_argument("--weights", default="yolo11n.yaml", help="of the plain script")
    given = parser.parse_args(arguments)
    counts = [int(count) for count in given.counts.split(",")]
    absent = missing(given.python)
    measured: list[Looked] = []
    with tempfile.TemporaryDirectory(prefix="bench-detect-") as folder:
        clock = SystemClock()
        meter = Meter(given.warm_up, given.seconds, clock)
        bench = Bench(Path(folder), meter, given.python, given.weights, clock)
        try:
            with real_cameras(Path(folder), max(counts), clock) as (origin, views):
                for count in counts:
                    print(f"{count} cameras …", flush=True)
                    people = views[View.PEOPLE][:count]
                    measured.append(bench.box(BOX, people, FPS))
                    measured.append(bench.box(BOX_PEOPLE, people, None))
                    measured.append(bench.box(BOX_NOBODY, views[View.NOBODY][:count], None))
                    if absent is None and count in PLAIN_COUNTS:
                        measured += [bench.plain(name, people) for name in (PLAIN, PLAIN_FIRE)]
        except (BoxError, NoFootageError, ProgramError, WaitedTooLongError) as error:
            print(f"FAILED: {error}")
            report.emit(sys.stdout, {"error": str(error)})
            return 1
    print(_table(measured))
    if absent is not None:
        print(f"{PLAIN}: not measured: {absent}")
    more = {"footage": origin.value, "not_measured": absent}
    report.emit(sys.stdout, figures(measured) | more)
    return 0


if __name__ == "__main__":
    sys.exit(main())
