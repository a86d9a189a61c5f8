"""The processes that a fleet's boxes run in, and what they have done, all together."""

import json
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Self

from bench.program import Program

#: Boxes a process: so many are a tenth of a core with alerts and heartbeats as in use.
BOXES_EACH = 500


def box_name(number: int) -> str:
    """Return the id of one of the fleet's boxes."""
    return f"fleet-{number:04d}"


def shares(boxes: int, each: int = BOXES_EACH) -> list[tuple[int, int]]:
    """Return the first number and the count of each process's boxes, as even as can be: pure."""
    processes = -(-boxes // each)
    ends = [boxes * number // processes for number in range(processes + 1)]
    return [(first, last - first) for first, last in pairwise(ends)]


class Fleet:
    """So many boxes, from the number 0 on; a context. ``rates`` are options of bench.fleet."""

    def __init__(
        self, folder: Path, port: int, region: str, boxes: int, rates: Mapping[str, float]
    ) -> None:
        self._folder = folder
        self._port = port
        self._region = region
        self._rates = dict(rates)
        self._shares = shares(boxes)
        self._programs: list[Program] = []
        self.boxes = boxes

    @staticmethod
    def names(boxes: int) -> list[str]:
        """Return the ids of so many boxes."""
        return [box_name(number) for number in range(boxes)]

    def __enter__(self) -> Self:
        """Start the processes; their boxes connect by themselves."""
        self._folder.mkdir(exist_ok=True)
        for number, (first, count) in enumerate(self._shares):
            given = {
                "port": self._port,
                "region": self._region,
                "first": first,
                "boxes": count,
                "seed": number,
                "status": self._status(number),
            }
            rates = {
                name: value / len(self._shares) if name.endswith("-per-s") else value
                for name, value in self._rates.items()
            }
            words = [f"--{name}={value}" for name, value in {**given, **rates}.items()]
            log = self._folder / f"fleet-{number}.log"
            program = Program([sys.executable, "-m", "bench.fleet", *words], log)
            program.start()
            self._programs.append(program)
        return self

    def __exit__(self, *_: object) -> None:
        """Let the boxes go, in order."""
        for program in self._programs:
            program.stop()

    def quieten(self) -> None:
        """Let the boxes report no more; what waits is still sent."""
        for program in self._programs:
            program.signal(signal.SIGUSR2)

    def done(self) -> Counter[str]:
        """Return what the boxes have done (bench.fleet.box.Tally), a quarter of a second ago.

        Raises ProgramError where a process has ended.
        """
        for program in self._programs:
            program.check()
        return self.done_at_last()

    def done_at_last(self) -> Counter[str]:
        """Return what they had done when they last wrote it, also once they have ended."""
        total: Counter[str] = Counter()
        for number in range(len(self._shares)):
            if self._status(number).exists():
                total.update(json.loads(self._status(number).read_text()))
        return total

    def _status(self, number: int) -> Path:
        return self._folder / f"fleet-{number}.json"
