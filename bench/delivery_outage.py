"""A box whose uplink was down for 72 hours: its backlog, and an alert of now in the midst of it."""

import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Self
from uuid import UUID

from bench.delivery_rig import ChaosBox, DatabaseKind, DeliveryRig, SetUp
from bench.fault_proxy import Character
from bench.reckoning import Reckoning
from bench.report import rounded
from bench.stepped_clock import SteppedClock
from bench.wait import until
from protocol.clock import Clock
from village.broker.broker import BrokerKind

LASTED = timedelta(hours=72)
#: An alert of now is shown within this, whatever waits before it.
MOST_LIVE_S = 5.0

_STEPS = 72
_LIVE_AT = (0.2, 0.4, 0.6)
_QUEUE_S = 600.0
_DRAIN_S = 900.0
_POLL_S = 0.05
_LINK = Character(delay_s=0.06)


@dataclass(frozen=True, slots=True)
class Outage:
    """What became of the backlog.

    ``out_of_order`` are backlog events stored after a later one of the backlog, ``not_late`` alerts
    of the outage that call people as if they were news, ``live_late`` those of now that do not.
    Times in seconds.
    """

    queued: int = 0
    drain_s: float = 0.0
    live_s: tuple[float, ...] = ()
    out_of_order: int = 0
    not_late: int = 0
    live_late: int = 0
    faults: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all of it is as it must be."""
        return not (self.out_of_order or self.not_late or self.live_late or self.faults) and (
            max(self.live_s, default=0.0) <= MOST_LIVE_S
        )

    def figures(self) -> dict[str, object]:
        """Return the figures for the last line."""
        return {
            "outage_queued": self.queued,
            "outage_drain_s": rounded(self.drain_s),
            "outage_live_s_max": rounded(max(self.live_s, default=None), 2),
            "outage_out_of_order": self.out_of_order,
            "outage_not_late": self.not_late,
        }

    def words(self) -> str:
        """Return the outcome for people."""
        live = ", ".join(f"{seconds:.2f}" for seconds in self.live_s)
        words = (
            f"72 h outage: {self.queued} events drained in {self.drain_s:.1f} s, "
            f"{self.out_of_order} out of order, {self.not_late} of the past shown as news; "
            f"alerts of now meanwhile at the centre after {live} s"
        )
        return "\n".join([words, *(f"FAULT {fault}" for fault in self.faults)])

    @classmethod
    def endured(cls, events: int, folder: Path, clock: Clock, chance: random.Random) -> Self:
        """Queue so many events over 72 hours of a moved clock, then let them out."""
        folder.mkdir()
        wall = SteppedClock(clock, folder / "clock")
        wall.step(-LASTED)
        set_up = SetUp(BrokerKind.EMBEDDED, DatabaseKind.SQLITE)
        with DeliveryRig(folder / "line", set_up, 1, clock, chance, wall.file) as rig:
            rig.link.refuse(on=True)
            box = rig.boxes[0]
            box.start(seed=chance.randrange(2**32), reports=events, every_s=0.0)
            _let_time_pass(box, events, wall, clock)
            rig.link.become(_LINK)
            rig.link.refuse(on=False)
            began_ns = clock.monotonic_ns()
            live_s = tuple(_alert_of_now(rig, box, round(events * at), clock) for at in _LIVE_AT)
            until(
                lambda: box.size()[1] == 0,
                limit_s=_DRAIN_S,
                what="the backlog is gone",
                clock=clock,
            )
            drain_s = (clock.monotonic_ns() - began_ns) / 1e9
            return cls._judged(events, drain_s, live_s, rig.reckon()[0])

    @classmethod
    def _judged(
        cls, events: int, drain_s: float, live_s: tuple[float, ...], reckoning: Reckoning
    ) -> Self:
        past, now = _split(reckoning, events)
        return cls(
            queued=events,
            drain_s=drain_s,
            live_s=live_s,
            out_of_order=out_of_order(
                [each.sequence for each in reckoning.stored if each.sequence <= events]
            ),
            not_late=sum(not reckoning.alerts[each].late for each in past),
            live_late=sum(reckoning.alerts[each].late for each in now),
            faults=tuple(reckoning.faults()),
        )


def out_of_order(sequences: Sequence[int]) -> int:
    """Return how many come right after a higher one: pure."""
    return sum(later < earlier for earlier, later in pairwise(sequences))


def _split(reckoning: Reckoning, events: int) -> tuple[set[UUID], set[UUID]]:
    """Return the alerts of which everything is past, and those that go on now and began now."""
    known = reckoning.alerts.keys()
    now = {each.alert_id for each in reckoning.sent if each.sequence > events} & known
    past = {each.alert_id for each in reckoning.sent if each.sequence <= events} & known
    return past - now, now - past


def _let_time_pass(box: ChaosBox, events: int, wall: SteppedClock, clock: Clock) -> None:
    """Move the box's clock on as its outbox fills, so that it is right when all are queued."""
    for step in range(1, _STEPS + 1):
        goal = events * step // _STEPS
        until(
            lambda goal=goal: box.size()[0] >= goal,  # type: ignore[misc]  # bound at once
            limit_s=_QUEUE_S,
            what=f"{goal} events are queued",
            clock=clock,
            every_s=_POLL_S,
        )
        wall.step(LASTED / _STEPS)


def _alert_of_now(rig: DeliveryRig, box: ChaosBox, after: int, clock: Clock) -> float:
    """Once so much of the backlog is stored, report once, and return how long it takes."""
    until(
        lambda: (rig.stored() or 0) >= after,
        limit_s=_DRAIN_S,
        what=f"{after} events are stored",
        clock=clock,
        every_s=_POLL_S,
    )
    sequence = box.size()[0] + 1
    box.tell(signal.SIGUSR1, clock)
    began_ns = clock.monotonic_ns()
    until(
        lambda: rig.has_stored(box, sequence),
        limit_s=_DRAIN_S,
        what="the alert of now arrives",
        clock=clock,
        every_s=_POLL_S,
    )
    return (clock.monotonic_ns() - began_ns) / 1e9
