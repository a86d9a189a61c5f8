"""What running programs cost, measured: CPU and memory of their trees, and what they write."""

import contextlib
import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import peers, process, report
from bench.program import Program
from protocol.clock import Clock

_MEMORY_SAMPLES = 5
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Load:
    """What a program cost over the measured time, and how much it wrote to disk meanwhile.

    ``cpu`` is user + system of the whole tree as a share of one core; memory is PSS.
    """

    name: str
    cameras: int
    cpu: float
    pss_mb: float
    processes: int
    written_mbit_s: float
    does: str


@dataclass(frozen=True, slots=True)
class Meter:
    """How long to wait before measuring, and how long to measure."""

    warm_up_s: float
    seconds: float
    clock: Clock

    def measure(self, name: str, cameras: int, programs: Sequence[Program], folder: Path) -> Load:
        """Return what ``programs`` cost together; they write their files below ``folder``.

        Raises ProgramError where one of them ended.
        """
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

    def peer(self, peer: peers.Peer, cameras: int, folder: Path) -> Load:
        """Start a peer, measure it and stop it."""
        with contextlib.ExitStack() as stack:
            programs = [
                stack.enter_context(Program(command, folder / f"{peer.name}-{number}.log"))
                for number, command in enumerate(peer.commands)
            ]
            load = self.measure(peer.name, cameras, programs, folder)
        return replace(load, does=peer.does)


def table(loads: Sequence[Load]) -> str:
    """Return loads as a table for people."""
    head = ("program", "cameras", "CPU %", "PSS MB", "processes", "written Mbit/s")
    rows = [
        (
            load.name,
            load.cameras,
            round(load.cpu * 100, 2),
            round(load.pss_mb, 1),
            load.processes,
            round(load.written_mbit_s, 1),
        )
        for load in loads
    ]
    return report.table(head, rows)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.mp4"))
