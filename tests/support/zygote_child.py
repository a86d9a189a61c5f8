"""A box that does nothing, under a zygote: ``python -m tests.support.zygote_child``.

The box prints its process id and ends when told: with SIGTERM with status 0, with SIGUSR1 with
status 7.
"""

import os
import signal
import sys

from edge.zygote import Zygote
from protocol.clock import SystemClock


def box() -> int:
    numbers = (signal.SIGTERM, signal.SIGUSR1)
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    return 0 if signal.sigwait(numbers) == signal.SIGTERM else 7


if __name__ == "__main__":
    sys.exit(Zygote(box, SystemClock()).run())
