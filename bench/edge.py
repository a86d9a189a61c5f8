"""``python -m bench.edge``: what the whole edge costs, beside ffmpeg and Motion, same cameras.

The edge records every main stream, shows one viewer each sub-stream and detects at 2 pictures a
second. CPU is user + system of the whole tree of processes, as a share of one core; memory is PSS.
Everything runs one after the other against the same camera server, which is not counted.
"""

import argparse
import contextlib
import socket
import statistics
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from bench import peers, process, report
from bench.box import BoxError, BoxInterface, BoxSettings, Viewer
from bench.camera import Camera
from bench.pictures import Pictures
from bench.program import Program, ProgramError
from bench.wait import WaitedTooLongError, until
from protocol.clock import Clock, SystemClock
from village.testcam.programme import Mount

MAIN = Pictures(width=1920, height=1080, fps=25, bits_per_s=4_000_000, seconds=12, gop=50)
SUB = Pictures(width=640, height=360, fps=10, bits_per_s=500_000, seconds=12, gop=20)
COUNTS = (1, 4)

_START_LIMIT_S = 60.0
_MEMORY_SAMPLES = 5
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Load:
    """What a program cost over the measured time, and how much it wrote to disk meanwhile."""

    name: str
    cameras: int
    cpu: float
    pss_mb: float
    processes: int
    written_mbit_s: float
    does: str


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how long to measure."""

    folder: Path
    seconds: float
    warm_up_s: float
    model: str
    clock: Clock

    def edge(self, sources: Sequence[peers.Source]) -> Load:
        """Measure the edge on ``sources``."""
        folder = self._folder(f"edge-{len(sources)}")
        port = _free_port()
        config = BoxSettings(folder, port, sources, self.model).write()
        command = (sys.executable, "-m", "edge", "run", "--config", str(config))
        box = BoxInterface(f"http://127.0.0.1:{port}")
        with contextlib.closing(box), Program(command, folder / "edge.log") as edge:
            until(
                lambda: _is_live(edge, box, 2 * len(sources)),
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
                load = self._measure("edge", len(sources), [edge], folder)
                took_s = (self.clock.monotonic_ns() - from_ns) / 1e9
                does = _describe(viewers, _detected(box) - looked, took_s)
        return replace(load, does=does)

    def peer(self, peer: peers.Peer, cameras: int, folder: Path) -> Load:
        """Measure a peer."""
        with contextlib.ExitStack() as stack:
            programs = [
                stack.enter_context(Program(command, folder / f"{peer.name}-{number}.log"))
                for number, command in enumerate(peer.commands)
            ]
            load = self._measure(peer.name, cameras, programs, folder)
        return replace(load, does=peer.does)

    def peers(self, sources: Sequence[peers.Source]) -> tuple[list[Load], list[peers.Absent]]:
        """Measure every peer that is installed."""
        loads, absent = [], []
        for make in (peers.ffmpeg, peers.motion):
            folder = self._folder(make.__name__)
            peer = make(sources, folder)
            if isinstance(peer, peers.Absent):
                absent.append(peer)
            else:
                loads.append(self.peer(peer, len(sources), folder))
        return loads, absent

    def _measure(self, name: str, cameras: int, programs: Sequence[Program], folder: Path) -> Load:
        pause = threading.Event()
        pause.wait(self.warm_up_s)
        pids = [program.pid for program in programs]
        before, wrote, from_ns = process.usage(pids), _size(folder), self.clock.monotonic_ns()
        memory = []
        for _ in range(_MEMORY_SAMPLES):
            pause.wait(self.seconds / _MEMORY_SAMPLES)
            after = process.usage(pids)
            memory.append(after.pss_bytes)
        took_s = (self.clock.monotonic_ns() - from_ns) / 1e9
        for program in programs:
            program.check()
        return Load(
            name=name,
            cameras=cameras,
            cpu=(after.cpu_s - before.cpu_s) / took_s,
            pss_mb=statistics.median(memory) / _MB,
            processes=after.processes,
            written_mbit_s=(_size(folder) - wrote) * 8 / took_s / 1e6,
            does="",
        )

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
        bench = Bench(Path(name), given.seconds, given.warm_up, given.model, SystemClock())
        try:
            loads, absent = _run(bench)
        except (BoxError, ProgramError, WaitedTooLongError) as error:
            print(f"FAILED: {error}")
            report.emit(sys.stdout, {"error": str(error)})
            return 1
    rows = [
        (
            load.name,
            load.cameras,
            round(load.cpu * 100, 1),
            round(load.pss_mb, 1),
            load.processes,
            round(load.written_mbit_s, 1),
        )
        for load in loads
    ]
    head = ("program", "cameras", "CPU %", "PSS MB", "processes", "written Mbit/s")
    print(report.table(head, rows))
    for load in loads:
        print(f"{load.name}, {load.cameras}: {load.does}")
    for peer in absent:
        print(f"{peer.name}: not measured: {peer.reason}")
    report.emit(sys.stdout, figures(loads, absent) | {"seconds": given.seconds})
    return 0


def _run(bench: Bench) -> tuple[list[Load], list[peers.Absent]]:
    print("making test pictures …", flush=True)
    main_file, sub_file = bench.folder / "main.h264", bench.folder / "sub.h264"
    MAIN.write(main_file)
    SUB.write(sub_file)
    mounts = [
        mount
        for number in range(1, max(COUNTS) + 1)
        for mount in (
            Mount(f"/{number}/main", main_file, Fraction(MAIN.fps)),
            Mount(f"/{number}/sub", sub_file, Fraction(SUB.fps)),
        )
    ]
    loads = []
    with Camera(mounts, bench.folder, bench.clock) as camera:
        sources = [
            peers.Source(
                f"cam-{number:02}",
                camera.url(f"/{number}/main"),
                camera.url(f"/{number}/sub"),
                SUB.fps,
            )
            for number in range(1, max(COUNTS) + 1)
        ]
        for count in COUNTS:
            print(f"edge, {count} cameras …", flush=True)
            loads.append(bench.edge(sources[:count]))
        print("peers …", flush=True)
        others, absent = bench.peers(sources)
    return loads + others, absent


def _is_live(edge: Program, box: BoxInterface, streams: int) -> bool:
    edge.check()
    try:
        return box.live_streams() == streams
    except BoxError:  # it is not listening yet
        return False


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


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.mp4"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
