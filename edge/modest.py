"""A process of the box that may wait, and may go: recording comes first."""

import os
import resource
from pathlib import Path

_FIRST_TO_GO = "800"  # where memory runs out; the recorder is to be the last


def come_last(niceness: int) -> None:
    """Take the processor at ``niceness``, be the first to go where memory runs out, leave no core.

    The box may run above others and its forks inherit that: the niceness is not added to its own.
    A core would hold pictures.
    """
    os.setpriority(os.PRIO_PROCESS, 0, max(niceness, os.getpriority(os.PRIO_PROCESS, 0)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
