"""``python -m bench.edge``: what the whole edge costs, beside ffmpeg and Motion, same cameras.

The edge records every main stream, shows one viewer each sub-stream and detects at 2 pictures a
second. CPU is user + system of the whole tree of processes, as a share of one core; memory is PSS.
Everything runs one after the other against the same camera server, which is not counted.
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import peers, report
from bench.box import BoxError, BoxInterface, BoxSettings, Viewer, is_live
from bench.hd_cameras import hd_cameras
from bench.load import Load, Meter, table
from bench.program import Program, ProgramError
from bench.wait import WaitedTooLongError, until
from protocol.clock import Clock, SystemClock
from village.settings import free_port

COUNTS = (1, 4)

_START_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how long to measure."""

    folder: Path
    meter: Meter
    model: str
    clock: Clock

    def edge(self, sources: Sequence[peers.Source]) -> Load:
        """Measure the edge on ``sources``."""
        folder = self._folder(f"edge-{len(sources)}")
        port = free_port()
        config = BoxSettings(folder, port, sources, self.model).write()
        command = (sys.executable, "-m", "edge", "run", "--config", str(config))
        box = BoxInterface(f"http://127.0.0.1:{port}")
        with contextlib.closing(box), Program(command, folder / "edge.log") as edge:
            until(
                lambda: is_live(edge, box, 2 * len(sources)),
                limit_s=_START_LIMIT_S,
                what="live cameras on the edge",
                clock=self.clock,
            )
            with contextlib.ExitStack() as stack:
                viewers = [
                    stack.enter_context(Viewer(f"ws://127.0.0.1:{port}/v1/live/{each.name}/sub"))
                    for each in sources
                ]
                looked, from_ns = _detected(box), self.clock.monotonic_ns()
                load = self.meter.measure("edge", len(sources), [edge], folder)
                took_s = (self.clock.monotonic_ns() - from_ns) / 1e9
                does = _describe(viewers, _detected(box) - looked, took_s)
        return replace(load, does=does)

    def peers(self, sources: Sequence[peers.Source]) -> tuple[list[Load], list[peers.Absent]]:
        """Measure every peer that is installed."""
        loads, absent = [], []
        for make in (peers.ffmpeg, peers.motion):
            folder = self._folder(make.__name__)
            peer = make(sources, folder)
            if isinstance(peer, peers.Absent):
                absent.append(peer)
            else:
                loads.append(self.meter.peer(peer, len(sources), folder))
        return loads, absent

    def _folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder


def figures(loads: Sequence[Load], absent: Sequence[peers.Absent]) -> dict[str, object]:
    """Return the figures of the last line; null where something was not measured."""
    known = {(load.name, load.cameras): load for load in loads}

    def cpu(name: str, cameras: int) -> float | None:
        load = known.get((name, cameras))
        return None if load is None else round(load.cpu, 4)

    def pss_mb(name: str, cameras: int) -> float | None:
        load = known.get((name, cameras))
        return None if load is None else round(load.pss_mb, 1)

    edge, floor = cpu("edge", 4), cpu("ffmpeg", 4)
    return {
        "edge_cpu_1": cpu("edge", 1),
        "edge_cpu_4": edge,
        "edge_pss_mb_1": pss_mb("edge", 1),
        "edge_pss_mb_4": pss_mb("edge", 4),
        "ffmpeg_cpu_4": floor,
        "ffmpeg_pss_mb_4": pss_mb("ffmpeg", 4),
        "motion_cpu_4": cpu("motion", 4),
        "motion_pss_mb_4": pss_mb("motion", 4),
        "cpu_ratio_4": round(edge / floor, 2) if edge and floor else None,
        "cpu_unit": "share of one core",
        "not_measured": {peer.name: peer.reason for peer in absent},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, return the exit status."""
    parser = argparse.ArgumentParser(prog="bench.edge", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each is measured")
    parser.add_argument("--warm-up", type=float, default=20.0, help="seconds before measuring")
    parser.add_argument("--model", default="auto", help="the person model, as in the manifest")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-edge-") as name:
        clock = SystemClock()
        meter = Meter(given.warm_up, given.seconds, clock)
        bench = Bench(Path(name), meter, given.model, clock)
        try:
            loads, absent = _run(bench)
        except (BoxError, ProgramError, WaitedTooLongError) as error:
            print(f"FAILED: {error}")
            report.emit(sys.stdout, {"error": str(error)})
            return 1
    print(table(loads))
    for load in loads:
        print(f"{load.name}, {load.cameras}: {load.does}")
    for peer in absent:
        print(f"{peer.name}: not measured: {peer.reason}")
    report.emit(sys.stdout, figures(loads, absent) | {"seconds": given.seconds})
    return 0


def _run(bench: Bench) -> tuple[list[Load], list[peers.Absent]]:
    loads = []
    with hd_cameras(bench.folder, max(COUNTS), bench.clock) as sources:
        for count in COUNTS:
            print(f"edge, {count} cameras …", flush=True)
            loads.append(bench.edge(sources[:count]))
        print("peers …", flush=True)
        others, absent = bench.peers(sources)
    return loads + others, absent


def _describe(viewers: Sequence[Viewer], detected: int, seconds: float) -> str:
    """Say what the edge did, from what its viewers and its detector's counter show."""
    errors = [viewer.error for viewer in viewers if viewer.error]
    if errors:
        return f"a viewer failed: {errors[0]}"
    shown = sum(viewer.pictures for viewer in viewers) / seconds / len(viewers)
    looked = detected / seconds / len(viewers)
    return (
        f"records the main stream of each camera; shows one viewer each its sub-stream "
        f"({shown:.1f} pictures/s); detects people in it ({looked:.2f} pictures/s each)"
    )


def _detected(box: BoxInterface) -> int:
    return int(box.health()["components"]["detector"]["figures"]["results"])


if __name__ == "__main__":
    sys.exit(main())
