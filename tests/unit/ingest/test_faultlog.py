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


def test_an_event_that_is_no_fault_is_written_as_seldom_and_as_none(caplog):
    caplog.set_level(logging.INFO)
    clock = FakeClock(BEGAN)
    faults = FaultLog(log, clock)

    for _ in range(61):
        faults.note("stream.live", {"camera_id": "gate"})
        clock.advance(1)

    assert [(record.levelname, record.repeated) for record in caplog.records] == [
        ("INFO", 0),
        ("INFO", 59),
    ]


def test_a_bug_is_written_with_where_it_was_as_seldom(caplog):
    faults = FaultLog(log, FakeClock(BEGAN))

    for _ in range(3):
        faults.bug("stream.failed", ZeroDivisionError("a bug"), {})

    assert [(record.levelname, record.error) for record in caplog.records] == [
        ("ERROR", "ZeroDivisionError")
    ]
    assert caplog.records[0].exc_info[0] is ZeroDivisionError


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
