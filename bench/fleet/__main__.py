"""``python -m bench.fleet``: some of a fleet's boxes in one process; SIGTERM ends them in order.

SIGUSR2: no more alerts and no more outages; what waits is still sent. Four times a second it writes
what they have done to ``--status``, as one JSON object.
"""

import argparse
import asyncio
import json
import random
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from bench.centre_rig import token_of
from bench.delivery_box import configuration
from bench.fleet.box import FleetBox, Tally
from bench.fleet.connection import Address
from bench.fleet.processes import box_name
from edge.bus.sender import Timing
from protocol.clock import SystemClock

_STATUS_EVERY_S = 0.25


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the boxes until SIGTERM."""
    parser = argparse.ArgumentParser(prog="bench.fleet", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="of the broker, on loopback")
    parser.add_argument("--region", required=True)
    parser.add_argument("--first", type=int, default=0, help="the first box's number")
    parser.add_argument("--boxes", type=int, required=True)
    parser.add_argument("--queued", type=int, default=0, help="alerts of each box at the start")
    parser.add_argument("--alerts-per-s", type=float, default=0.0, help="of all boxes together")
    parser.add_argument("--outages-per-s", type=float, default=0.0, help="lines that fail")
    parser.add_argument("--outage-s", type=float, default=20.0, help="for how long each")
    parser.add_argument("--connect-over-s", type=float, default=0.0, help="not all at once")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--status", type=Path, required=True, help="a file")
    given = parser.parse_args(arguments)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_run(given))
    return 0


async def _run(given: argparse.Namespace) -> None:
    ending = asyncio.Event()
    quiet = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, quiet.set)
    clock, tally, chance = SystemClock(), Tally(), random.Random(given.seed)
    boxes = []
    for number in range(given.first, given.first + given.boxes):
        name = box_name(number)
        box = FleetBox(
            configuration(Path("/nowhere"), name, given.region),
            Address("127.0.0.1", given.port, name, token_of(name), Timing().keepalive_s),
            Timing(),
            clock,
            random.Random(chance.random()),
            tally,
        )
        for _ in range(given.queued):
            box.report()
        boxes.append(box)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_late(box, chance.uniform(0, given.connect_over_s))) for box in boxes
        ]
        for per_s, happens in (
            (given.alerts_per_s, FleetBox.report),
            (given.outages_per_s, partial(FleetBox.cut_off, seconds=given.outage_s)),
        ):
            tasks.append(group.create_task(_now_and_then(boxes, per_s, happens, quiet, chance)))
        while not ending.is_set():
            _write(given.status, boxes, tally)
            try:
                async with asyncio.timeout(_STATUS_EVERY_S):
                    await ending.wait()
            except TimeoutError:
                continue
        for task in tasks:
            task.cancel()
    _write(given.status, boxes, tally)


async def _late(box: FleetBox, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await box.run()


async def _now_and_then(
    boxes: Sequence[FleetBox],
    per_s: float,
    happens: Callable[[FleetBox], None],
    quiet: asyncio.Event,
    chance: random.Random,
) -> None:
    """Let something happen to one box after the other, at random moments."""
    while per_s > 0 and not quiet.is_set():
        await asyncio.sleep(chance.expovariate(per_s))
        happens(chance.choice(boxes))


def _write(path: Path, boxes: Sequence[FleetBox], tally: Tally) -> None:
    loads = [box.outbox.load() for box in boxes]
    status = asdict(tally) | {
        "boxes": len(boxes),
        "reported": sum(load.last_sequence for load in loads),
        "waiting": sum(load.rows for load in loads),
    }
    new = path.with_suffix(".new")
    new.write_text(json.dumps(status))
    new.replace(path)


if __name__ == "__main__":
    sys.exit(main())
