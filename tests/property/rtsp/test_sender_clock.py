"""How far a camera's clock is off, whatever it and the line do."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.rtsp.sender_clock import FEWEST, SenderClock
from protocol.clock import FakeClock

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
EVERY_S = 5.0
#: The time of a report is told in microseconds here.
EXACT = timedelta(milliseconds=1)

offsets = st.timedeltas(timedelta(days=-20 * 365), timedelta(days=365))
starts = st.integers(0, 2**40)


def ntp_of(at: datetime) -> int:
    """Return a time as 64 bits of NTP, which begins anew in 2036."""
    seconds = (at - NTP_EPOCH) / timedelta(microseconds=1)
    return int(seconds * 2**32 // 1_000_000) & 0xFFFF_FFFF_FFFF_FFFF


def heard(clock: FakeClock, offset: timedelta, late_s: list[float]) -> SenderClock:
    """Return what is known after reports of a camera, each so late by the network."""
    sender = SenderClock()
    for late in late_s:
        clock.advance(EVERY_S)
        sent_at = clock.now() - timedelta(seconds=late)
        sender.take(ntp_of(sent_at + offset), clock.monotonic_ns())
    return sender


def asked(sender: SenderClock, clock: FakeClock, fewest: int = FEWEST) -> timedelta | None:
    return sender.offset(clock.now(), clock.monotonic_ns(), fewest)


@given(offsets, starts, st.lists(st.floats(0, 1), min_size=FEWEST, max_size=60))
def test_an_offset_is_found_to_what_the_line_adds(offset, start, late_s):
    clock = FakeClock(NOON, start)
    found = asked(heard(clock, offset, late_s), clock)
    assert found is not None
    assert -timedelta(seconds=1) - EXACT <= found - offset <= EXACT


@given(offsets, st.data())
def test_reports_that_were_held_up_change_nothing_while_most_were_not(offset, data):
    """However late: a line that stalls for minutes is no clock that is off."""
    clock = FakeClock(NOON)
    few = data.draw(st.integers(0, 4))
    late_s = data.draw(st.permutations([0.05] * 10 + [data.draw(st.floats(3, 4000))] * few))
    found = asked(heard(clock, offset, late_s), clock)
    assert found is not None
    assert abs(found - offset + timedelta(seconds=0.05)) <= EXACT


@given(offsets, st.timedeltas(timedelta(days=-3650), timedelta(days=365)))
def test_a_box_whose_clock_is_set_knows_the_right_offset_at_once(offset, step):
    clock = FakeClock(NOON)
    sender = heard(clock, offset, [0.0] * FEWEST)
    clock.step_wall(step.total_seconds())
    wanted = offset - step
    found = asked(sender, clock)
    if wanted <= timedelta(days=366) and clock.now() + wanted >= datetime(2000, 1, 1, tzinfo=UTC):
        assert found is not None
        assert abs(found - wanted) <= EXACT
    else:
        assert found is None


@given(
    st.sampled_from([NTP_EPOCH, datetime(1970, 1, 1, tzinfo=UTC)]),
    st.timedeltas(timedelta(0), timedelta(days=9 * 365)),
)
def test_a_camera_that_says_how_long_it_has_run_says_no_clock(epoch, uptime):
    clock = FakeClock(NOON)
    found = asked(heard(clock, epoch + uptime - NOON, [0.0] * 10), clock)
    assert found is None


def test_a_camera_that_forgot_that_ntp_begins_in_1900_says_no_clock():
    clock = FakeClock(NOON)
    since_1970 = NOON - datetime(1970, 1, 1, tzinfo=UTC)
    assert asked(heard(clock, NTP_EPOCH + since_1970 - NOON, [0.0] * 10), clock) is None


@given(offsets, st.integers(2, 60))
def test_a_clock_that_stands_still_is_none(offset, reports):
    clock, sender, still = FakeClock(NOON), SenderClock(), ntp_of(NOON + offset)
    for _ in range(reports):
        clock.advance(EVERY_S)
        sender.take(still, clock.monotonic_ns())
    assert asked(sender, clock, 2) is None


@given(offsets, offsets)
def test_a_clock_that_was_set_is_known_by_its_new_time_after_three_minutes(before, after):
    clock = FakeClock(NOON)
    sender = heard(clock, before, [0.0] * 60)
    for _ in range(36):
        clock.advance(EVERY_S)
        sender.take(ntp_of(clock.now() + after), clock.monotonic_ns())
    found = asked(sender, clock)
    assert found is not None
    assert abs(found - after) <= EXACT


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**34)), max_size=400))
def test_whatever_is_said_it_gives_a_plausible_offset_or_none_and_keeps_little(reports):
    clock, sender = FakeClock(NOON), SenderClock()
    for ntp, wait_ns in reports:
        clock.advance(wait_ns / 1e9)
        sender.take(ntp, clock.monotonic_ns())
        found = asked(sender, clock, 1)
        assert found is None or timedelta(days=-27 * 365) < found <= timedelta(days=366)
    assert len(sender._heard) <= 151


def test_few_or_old_reports_say_nothing():
    clock = FakeClock(NOON)
    sender = heard(clock, timedelta(seconds=9), [0.0] * (FEWEST - 1))
    assert asked(sender, clock) is None
    assert asked(sender, clock, 1) is not None
    clock.advance(400)
    assert asked(sender, clock, 1) is None


def test_the_year_2036_is_no_wonder():
    clock = FakeClock(datetime(2036, 2, 7, 6, 27, tzinfo=UTC))
    found = asked(heard(clock, timedelta(seconds=70), [0.0] * 60), clock)
    assert found is not None
    assert abs(found - timedelta(seconds=70)) <= EXACT
