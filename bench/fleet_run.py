"""``python -m bench.fleet_run``: a fleet of simulated boxes at a real centre, for a while.

Boxes send heartbeats and alerts, lines fail and come back, and as often as is said the broker is
killed and started again. At the end every event of every box must be at the centre once, and every
chain whole. The centre's and the broker's own costs are of the whole time.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import report
from bench.delivery_speed import FAILURES
from bench.fleet.line import FleetLine
from bench.fleet.scenarios import all_well, drain, pass_time, start_consumer
from bench.process import Usage, usage
from bench.report import rounded
from protocol.clock import Clock, SystemClock

_BROKER_DOWN_S = 3.0

HEAD = (
    "boxes",
    "events",
    "sent",
    "sent again",
    "connections",
    "broker deaths",
    "back s, worst",
    "consumer CPU %",
    "consumer MB",
    "broker CPU %",
    "broker MB",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, return the exit status: 0 only if all that was sent is stored, and once."""
    parser = argparse.ArgumentParser(prog="bench.fleet_run", description=__doc__)
    parser.add_argument("--boxes", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=120.0, help="after all are there (120)")
    parser.add_argument("--alerts-per-s", type=float, default=5.0, help="of all boxes (5)")
    parser.add_argument("--outages-per-s", type=float, default=0.5, help="lines that fail (0.5)")
    parser.add_argument("--outage-s", type=float, default=10.0, help="for how long each (10)")
    parser.add_argument("--storms", type=int, default=1, help="times the broker is killed (1)")
    given = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="bench-fleet-") as name:
            figures, row = _run(given, Path(name) / "line", SystemClock())
    except FAILURES as error:
        print(f"FAILED: {error}")
        report.emit(sys.stdout, {"passed": False, "error": str(error)})
        return 1
    print(report.table(HEAD, [row]))
    report.emit(sys.stdout, figures)
    return 0 if figures["passed"] else 1


def _run(
    given: argparse.Namespace, folder: Path, clock: Clock
) -> tuple[dict[str, object], tuple[object, ...]]:
    with FleetLine(folder, given.boxes, clock) as line:
        start_consumer(line, clock)
        rates = {
            "alerts_per_s": given.alerts_per_s,
            "outages_per_s": given.outages_per_s,
            "outage_s": given.outage_s,
            "connect_over_s": 5.0,
        }
        with line.fleet(given.boxes, **rates) as fleet:
            began_ns = clock.monotonic_ns()
            back_s = []
            for _ in range(given.storms):
                pass_time(given.seconds / (given.storms + 1), clock)
                line.kill_broker()
                pass_time(_BROKER_DOWN_S, clock)
                gone_at = clock.now()
                line.broker.start()
                fails = given.outages_per_s > 0
                back_s.append(all_well(line, fleet, clock, gone_at, away=fails))
            pass_time(given.seconds / (given.storms + 1), clock)
            reported = drain(line, fleet, clock)
            spent_s = (clock.monotonic_ns() - began_ns) / 1e9
            consumer, broker = usage([line.consumer.pid]), usage([line.broker.pid or 0])
            done = fleet.done()
        faults = line.faults(reported)
    figures: dict[str, object] = {
        "passed": not faults,
        "boxes": given.boxes,
        "events": reported,
        "sent": done["sent"],
        "sent_again": done["sent_again"],
        "connections": done["connections"],
        "storms": given.storms,
        "reconnect_s": rounded(max(back_s, default=None)),
        "consumer_cpu": rounded(_cpu(consumer, spent_s)),
        "consumer_mb": rounded(consumer.pss_bytes / 1e6),
        "broker_cpu": rounded(_cpu(broker, spent_s)),
        "broker_mb": rounded(broker.pss_bytes / 1e6),
        "faults": faults,
    }
    return figures, tuple(figures[key] for key in list(figures)[1:-1])


def _cpu(spent: Usage, seconds: float) -> float:
    """Return a share of one core in percent; the broker's is since it was started last."""
    return 100 * spent.cpu_s / seconds


if __name__ == "__main__":
    sys.exit(main())
