"""``python -m bench.chaos_delivery``: kill everything between an alert and the centre, then count.

Boxes report over a bad link while ``kill -9`` hits a box, the broker, the centre (in one set-up one
of its three consumers), its database or all of them, at random instants, and the link stalls,
resets, is cut inside a packet, left half open or refuses. At the end every event of every box's own
outbox must be in the centre's database once, with the same bytes, and the centre's own ledger must
say that each chain is whole (protocol I9).
The second part is a box that was cut off for 72 hours.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import report
from bench.delivery_outage import Outage
from bench.delivery_rig import DatabaseKind, DeliveryRig, SetUp, Story
from bench.program import ProgramError
from bench.reckoning import Reckoning
from bench.report import percentile, rounded
from bench.wait import WaitedTooLongError
from central.errors import StoreUnavailableError
from protocol.clock import Clock, SystemClock
from village.broker.broker import BrokerError, BrokerKind

#: Every broker with every database, and where consumers can share their work three of them.
SET_UPS = (
    *(SetUp(broker, database) for broker in BrokerKind for database in DatabaseKind),
    SetUp(BrokerKind.MOSQUITTO, DatabaseKind.POSTGRESQL, replicas=3),
)

_FAILURES = (
    BrokerError,
    ProgramError,
    StoreUnavailableError,
    WaitedTooLongError,
    subprocess.SubprocessError,
)


class Part:
    """What one set-up came to."""

    def __init__(self, set_up: SetUp, story: Story, reckonings: Sequence[Reckoning]) -> None:
        self.set_up = set_up
        self.story = story
        self.generated = sum(len(each.sent) for each in reckonings)
        self.stored = sum(len(each.stored) for each in reckonings)
        self.lost = sum(len(each.lost) for each in reckonings)
        self.doubled = sum(len(each.doubled) for each in reckonings)
        self.repeated = sum(each.chain.repeated for each in reckonings if each.chain)
        self.seconds = [s for each in reckonings for s in each.seconds_to_alert()]
        self.faults = [fault for each in reckonings for fault in each.faults()]
        if story.quarantined:
            self.faults.append(f"{story.quarantined} messages in quarantine")

    def row(self) -> tuple[object, ...]:
        """Return the part as a row of the table; times to alert in ms."""
        times = [_ms(self.seconds, share) for share in (0.5, 0.95, 0.99)]
        return (
            str(self.set_up),
            self.story.rounds,
            self.generated,
            self.stored,
            self.lost,
            self.doubled,
            self.repeated,
            rounded(self.story.drain_s),
            *times,
        )


HEAD = (
    "set-up",
    "rounds",
    "generated",
    "stored",
    "lost",
    "doubled",
    "repeats absorbed",
    "drain s",
    "to alert p50 ms",
    "p95",
    "p99",
)


def _ms(seconds: Sequence[float], share: float) -> float | None:
    value = percentile(seconds, share)
    return None if value is None else rounded(value * 1000)


def torment(
    set_up: SetUp, rounds: int, boxes: int, folder: Path, clock: Clock, chance: random.Random
) -> Part:
    """Run one set-up for so many rounds and count. Raises what _FAILURES names."""
    with DeliveryRig(folder, set_up, boxes, clock, chance) as rig:
        try:
            rig.start_boxes()
            for turn in range(1, rounds + 1):
                rig.round()
                if turn % 10 == 0:
                    print(f"{set_up}: {turn} rounds, {rig.stored()} events stored", flush=True)
            rig.drain()
            return Part(set_up, rig.story, rig.reckon())
        except _FAILURES:
            print(rig.last_words())
            raise


def chosen_set_ups(
    broker: str | None = None, database: str | None = None, replicas: int | None = None
) -> list[SetUp]:
    """Return the set-ups to go through, all of them where nothing is said: pure.

    Any number of ``replicas`` can be asked for; more than one only of Mosquitto and PostgreSQL.
    """
    every = SET_UPS
    if replicas is not None and replicas > 1:
        every = (SetUp(BrokerKind.MOSQUITTO, DatabaseKind.POSTGRESQL, replicas),)
    return [
        each
        for each in every
        if broker in (None, each.broker)
        and database in (None, each.database)
        and replicas in (None, each.replicas)
    ]


def shares(rounds: int, parts: int) -> list[int]:
    """Return ``rounds`` dealt out to so many parts as evenly as can be: pure."""
    return [rounds // parts + (number < rounds % parts) for number in range(parts)]


def figures(parts: Sequence[Part], outage: Outage | None) -> dict[str, object]:
    """Return the figures of the last line."""
    seconds = [second for part in parts for second in part.seconds]
    faults = [fault for part in parts for fault in part.faults]
    result: dict[str, object] = {
        "passed": not faults and (outage is None or outage.passed),
        "rounds": sum(part.story.rounds for part in parts),
        "generated": sum(part.generated for part in parts),
        "stored": sum(part.stored for part in parts),
        "lost": sum(part.lost for part in parts),
        "doubled": sum(part.doubled for part in parts),
        "time_to_alert_ms_p50": _ms(seconds, 0.5),
        "time_to_alert_ms_p95": _ms(seconds, 0.95),
        "time_to_alert_ms_p99": _ms(seconds, 0.99),
        "drain_s_max": rounded(max((part.story.drain_s or 0.0 for part in parts), default=None)),
        "set_ups": [str(part.set_up) for part in parts],
    }
    return result if outage is None else result | outage.figures()


def _show(parts: Sequence[Part], outage: Outage | None) -> None:
    print("to alert: from the box's commit to the centre's transaction, every outage included")
    if parts:
        print(report.table(HEAD, [part.row() for part in parts]))
    for part in parts:
        kills = ", ".join(f"{name} {times}" for name, times in sorted(part.story.kills.items()))
        faults = ", ".join(f"{name} {times}" for name, times in sorted(part.story.faults.items()))
        print(f"{part.set_up}: killed {kills}; link {faults}")
    if outage is not None:
        print(outage.words())
    for fault in [fault for part in parts for fault in part.faults]:
        print(f"FAULT {fault}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, return the exit status: 0 only if nothing was lost, doubled or exchanged."""
    parser = argparse.ArgumentParser(prog="bench.chaos_delivery", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="kills, over all set-ups (100)")
    parser.add_argument("--minutes", type=float, help="begin no other set-up after so long")
    parser.add_argument("--boxes", type=int, default=4, help="in each set-up (4)")
    parser.add_argument("--broker", choices=list(BrokerKind), help="only this one")
    parser.add_argument("--database", choices=list(DatabaseKind), help="only this one")
    parser.add_argument(
        "--replicas", type=int, help="only with so many consumers; several: Mosquitto, PostgreSQL"
    )
    parser.add_argument(
        "--queued", type=int, default=10_000, help="events of the 72 h outage; 0: without (10000)"
    )
    parser.add_argument("--seed", type=int, default=None, help="of the random instants")
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"seed {seed}", flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="bench-delivery-") as name:
            parts, outage = _run(given, Path(name), SystemClock(), random.Random(seed))
    except _FAILURES as error:
        print(f"FAILED: {error}")
        report.emit(sys.stdout, {"passed": False, "error": str(error), "seed": seed})
        return 1
    _show(parts, outage)
    result = figures(parts, outage)
    report.emit(sys.stdout, result | {"seed": seed})
    return 0 if result["passed"] else 1


def _run(
    given: argparse.Namespace, folder: Path, clock: Clock, chance: random.Random
) -> tuple[list[Part], Outage | None]:
    chosen = chosen_set_ups(given.broker, given.database, given.replicas)
    ends_ns = None if given.minutes is None else clock.monotonic_ns() + given.minutes * 60e9
    parts: list[Part] = []
    for number, (set_up, rounds) in enumerate(
        zip(chosen, shares(given.rounds, len(chosen)), strict=True)
    ):
        if not rounds or (ends_ns is not None and clock.monotonic_ns() >= ends_ns):
            continue
        place = folder / f"set-up-{number}"
        parts.append(torment(set_up, rounds, given.boxes, place, clock, chance))
    if not given.queued:
        return parts, None
    return parts, Outage.endured(given.queued, folder / "outage", clock, chance)


if __name__ == "__main__":
    sys.exit(main())
