"""Identifiers."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

import pytest

from protocol.ids import BOX_ID, GRID_CODE, LOCAL_ID, REGION_CODE, uuid7

AT = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)


def test_a_uuid7_is_of_version_7_and_begins_with_its_millisecond():
    made = uuid7(AT)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == 1795309323456


def test_uuid7s_of_one_moment_differ():
    assert len({uuid7(AT) for _ in range(1000)}) == 1000


def test_uuid7s_sort_by_their_millisecond():
    made = [uuid7(AT + timedelta(milliseconds=each)) for each in range(200)]
    assert sorted(made, key=str) == made


def test_a_moment_that_no_float_of_seconds_hits_keeps_its_millisecond():
    at = datetime(1970, 1, 25, 10, 36, 9, 607000, tzinfo=UTC)
    assert uuid7(at).int >> 80 == 2_111_769_607


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (BOX_ID, "laozhai-01", ["ab", "-ab", "ab-", "Ab1", "a_b", "a" * 33, "abc\n", "村01"]),
        (LOCAL_ID, "cam_1-a", ["", "_a", "-a", "A", "a" * 33, "a\n", "a/b"]),
        (REGION_CODE, "533102105203", ["53310210520", "5331021052033", "533102105203\n"]),
        (GRID_CODE, "533102105203004", ["533102105203", "５" * 15]),
    ],
)
def test_ids_are_checked_to_their_end(pattern, good, bad):
    assert pattern.match(good)
    assert [each for each in bad if pattern.match(each)] == []
