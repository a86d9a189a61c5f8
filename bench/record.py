"""``python -m bench.record``: what recording alone costs, beside ffmpeg and Motion.

The recorder takes the main stream of 1, 4, 8 and 16 cameras of 1080p25 at 4 Mbit/s and does nothing
else; ``ffmpeg -c copy`` takes the same ones, one process a camera. They run one after the other
against the same camera server, which is not counted, as often as told; medians count. CPU is user +
system of the whole tree of processes, as a share of one core; memory is PSS.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import continuity, peers, report
from bench.box import BoxError, BoxInterface, BoxSettings, is_live
from bench.continuity import Continuity
from bench.hd_cameras import hd_cameras
from bench.load import Load, Meter, table
from bench.program import Program, ProgramError
from bench.wait import WaitedTooLongError, until
from protocol.clock import Clock, SystemClock
from village.settings import free_port

COUNTS = (1, 4, 8, 16)
#: Motion decodes every picture of its sub-streams: more cameras would measure this machine's end.
MOTION_COUNT = 4
RECORDER = "recorder"

_START_LIMIT_S = 60.0
_DOES = "records the main stream of each camera in fragments of at most 1 s, indexed and hashed"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A measurement of the recorder and what its files hold."""

    load: Load
    cameras: tuple[Continuity, ...]


class Bench:
    """One place on the disk, one camera server, one meter. Every measurement has its own folder."""

    def __init__(self, folder: Path, meter: Meter, clock: Clock) -> None:
        self._folder = folder
        self._meter = meter
        self._clock = clock
        self._count = 0

    def recorder(self, sources: Sequence[peers.Source]) -> Recorded:
        """Measure the recorder, stop it, and read back what it recorded."""
        folder, port = self._new_folder(), free_port()
        config = BoxSettings(folder, port, sources, watches=False).write()
        command = (sys.executable, "-m", "edge", "run", "--config", str(config))
        box = BoxInterface(f"http://127.0.0.1:{port}")
        with contextlib.closing(box), Program(command, folder / "edge.log") as edge:
            until(
                lambda: is_live(edge, box, len(sources)),
                limit_s=_START_LIMIT_S,
                what="live cameras on the recorder",
                clock=self._clock,
            )
            load = self._meter.measure(RECORDER, len(sources), [edge], folder)
        data = folder / "data"
        found = continuity.read(data / "box.db", data / "recordings")
        if len(found) != len(sources):
            raise BoxError(f"{len(found)} of {len(sources)} cameras were recorded")
        return Recorded(replace(load, does=_DOES), found)

    def peer(
        self,
        make: Callable[[Sequence[peers.Source], Path], peers.Peer | peers.Absent],
        sources: Sequence[peers.Source],
    ) -> Load | peers.Absent:
        """Measure a peer, if it is installed."""
        folder = self._new_folder()
        peer = make(sources, folder)
        if isinstance(peer, peers.Absent):
            return peer
        return self._meter.peer(peer, len(sources), folder)

    def _new_folder(self) -> Path:
        self._count += 1
        folder = self._folder / f"{self._count:03}"
        folder.mkdir()
        return folder


@dataclass(slots=True)
class Results:
    """Everything measured, in order."""

    loads: list[Load]
    absent: dict[str, peers.Absent]
    cameras: list[Continuity]

    def medians(self) -> list[Load]:
        """Return one load a program and count: the median of each figure."""
        groups: dict[tuple[str, int], list[Load]] = {}
        for load in self.loads:
            groups.setdefault((load.name, load.cameras), []).append(load)
        return [
            replace(
                group[0],
                cpu=statistics.median(load.cpu for load in group),
                pss_mb=statistics.median(load.pss_mb for load in group),
                written_mbit_s=statistics.median(load.written_mbit_s for load in group),
            )
            for _, group in sorted(groups.items(), key=lambda item: (item[0][1], item[0][0]))
        ]

    def add(self, measured: Load | peers.Absent) -> None:
        """Keep what a peer's measurement came to."""
        if isinstance(measured, Load):
            self.loads.append(measured)
        else:
            self.absent[measured.name] = measured


def figures(results: Results) -> dict[str, object]:
    """Return the figures of the last line; null where something was not measured."""
    known = {(load.name, load.cameras): load for load in results.medians()}

    def ratio(of: Callable[[Load], float], peer: str, cameras: int) -> float | None:
        ours, theirs = known.get((RECORDER, cameras)), known.get((peer, cameras))
        if ours is None or theirs is None:
            return None
        return round(of(ours) / of(theirs), 2)

    found: dict[str, object] = {}
    for count in COUNTS:
        found[f"cpu_ratio_{count}"] = ratio(_cpu, "ffmpeg", count)
        found[f"memory_ratio_{count}"] = ratio(_pss_mb, "ffmpeg", count)
    found["motion_cpu_ratio_4"] = ratio(_cpu, "motion", MOTION_COUNT)
    found["pictures"] = sum(camera.pictures for camera in results.cameras)
    found["missing_packets"] = sum(camera.missing for camera in results.cameras)
    found["broken_runs"] = sum(camera.runs - 1 for camera in results.cameras)
    found["not_measured"] = {name: peer.reason for name, peer in results.absent.items()}
    return found


def _cpu(load: Load) -> float:
    return load.cpu


def _pss_mb(load: Load) -> float:
    return load.pss_mb


def measure(bench: Bench, sources: Sequence[peers.Source], repeats: int) -> Results:
    """Measure everything ``repeats`` times, recorder and peers by turns."""
    results = Results([], {}, [])
    for turn in range(1, repeats + 1):
        for count in (each for each in COUNTS if each <= len(sources)):
            print(f"turn {turn}, {count} cameras …", flush=True)
            recorded = bench.recorder(sources[:count])
            results.loads.append(recorded.load)
            results.cameras += recorded.cameras
            results.add(bench.peer(peers.ffmpeg, sources[:count]))
            if count == MOTION_COUNT:
                results.add(bench.peer(peers.motion, sources[:count]))
    return results


def _show(results: Results) -> None:
    print(table(results.medians()))
    for name, does in {load.name: load.does for load in results.loads}.items():
        print(f"{name}: {does}")
    for peer in results.absent.values():
        print(f"{peer.name}: not measured: {peer.reason}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, return the exit status: 0 only if not one packet is missing."""
    parser = argparse.ArgumentParser(prog="bench.record", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each is measured")
    parser.add_argument("--warm-up", type=float, default=15.0, help="seconds before measuring")
    parser.add_argument("--repeats", type=int, default=3, help="of everything (3)")
    parser.add_argument("--cameras", type=int, default=max(COUNTS), help="at most so many (16)")
    given = parser.parse_args(arguments)
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="bench-record-") as name:
        folder = Path(name)
        try:
            with hd_cameras(folder, given.cameras, clock) as sources:
                bench = Bench(folder, Meter(given.warm_up, given.seconds, clock), clock)
                results = measure(bench, sources, given.repeats)
        except (BoxError, ProgramError, WaitedTooLongError) as error:
            print(f"FAILED: {error}")
            report.emit(sys.stdout, {"error": str(error)})
            return 1
    _show(results)
    shown = figures(results) | {"repeats": given.repeats, "seconds": given.seconds}
    report.emit(sys.stdout, shown)
    return 0 if shown["missing_packets"] == shown["broken_runs"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
