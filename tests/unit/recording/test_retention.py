from dataclasses import replace
from datetime import timedelta

import pytest

from edge.recording.retention import (
    MOST_DELETIONS,
    CameraPolicy,
    Disk,
    Plan,
    Policy,
    Reason,
    plan,
)
from edge.recording.segment import Hold, Segment
from tests.support.recordings import Archive, at, closed_file
from tests.support.shelf import Shelf

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

    result = plan(Shelf([old, older, young]), [], (), EMPTY_DISK, KEEP_30_DAYS, NOW)

    assert planned(result) == [(old.id, Reason.AGE), (older.id, Reason.AGE)]
    assert result.short_bytes == 0


def test_over_the_quota_the_oldest_go_until_it_is_met(archive):
    items = segments(archive, 30, 31, 32, 33)
    policy = Policy(30, 2500, 0.05)

    result = plan(Shelf(items), [], (), Disk(1_000_000, 900_000, 4000), policy, NOW)

    assert planned(result) == [(items[0].id, Reason.QUOTA), (items[1].id, Reason.QUOTA)]
    assert result.short_bytes == 0


def test_below_the_watermark_the_oldest_go_until_it_is_met(archive):
    items = segments(archive, 30, 31, 32)

    result = plan(Shelf(items), [], (), Disk(100_000, 3_500, 3000), KEEP_30_DAYS, NOW)

    assert planned(result) == [(items[0].id, Reason.WATERMARK), (items[1].id, Reason.WATERMARK)]


def test_what_went_for_its_age_counts_for_the_other_limits(archive):
    items = segments(archive, 1, 31, 32)

    result = plan(Shelf(items), [], (), Disk(100_000, 4_500, 3000), KEEP_30_DAYS, NOW)

    assert planned(result) == [(items[0].id, Reason.AGE)]


def test_what_is_held_stays_whatever_it_costs_and_what_is_missing_is_said(archive):
    items = segments(archive, 1, 2, 3)
    other = segments(archive, 2, camera_id="square")
    disk = Disk(100_000, 1_000, 4000)

    result = plan(Shelf([*items, *other]), [hold(0, 4)], (), disk, KEEP_30_DAYS, NOW)

    assert planned(result) == [(other[0].id, Reason.AGE)]
    assert result.short_bytes == 3000


def test_a_hold_that_is_over_holds_nothing(archive):
    (old,) = segments(archive, 1)

    result = plan(Shelf([old]), [hold(0, 4, until_d=40)], (), EMPTY_DISK, KEEP_30_DAYS, NOW)

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

    result = plan(Shelf([old]), [held], (), EMPTY_DISK, KEEP_30_DAYS, NOW)

    assert (planned(result) == []) is stays


class CountedHold(Hold):
    """A hold that counts how often somebody looks where it is."""

    looks = 0

    def __getattribute__(self, name: str) -> object:
        if name in ("start", "end"):
            CountedHold.looks += 1
        return super().__getattribute__(name)


def test_what_half_a_year_of_alerts_holds_is_not_looked_up_hold_by_hold(archive):
    CountedHold.looks = 0
    spans = [(at(hour * 3600), at(hour * 3600 + 10)) for hour in range(200)]
    held = [CountedHold("gate", *span, "alert:1", at(100 * DAY_S)) for span in spans]
    items = segments(archive, *(hour / 24 for hour in range(200)))

    result = plan(Shelf(items), held, (), EMPTY_DISK, KEEP_30_DAYS, NOW)

    assert planned(result) == []
    assert CountedHold.looks < 10 * len(held)


def test_what_is_held_is_not_even_read(archive):
    items = segments(archive, 1, 2, 3, 4)
    shelf = Shelf(items)
    disk = Disk(100_000, 1_000, 4000)

    result = plan(shelf, [hold(1.9, 3.1)], (), disk, KEEP_30_DAYS, NOW)

    assert planned(result) == [(items[0].id, Reason.AGE), (items[3].id, Reason.AGE)]
    assert set(shelf.read) == {items[0].id, items[3].id}


