import logging

from edge.faultlog import FaultLog
from protocol.clock import FakeClock
from tests.support.packets import BEGAN

log = logging.getLogger("test.faults")


def test_the_same_fault_is_written_once_a_minute_with_what_was_left_out(caplog):
    clock = FakeClock(BEGAN)
    faults = FaultLog(log, clock)

    for _ in range(121):
        faults.report("stream.fault", "refused", {"camera_id": "gate"})
        clock.advance(1)

    assert [record.repeated for record in caplog.records] == [0, 59, 59]


def test_different_faults_do_not_silence_each_other(caplog):
    faults = FaultLog(log, FakeClock(BEGAN))

    faults.report("stream.fault", "refused", {})
    faults.report("stream.fault", "stalled", {})

    assert [record.error for record in caplog.records] == ["refused", "stalled"]


def test_faults_of_ever_different_words_do_not_pile_up(caplog):
    faults = FaultLog(log, FakeClock(BEGAN))

    for number in range(250):
        faults.report("stream.fault", f"error {number}", {})

    assert len(faults._written_ns) <= 100
