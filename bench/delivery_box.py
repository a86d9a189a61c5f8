"""``python -m bench.delivery_box``: a box without cameras, in a process of its own, to be killed.

What is judged is real: desk, outbox in SQLite, sender. Only what rules would say is made up, from a
seeded source. SIGUSR1: report once more, now. SIGUSR2: report no more by itself, go on sending.
"""

import argparse
import random
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from bench.made_up import gathering
from bench.stepped_clock import OffsetClock
from edge.alerts.desk import Desk
from edge.alerts.event import EventWriter
from edge.bus.backoff import Backoff
from edge.bus.herald import Herald
from edge.bus.outbox import Outbox
from edge.bus.sender import Sender, Timing
from edge.config import CentreSection, EdgeConfig, Secret
from edge.db.database import Database
from edge.ports import Occurrence, Vitals
from protocol.clock import Clock, SystemClock
from protocol.ids import uuid7
from protocol.messages import AlertOp

#: The box's own database, below its folder.
DATABASE = "box.sqlite3"
#: What it prints when it can be told something.
READY = "READY"

#: The box's own times, but for how soon a broken connection is noticed and tried again: a round of
#: the bench has seconds where a village has minutes.
TIMING = Timing(reconnect=Backoff(0.2, 2.0), keepalive_s=5, silence_s=30.0)

_CAMERAS = ("square", "gate", "road")
_UPDATES = 0.2


class _Vitals:
    """A box about which nothing changes but its alerts."""

    def vitals(self) -> Vitals:
        return Vitals(
            disk_free_bytes=10**12,
            recording_bytes=0,
            detector="off",
            detector_model=None,
            cameras=(),
        )


class Reporter:
    """A desk, and who reports there: gatherings that begin, change and end at each camera."""

    def __init__(
        self,
        config: EdgeConfig,
        database: Database,
        sender: Sender,
        outbox: Outbox,
        clock: Clock,
        chance: random.Random,
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._queued = 0
        self._desk = Desk(
            config,
            database,
            outbox,
            clock,
            EventWriter(config, uuid7(clock.now())),
            on_commit=[sender.wake, self._count],
        )

    def _count(self) -> None:
        self._queued += 1

    def report(self) -> None:
        """Report until one more message is in the outbox. Raises StorageError."""
        before = self._queued
        while self._queued == before:
            self._desk.report(self._occurrence())

    def _occurrence(self) -> Occurrence:
        camera = self._chance.choice(_CAMERAS)
        is_open = any(alert.camera_id == camera for alert in self._desk.open_alerts())
        op = AlertOp.START
        if is_open:
            op = AlertOp.UPDATE if self._chance.random() < _UPDATES else AlertOp.END
        return gathering(op, camera, self._clock.now(), self._chance)


def configuration(folder: Path, box_id: str, region_code: str) -> EdgeConfig:
    """Return the configuration of a box with a few cameras, which nobody connects to."""
    return EdgeConfig.model_validate(
        {
            "box": {
                "id": box_id,
                "name": "下村值班室",
                "region_code": region_code,
                "data_dir": folder,
            },
            "cameras": [
                {
                    "id": camera,
                    "name": camera,
                    "grid_code": f"{region_code}001",
                    "main_url": f"rtsp://192.0.2.1/{camera}",
                    "rules": [{"id": "crowd"}],
                }
                for camera in _CAMERAS
            ],
        }
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Report and send until killed; SIGTERM ends it in order."""
    parser = argparse.ArgumentParser(prog="bench.delivery_box", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--box", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--port", type=int, required=True, help="of the broker, on loopback")
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--every-s", type=float, default=0.0, help="between reports")
    parser.add_argument("--reports", type=int, default=0, help="how many; -1: without end")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clock-file", type=Path, help="how far its clock is off: stepped_clock")
    given = parser.parse_args(arguments)
    clock: Clock = SystemClock()
    if given.clock_file is not None:
        clock = OffsetClock(clock, given.clock_file)
    config = configuration(given.folder, given.box, given.region)
    database = Database(given.folder / DATABASE)
    outbox = Outbox(database, clock)
    now = clock.now()
    herald = Herald(config.box, clock, boot_id=uuid7(now), software="bench", started_at=now)
    centre = CentreSection(
        mqtt_host="127.0.0.1",
        mqtt_port=given.port,
        mqtt_tls=False,
        http_url="http://127.0.0.1:1",
        token=Secret(file=given.token_file),
    )
    sender = Sender(centre, outbox, herald, _Vitals(), clock, timing=TIMING)
    reporter = Reporter(config, database, sender, outbox, clock, random.Random(given.seed))
    sender.start()
    _report(reporter, given.reports, given.every_s)
    sender.close()
    database.close()
    return 0


def _report(reporter: Reporter, reports: int, every_s: float) -> None:
    """Report ``reports`` times and whenever asked to, until SIGTERM."""
    wake, ending, left = threading.Event(), threading.Event(), [reports, 0]

    def once_more(*_: object) -> None:
        left[1] += 1
        wake.set()

    def no_more(*_: object) -> None:
        left[0] = 0

    def end(*_: object) -> None:
        ending.set()
        wake.set()

    for number, handler in (
        (signal.SIGUSR1, once_more),
        (signal.SIGUSR2, no_more),
        (signal.SIGTERM, end),
    ):
        signal.signal(number, handler)
    print(READY, flush=True)
    while not ending.is_set():
        if left[1]:
            left[1] -= 1
            reporter.report()
        elif left[0]:
            left[0] -= 1
            reporter.report()
            wake.wait(every_s)
        else:
            wake.wait(0.5)
        wake.clear()


if __name__ == "__main__":
    sys.exit(main())
