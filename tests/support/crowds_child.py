"""A process that counts: three quarters of an hour of looks, then it waits to be killed."""

import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.crowds.history import CrowdHistory
from edge.db.database import Database
from protocol.clock import FakeClock
from tests.support.waiting import wait_until

FIRST = datetime(2026, 11, 22, tzinfo=UTC)
KEY = ("gate", "crowd", "all")
#: Two whole quarters and the beginning of a third.
WHOLE, LOOKS = 2, 35 * 60


def main(path: Path) -> None:
    """Count as fast as it goes and say when the last look was taken."""
    clock = FakeClock(FIRST)
    crowds = CrowdHistory(Database(path), clock)
    crowds.start()
    for second in range(LOOKS):
        crowds.counted(*KEY, FIRST + timedelta(seconds=second), second // 60)
    wait_until(lambda: len(crowds.quarters(KEY, FIRST + timedelta(days=1))) == WHOLE)
    sys.stdout.write("counted\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