def test_holds_that_overlap_or_lie_within_each_other_hold_all_they_cover(archive):
    items = segments(archive, 1, 2, 3, 4, 5)
    held = [hold(3.5, 4.5), hold(2, 4.9), hold(2.5, 2.6)]

    result = plan(Shelf(items), held, (), EMPTY_DISK, KEEP_30_DAYS, NOW)

    assert planned(result) == [(items[0].id, Reason.AGE), (items[4].id, Reason.AGE)]


def test_what_is_growing_stays(archive):
    (old,) = segments(archive, 1)

    result = plan(Shelf([old]), [], {old.path}, EMPTY_DISK, KEEP_30_DAYS, NOW)

    assert planned(result) == []


def test_no_more_is_read_than_needed(archive):
    items = segments(archive, 1, 39, 39.5)
    shelf = Shelf(items)

    result = plan(shelf, [], (), EMPTY_DISK, KEEP_30_DAYS, NOW)

    assert planned(result) == [(items[0].id, Reason.AGE)]
    assert items[2].id not in shelf.read


def test_each_camera_is_kept_for_its_own_days_and_a_strange_one_for_the_boxs(archive):
    policy = Policy(30, None, 0.05, {"gate": CameraPolicy(35), "square": CameraPolicy(7)})
    gate = segments(archive, 4, 6)
    square = segments(archive, 32, 34, camera_id="square")
    renamed = segments(archive, 9, 11, camera_id="well")

    result = plan(Shelf([*gate, *square, *renamed]), [], (), EMPTY_DISK, policy, NOW)

    gone = {deletion.segment.id for deletion in result.deletions}
    assert gone == {gate[0].id, square[0].id, renamed[0].id}
    assert {deletion.reason for deletion in result.deletions} == {Reason.AGE}


def test_over_its_own_quota_a_camera_loses_its_own_oldest_and_no_other_does(archive):
    policy = Policy(30, None, 0.05, {"gate": CameraPolicy(30, 2000)})
    gate = segments(archive, 31, 33, 35)
    square = segments(archive, 30, 32, camera_id="square")

    result = plan(Shelf([*gate, *square]), [], (), EMPTY_DISK, policy, NOW)

    assert planned(result) == [(gate[0].id, Reason.QUOTA)]
    assert result.short_bytes == 0


def test_a_camera_whose_quota_is_taken_by_what_is_held_says_so(archive):
    policy = Policy(30, None, 0.05, {"gate": CameraPolicy(30, 500)})
    items = segments(archive, 31)

    result = plan(Shelf(items), [hold(0, 40)], (), EMPTY_DISK, policy, NOW)

    assert planned(result) == []
    assert result.short_bytes == 500


def test_for_room_the_oldest_of_all_go_however_long_their_camera_is_kept(archive):
    """So what is beyond the legal time goes before anything that is not."""
    policy = Policy(30, None, 0.05, {"gate": CameraPolicy(90)})
    gate = segments(archive, 2, camera_id="gate")
    square = segments(archive, 20, camera_id="square")

    result = plan(Shelf([*gate, *square]), [], (), Disk(100_000, 4_500, 2000), policy, NOW)

    assert planned(result) == [(gate[0].id, Reason.WATERMARK)]


def test_a_plan_is_no_longer_than_a_transaction_should_be(archive):
    (old,) = segments(archive, 1)
    many = [replace(old, id=number) for number in range(MOST_DELETIONS + 5)]

    result = plan(Shelf(many), [], (), EMPTY_DISK, KEEP_30_DAYS, NOW)

    assert len(result.deletions) == MOST_DELETIONS
    assert result.partial


def test_two_policies_together_keep_what_either_does():
    one = Policy(30, 500, 0.05, {"gate": CameraPolicy(90), "road": CameraPolicy(30, 100)})
    other = Policy(60, 900, 0.02, {"road": CameraPolicy(40, 50), "pond": CameraPolicy(365, 70)})
    both = Policy(
        60,
        900,
        0.02,
        {
            "gate": CameraPolicy(90),
            "road": CameraPolicy(40, 100),
            "pond": CameraPolicy(365),
        },
    )
    assert one.or_more(other) == other.or_more(one) == both
    assert one.or_more(Policy(30, None, 0.05)).quota_bytes is None
    assert both.or_more(both) == both
