"""What gives way to the recorder does so whatever priority the box was given."""

import os
import subprocess
import sys

import pytest

from tests.support.tools import ROOT

SAY = """
import os, resource
from pathlib import Path
score = Path("/proc/self/oom_score_adj").read_text().strip()
print(os.getpriority(os.PRIO_PROCESS, 0), score, resource.getrlimit(resource.RLIMIT_CORE))
"""


def said(more: int, code: str) -> str:
    command = ["nice", "-n", str(more), sys.executable, "-c", code + SAY]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("more", [0, 3])
def test_the_niceness_is_that_and_not_so_much_more_than_the_boxes(more):
    niceness = max(10, os.getpriority(os.PRIO_PROCESS, 0) + more)
    code = "from edge.modest import come_last; come_last(10)"
    assert said(more, code) == f"{niceness} 800 (0, 0)"


def test_an_export_goes_before_the_recorder_where_memory_runs_out():
    code = "from edge.exports.child import yield_to_others; yield_to_others()"
    assert said(0, code) == "19 800 (0, 0)"
