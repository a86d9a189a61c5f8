import subprocess
import sys

from tests.support.tools import ROOT

#: One block of 16 MB comes and goes, then 64 of 1 MB that ones of 64 KB (4 MB in all) lie between.
#: It says what is still in memory when the large ones are freed.
_PROGRAM = """
import sys
from edge import heap

def resident_kb():
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Anonymous:"))

if "apart" in sys.argv:
    heap.keep_large_blocks_apart()
first = bytearray(b"x" * (16 << 20))
del first
before_kb = resident_kb()
large, small = [], []
for _ in range(64):
    large.append(bytearray(b"x" * (1 << 20)))
    small.append(bytearray(b"x" * (64 << 10)))
del large
if "give_back" in sys.argv:
    heap.give_back()
print(resident_kb() - before_kb)
"""


def kept_mb(*does: str) -> float:
    line = [sys.executable, "-c", _PROGRAM, *does]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, check=True)
    return int(done.stdout) / 1024


def test_a_heap_that_is_left_alone_keeps_large_blocks():
    assert kept_mb() > 32


def test_large_blocks_apart_are_gone_when_they_are_freed():
    assert kept_mb("apart") < 8


def test_what_is_free_is_given_back_when_told():
    assert kept_mb("give_back") < 8
