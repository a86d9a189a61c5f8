import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report import emit, percentile, rounded, table


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.95, None),  # not measured is not zero
        ([7.0], 0.95, 7.0),
        ([3.0, 1.0, 2.0], 0.0, 1.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([3.0, 1.0, 2.0], 1.0, 3.0),
        (list(range(1, 21)), 0.95, 19),  # nearest rank: the 19th of 20
        (list(range(1, 22)), 0.95, 20),
    ],
)
def test_percentile_is_the_nearest_rank(values, share, expected):
    assert percentile(values, share) == expected


@pytest.mark.parametrize("share", [-0.1, 1.01])
def test_percentile_refuses_a_share_outside_0_to_1(share):
    with pytest.raises(ValueError, match="share"):
        percentile([1.0], share)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.floats(0.01, 1.0))
def test_percentile_is_a_value_that_the_share_does_not_exceed(values, share):
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9


def test_rounded_keeps_what_was_not_measured():
    assert (rounded(1.26), rounded(1.264, 2), rounded(None)) == (1.3, 1.26, None)


def test_table_aligns_chinese_words_left_and_numbers_right():
    text = table(["name", "ms"], [["村口", 12.34], ["a", None], ["long-name", 3.0]])
    assert text.splitlines() == [
        "name         ms",
        "---------  ----",
        "村口       12.3",
        "a             -",
        "long-name     3",
    ]


def test_table_of_no_rows_is_its_head():
    assert table(["a", "bc"], []).splitlines() == ["a  bc", "-  --"]


def test_table_says_yes_and_no():
    assert table(["ok"], [[True], [False]]).splitlines()[2:] == ["yes", "no"]


def test_table_refuses_a_row_of_another_length():
    with pytest.raises(ValueError, match="as many cells"):
        table(["a"], [[1, 2]])


def test_emit_writes_one_line_of_json():
    out = io.StringIO()
    emit(out, {"name": "村口", "ms": None, "rows": [{"a": 1.5}]})
    assert out.getvalue().count("\n") == 1
    assert json.loads(out.getvalue()) == {"name": "村口", "ms": None, "rows": [{"a": 1.5}]}


def test_emit_refuses_what_is_not_json():
    with pytest.raises(ValueError, match="JSON"):
        emit(io.StringIO(), {"bad": float("nan")})
