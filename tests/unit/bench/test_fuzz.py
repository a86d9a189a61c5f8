import random

import pytest

from bench.fuzz import Target, fuzz, mutated, targets
from edge.errors import MediaError
from protocol.clock import FakeClock
from tests.support.packets import BEGAN

SEED = bytes(range(256)) * 4


class Ticking(FakeClock):
    """A clock that goes on by ``step_s`` each time it is asked."""

    def __init__(self, step_s):
        super().__init__(BEGAN)
        self._step_s = step_s

    def monotonic_ns(self):
        self.advance(self._step_s)
        return super().monotonic_ns()


def outcome(read, step_s=0.1):
    target = Target("reader", read, (SEED,))
    return fuzz([target], 100 * step_s, random.Random(1), Ticking(step_s))["reader"]


def refuse(_data):
    raise MediaError("not ours")


def crash(data):
    raise IndexError(len(data))


def test_the_same_chance_makes_the_same_damage():
    first, second = (
        [mutated(SEED, SEED[::-1], random.Random(seed)) for seed in range(200)] for _ in range(2)
    )
    assert first == second
    assert len(set(first)) > 150


@pytest.mark.parametrize("seed", range(50))
def test_damage_of_nothing_is_nothing(seed):
    assert mutated(b"", SEED, random.Random(seed)) == b""


def test_what_is_read_or_refused_is_no_crash():
    read, refused = outcome(len), outcome(refuse)

    assert read.inputs == read.read > 0
    assert refused.inputs == refused.refused > 0
    assert not read.crashes
    assert not refused.crashes


def test_any_other_error_is_a_crash_and_its_input_is_told(capsys):
    found = outcome(crash)

    assert found.crashes.total() == found.inputs > 0
    assert "CRASH reader: IndexError" in capsys.readouterr().out


def test_a_reader_that_takes_too_long_is_one_too():
    assert outcome(len, step_s=1.9).crashes.total() == 0
    slow = outcome(len, step_s=2.1)
    assert slow.crashes.total() == slow.inputs > 0


def test_every_reader_reads_what_is_sound(tmp_path):
    for target in targets(tmp_path):
        for seed in target.seeds:
            target.read(seed)
