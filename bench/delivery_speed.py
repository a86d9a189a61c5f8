"""``python -m bench.delivery_speed``: how fast alerts are committed, shown, and taken up again.

Three parts, each with a broker, a PostgreSQL and a centre of its own:

- A backlog of fresh alerts against what the same broker gives a subscriber that only counts, and
  what the same PostgreSQL takes of the same rows, as many at a time, from a plain executemany.
- An idle system: from a real box's decision to the wall's feed.
- A thousand simulated boxes (bench.fleet) whose broker is killed.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import httpx

from bench import report
from bench.fleet.scenarios import Storm, Throughput, ToWall
from bench.program import ProgramError
from bench.report import percentile, rounded
from bench.wait import WaitedTooLongError
from central.errors import StoreUnavailableError
from protocol.clock import SystemClock
from village.broker.broker import BrokerError

#: The aims: what is committed of what the parts can do; from decision to wall; a storm's end.
LEAST_RATIO, MOST_TO_WALL_MS, MOST_RECONNECT_S = 0.5, 500.0, 60.0

#: What a run may end with.
FAILURES = (
    BrokerError,
    ProgramError,
    StoreUnavailableError,
    WaitedTooLongError,
    httpx.HTTPError,
    subprocess.SubprocessError,
)


def figures(
    throughput: Throughput | None, to_wall: ToWall | None, storm: Storm | None
) -> dict[str, object]:
    """Return the figures of the last line; of a part that was left out there are none. Pure."""
    result: dict[str, object] = {}
    faults: list[str] = []
    met: list[bool] = []
    if throughput is not None:
        faults += throughput.faults
        met.append(throughput.ratio >= LEAST_RATIO)
        result |= {
            "committed_ratio": rounded(throughput.ratio, 3),
            "committed_per_s": rounded(throughput.committed),
            "broker_per_s": rounded(throughput.subscribed),
            "insert_every_row_per_s": rounded(throughput.inserted.every_row),
            "insert_event_alone_per_s": rounded(throughput.inserted.event_alone),
            "events": throughput.events,
        }
    if to_wall is not None:
        p95 = percentile(to_wall.ms, 0.95)
        met.append(p95 is not None and p95 <= MOST_TO_WALL_MS)
        result |= {
            "alert_to_wall_ms_p50": rounded(percentile(to_wall.ms, 0.5)),
            "alert_to_wall_ms_p95": rounded(p95),
            "alerts_to_wall": len(to_wall.ms),
        }
    if storm is not None:
        faults += storm.faults
        met.append(storm.reconnect_s <= MOST_RECONNECT_S)
        result |= {
            "boxes": storm.boxes,
            "connect_s": rounded(storm.connect_s),
            "reconnect_s": rounded(storm.reconnect_s),
            "broker_kb_per_box": rounded(storm.broker_bytes / 1000),
            "centre_kb_per_box": rounded(storm.centre_bytes / 1000),
            "storm_events": storm.reported,
        }
    return {"passed": not faults, "aims_met": all(met), **result, "faults": faults}


def _show(throughput: Throughput | None, to_wall: ToWall | None, storm: Storm | None) -> None:
    if throughput is not None:
        print(f"a backlog of {throughput.events} fresh events at {throughput.boxes} boxes")
        rows = [
            ("consumer: committed and receipted", throughput.committed),
            ("broker: a subscriber that only counts", throughput.subscribed),
            ("PostgreSQL: the same rows, plain executemany", throughput.inserted.every_row),
            ("PostgreSQL: the event's own row alone", throughput.inserted.event_alone),
        ]
        committed = throughput.committed
        print(
            report.table(
                ("what", "events/s", "committed is of it"),
                [(name, rate, rounded(committed / rate, 2)) for name, rate in rows],
            )
        )
    if to_wall is not None:
        times = [rounded(percentile(to_wall.ms, share)) for share in (0.5, 0.95, 1.0)]
        print(
            report.table(
                ("decision to wall, idle", "alerts", "p50 ms", "p95 ms", "worst ms"),
                [("box, broker, centre, feed", len(to_wall.ms), *times)],
            )
        )
    if storm is not None:
        row = (
            storm.boxes,
            rounded(storm.connect_s),
            rounded(storm.reconnect_s),
            rounded(storm.broker_bytes / 1000),
            rounded(storm.centre_bytes / 1000),
        )
        head = ("boxes", "first connected s", "back s", "broker kB/box", "consumer kB/box")
        print(report.table(head, [row]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, return the exit status: 0 only if all that was sent is stored, and once."""
    parser = argparse.ArgumentParser(prog="bench.delivery_speed", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="of the backlog; 0: without")
    parser.add_argument("--senders", type=int, default=50, help="boxes with the backlog (50)")
    parser.add_argument("--reports", type=int, default=60, help="to the wall (60); 0: without")
    parser.add_argument("--boxes", type=int, default=1000, help="in the storm (1000); 0: without")
    parser.add_argument("--alerts-per-s", type=float, default=10.0, help="of the storm (10)")
    parser.add_argument("--down-s", type=float, default=5.0, help="the broker, in the storm (5)")
    given = parser.parse_args(arguments)
    clock = SystemClock()
    throughput, to_wall, storm = None, None, None
    try:
        with tempfile.TemporaryDirectory(prefix="bench-speed-") as name:
            folder = Path(name)
            if given.events:
                throughput = Throughput.measured(
                    folder / "throughput", given.senders, given.events, clock
                )
            if given.reports:
                to_wall = ToWall.measured(folder / "wall", given.reports, clock)
            if given.boxes:
                storm = Storm.endured(
                    folder / "storm", given.boxes, given.alerts_per_s, given.down_s, clock
                )
    except FAILURES as error:
        print(f"FAILED: {error}")
        report.emit(sys.stdout, {"passed": False, "error": str(error)})
        return 1
    _show(throughput, to_wall, storm)
    result = figures(throughput, to_wall, storm)
    report.emit(sys.stdout, result)
    return 0 if result["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
