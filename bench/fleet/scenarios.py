"""What a fleet is put through, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from bench.centre_rig import WALL, WALL_PASSWORD
from bench.delivery_rig import ChaosBox
from bench.fleet.line import REGION, FleetLine
from bench.fleet.processes import Fleet
from bench.fleet.raw import InsertRates, insert_rates, subscribe_rate
from bench.fleet.wall import Wall
from bench.wait import until
from protocol.clock import Clock

#: The box of the wall's measure: a real one.
REAL_BOX = "real-box"

#: Messages that the consumer stores at once, at most (central.ingest.consumer).
_BATCH = 1000
_SETTLE_S = 300.0
_POLL_S = 0.05
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Throughput:
    """Events a second: what the consumer commits, and what the parts do by themselves."""

    events: int
    boxes: int
    committed: float
    subscribed: float
    inserted: InsertRates
    faults: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """What is committed, as a share of the smaller of what broker and database can do."""
        return self.committed / min(self.subscribed, self.inserted.every_row)

    @classmethod
    def measured(cls, folder: Path, boxes: int, events: int, clock: Clock) -> Self:
        """Let boxes deliver a backlog of fresh alerts to a consumer that has just come up."""
        with FleetLine(folder, boxes, clock) as line:
            names = Fleet.names(boxes)
            subscribed = subscribe_rate(line.broker.port, REGION, names, events)
            each = events // boxes
            with line.fleet(boxes, queued=each) as fleet:
                until(
                    lambda: fleet.done()["connected"] == boxes,
                    limit_s=_SETTLE_S,
                    what="every box is connected",
                    clock=clock,
                )
                line.consumer.start()
                committed = _rate(line.received, each * boxes, clock)
                until(
                    lambda: fleet.done()["waiting"] == 0,
                    limit_s=_SETTLE_S,
                    what="every event has its receipt",
                    clock=clock,
                )
            line.consumer.stop()
            inserted = insert_rates(line.database_url, _BATCH)
            faults = tuple(line.faults(each * boxes))
        return cls(each * boxes, boxes, committed, subscribed, inserted, faults)


def _rate(count: Callable[[], int], whole: int, clock: Clock) -> float:
    """Return how many a second are counted, from when there was none last until all are there."""
    began_ns = clock.monotonic_ns()

    def is_whole() -> bool:
        nonlocal began_ns
        before_ns, found = clock.monotonic_ns(), count()
        if not found:
            began_ns = before_ns
        return found >= whole

    until(is_whole, limit_s=_SETTLE_S, what=f"{whole} events arrive", clock=clock, every_s=_POLL_S)
    return whole * _NS / (clock.monotonic_ns() - began_ns)


@dataclass(frozen=True, slots=True)
class ToWall:
    """How long it took in an idle system from a box's decision to the wall, in milliseconds."""

    ms: tuple[float, ...]

    @classmethod
    def measured(cls, folder: Path, reports: int, clock: Clock) -> Self:
        """Let one real box report now and then: desk, outbox, broker, consumer, feed."""
        with FleetLine(folder, 0, clock, REAL_BOX) as line:
            line.consumer.start()
            line.service.start()
            _wait_service(line, clock)
            box = ChaosBox(folder / "box", REAL_BOX, line.broker.port)
            with Wall(line.web, WALL, WALL_PASSWORD, clock) as wall:
                box.start(seed=1, reports=reports, every_s=0.4)
                try:
                    until(
                        lambda: line.received() >= reports,
                        limit_s=_SETTLE_S,
                        what="every report arrives",
                        clock=clock,
                    )
                finally:
                    box.kill()
                return cls(tuple(each.ms for each in wall.shown()))


def _wait_service(line: FleetLine, clock: Clock) -> None:
    def answers() -> bool:
        line.service.check()
        return "serve.ready" in line.service.tail()

    until(answers, limit_s=_SETTLE_S, what="the centre serves", clock=clock)


@dataclass(frozen=True, slots=True)
class Storm:
    """A broker that was killed under a whole fleet. Times in seconds, memory in bytes a box.

    ``reconnect_s`` is from the broker's return until every box is connected, was heard of since,
    and has nothing left to send.
    """

    boxes: int
    connect_s: float
    reconnect_s: float
    broker_bytes: float
    centre_bytes: float
    reported: int
    faults: tuple[str, ...]

    @classmethod
    def endured(
        cls, folder: Path, boxes: int, alerts_per_s: float, down_s: float, clock: Clock
    ) -> Self:
        """Connect a fleet that goes on alerting, kill the broker, and wait until all is well."""
        with FleetLine(folder, boxes, clock) as line:
            start_consumer(line, clock)
            before = line.memory()
            with line.fleet(boxes, alerts_per_s=alerts_per_s) as fleet:
                connect_s = all_well(line, fleet, clock, clock.now())
                after = line.memory()
                line.kill_broker()
                pass_time(down_s, clock)
                gone_at = clock.now()
                line.broker.start()
                reconnect_s = all_well(line, fleet, clock, gone_at)
                reported = drain(line, fleet, clock)
            faults = tuple(line.faults(reported))
        return cls(
            boxes,
            connect_s,
            reconnect_s,
            (after[0] - before[0]) / boxes,
            (after[1] - before[1]) / boxes,
            reported,
            faults,
        )


def start_consumer(line: FleetLine, clock: Clock) -> None:
    """Start the consumer and wait until it is connected. Raises WaitedTooLongError."""
    line.consumer.start()
    until(
        lambda: "consumer.up" in line.consumer.tail(),
        limit_s=_SETTLE_S,
        what="the consumer is up",
        clock=clock,
    )


def drain(line: FleetLine, fleet: Fleet, clock: Clock) -> int:
    """Let the boxes report no more and wait until all of it has come; return how much it is."""
    fleet.quieten()
    before: list[int] = []

    def is_quiet() -> bool:
        done = fleet.done()
        before.append(done["reported"])
        return (
            before[-2:] == [done["reported"]] * 2
            and done["waiting"] == 0
            and line.received() == done["reported"]
        )

    until(is_quiet, limit_s=_SETTLE_S, what="every event arrives", clock=clock, every_s=1.0)
    return before[-1]


def all_well(
    line: FleetLine, fleet: Fleet, clock: Clock, since: datetime, *, away: bool = False
) -> float:
    """Return how many seconds from now it took until every box is heard of and owes nothing.

    Heard of ``since`` the last time when no box could be. ``away``: lines fail meanwhile, so that
    some boxes may be cut off, and owe something.
    """
    began_ns = clock.monotonic_ns()

    def is_well() -> bool:
        if away:
            return line.seen_since(since) >= 0.95 * fleet.boxes
        done = fleet.done()
        return (
            done["connected"] == fleet.boxes
            and line.seen_since(since) == fleet.boxes
            and done["waiting"] == 0
        )

    until(is_well, limit_s=_SETTLE_S, what="every box is back", clock=clock, every_s=_POLL_S)
    return (clock.monotonic_ns() - began_ns) / _NS


def pass_time(seconds: float, clock: Clock) -> None:
    """Wait."""
    ends_ns = clock.monotonic_ns() + round(seconds * _NS)
    until(
        lambda: clock.monotonic_ns() >= ends_ns,
        limit_s=seconds + 60,
        what="time passes",
        clock=clock,
        every_s=0.05,
    )
