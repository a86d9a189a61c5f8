from datetime import timedelta

import pytest

from edge.recording.retention import MOST_DELETIONS, Disk, Plan, Policy, Reason, plan
from edge.recording.segment import Hold, Segment
from tests.support.recordings import Archive, at, closed_file

DAY_S = 86_400
NOW = at(40 * DAY_S)
KEEP_30_DAYS = Policy(30, None, 0.05)
EMPTY_DISK = Disk(1_000_000, 900_000, 0)


def segments(archive: Archive, *starts_d: float, camera_id: str = "gate") -> list[Segment]:
    return [
        archive.index.add(closed_file(archive, day * DAY_S, camera_id=camera_id, on_disk=False))
        for day in starts_d
    ]


def hold(start_d: float, end_d: float, until_d: float = 100, camera_id: str = "gate") -> Hold:
    times = (at(start_d * DAY_S), at(end_d * DAY_S))
    return Hold(camera_id, *times, "alert:1", at(until_d * DAY_S))


def planned(result: Plan) -> list[tuple[int, Reason]]:
    return [(deletion.segment.id, deletion.reason) for deletion in result.deletions]


def test_what_is_older_than_its_days_goes_and_nothing_else(archive):
    old, older, young = segments(archive, 5, 9.999, 10.001)

    result = plan([old, older, young], [], (), EMPTY_DISK, KEEP_30_DAYS, NOW)

    assert planned(result) == [(old.id, Reason.AGE), (older.id, Reason.AGE)]
    assert result.short_bytes == 0


def test_over_the_quota_the_oldest_go_until_it_is_met(archive):
    items = segments(archive, 30, 31, 32, 33)
    policy = Policy(30, 2500, 0.05)

    result = plan(items, [], (), Disk(1_000_000, 900_000, 4000), policy, NOW)

    assert planned(result) == [(items[0].id, Reason.QUOTA), (items[1].id, Reason.QUOTA)]
    assert result.short_bytes == 0


def test_below_the_watermark_the_oldest_go_until_it_is_met(archive):
    items = segments(archive, 30, 31, 32)

    result = plan(items, [], (), Disk(100_000, 3_500, 3000), KEEP_30_DAYS, NOW)

    assert planned(result) == [(items[0].id, Reason.WATERMARK), (items[1].id, Reason.WATERMARK)]


def test_what_went_for_its_age_counts_for_the_other_limits(archive):
    items = segments(archive, 1, 31, 32)

    result = plan(items, [], (), Disk(100_000, 4_500, 3000), KEEP_30_DAYS, NOW)

    assert planned(result) == [(items[0].id, Reason.AGE)]


def test_what_is_held_stays_whatever_it_costs_and_what_is_missing_is_said(archive):
    items = segments(archive, 1, 2, 3)
    other = segments(archive, 2, camera_id="square")
    disk = Disk(100_000, 1_000, 4000)

    result = plan([*items, *other], [hold(0, 4)], (), disk, KEEP_30_DAYS, NOW)

    assert planned(result) == [(other[0].id, Reason.AGE)]
    assert result.short_bytes == 3000


def test_a_hold_that_is_over_holds_nothing(archive):
    (old,) = segments(archive, 1)

    result = plan([old], [hold(0, 4, until_d=40)], (), EMPTY_DISK, KEEP_30_DAYS, NOW)

    assert planned(result) == [(old.id, Reason.AGE)]


@pytest.mark.parametrize(
    ("held_from_s", "stays"),
    [
        (10 + 89, True),  # the key frame of what is held may be in here
        (10 + 90, False),
    ],
)
def test_a_hold_reaches_back_to_the_key_frame_before_it(archive, held_from_s, stays):
    (old,) = segments(archive, 0)
    start = at(held_from_s)
    held = Hold("gate", start, start + timedelta(seconds=5), "alert:1", at(100 * DAY_S))

    result = plan([old], [held], (), EMPTY_DISK, KEEP_30_DAYS, NOW)

    assert (planned(result) == []) is stays


def test_what_is_growing_stays(archive):
    (old,) = segments(archive, 1)

    result = plan([old], [], {old.path}, EMPTY_DISK, KEEP_30_DAYS, NOW)

    assert planned(result) == []


def test_no_more_is_read_than_needed(archive):
    old, young, never = segments(archive, 1, 39, 39.5)

    def oldest_first():
        yield old
        yield young
        raise AssertionError(f"{never.id} need not be looked at")

    result = plan(oldest_first(), [], (), EMPTY_DISK, KEEP_30_DAYS, NOW)

    assert planned(result) == [(old.id, Reason.AGE)]


def test_a_plan_is_no_longer_than_a_transaction_should_be(archive):
    (old,) = segments(archive, 1)

    result = plan([old] * (MOST_DELETIONS + 5), [], (), EMPTY_DISK, KEEP_30_DAYS, NOW)

    assert len(result.deletions) == MOST_DELETIONS
    assert result.partial
