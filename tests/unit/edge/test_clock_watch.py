"""How good the box's clock is."""

from datetime import timedelta

from edge.clock_watch import ClockWatch, KernelTime, kernel_time
from protocol.clock import FakeClock, SystemClock
from protocol.messages import ClockState
from tests.support.desk_box import AT, occurrence, open_desk

GOOD, LOST = KernelTime(12_000), KernelTime(16_000_000)


class Kernel:
    """A kernel that is told what to say."""

    def __init__(self, says: KernelTime | None) -> None:
        self.says = says

    def __call__(self) -> KernelTime | None:
        return self.says


def test_a_clock_that_is_steered_says_how_far_it_may_be_off():
    quality = ClockWatch(FakeClock(AT), Kernel(GOOD)).quality()
    assert (quality.state, quality.error_ms, quality.since) == (ClockState.SYNCED, 12, AT)
    assert quality.stepped_at is None


def test_one_that_nobody_steers_says_since_when():
    clock, kernel = FakeClock(AT), Kernel(GOOD)
    watch = ClockWatch(clock, kernel)
    watch.quality()
    clock.advance(60)
    kernel.says = LOST
    assert watch.quality().state is ClockState.UNSYNCED
    clock.advance(60)
    quality = watch.quality()
    assert (quality.since, quality.error_ms) == (AT + timedelta(seconds=60), None)


def test_a_kernel_that_can_not_be_asked_is_unknown():
    assert ClockWatch(FakeClock(AT), Kernel(None)).quality().state is ClockState.UNKNOWN


def test_a_clock_that_was_set_says_when():
    clock = FakeClock(AT)
    watch = ClockWatch(clock, Kernel(GOOD))
    clock.advance(100)
    clock.step_wall(-3600)
    set_at = clock.now()
    assert watch.quality().stepped_at == set_at
    clock.advance(100)
    assert watch.quality().stepped_at == set_at


def test_a_clock_that_is_steered_a_little_each_minute_was_not_set():
    clock = FakeClock(AT)
    watch = ClockWatch(clock, Kernel(GOOD))
    for _ in range(100):
        clock.advance(60)
        clock.step_wall(0.03)
        assert watch.quality().stepped_at is None


def test_this_machine_s_kernel_answers():
    told = kernel_time()
    assert told is not None
    assert told.most_error_us >= 0
    quality = ClockWatch(SystemClock()).quality()
    assert (quality.error_ms is not None) == (quality.state is ClockState.SYNCED)


def test_each_alert_says_how_good_the_clock_was(tmp_path):
    clock, kernel = FakeClock(AT), Kernel(LOST)
    box = open_desk(tmp_path / "box.db", clock, quality=ClockWatch(clock, kernel).quality)
    box.desk.report(occurrence())
    (message,) = box.messages()
    assert message.data.clock is not None
    assert message.data.clock.state is ClockState.UNSYNCED
    box.database.close()
