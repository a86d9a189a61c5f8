from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.truth import (
    Gathering,
    Spot,
    Truth,
    gatherings,
    known,
    load,
    parse,
    quiet_from,
)
from protocol.messages import AlertOp

HERE = Spot((0.0, 0.0))
T0 = datetime(2026, 11, 22, tzinfo=UTC)


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def test_the_annotation_gives_places_in_metres_by_frame_from_0():
    text = (
        "1,9,499,158,31.03,75.17,1,-4.1554,-7.3591,0\n"
        "1,15,258,219,3,8,1,-11.3,-5.5,0\n"
        "3,9,0,0,1,1,1,2,3,0\n"
    )
    assert parse(text) == {
        0: (
            Spot((-4.1554, -7.3591), ((499 + 31.03 / 2) / 768, (158 + 75.17) / 576)),
            Spot((-11.3, -5.5), (259.5 / 768, 227 / 576)),
        ),
        2: (Spot((2.0, 3.0), (0.5 / 768, 1 / 576)),),
    }


@pytest.mark.parametrize("line", ["1,2,3", "x,9,499,158,31,75,1,-4,-7,0", "1,9,0,0,1,1,1,,2,0"])
def test_an_annotation_that_cannot_be_read_names_its_line(line):
    with pytest.raises(ValueError, match="annotation line 2"):
        parse(f"1,9,0,0,1,1,1,2,3,0\n{line}\n")


@given(
    st.lists(
        st.tuples(st.integers(1, 900), st.floats(-99, 99, width=32), st.floats(-99, 99, width=32))
    )
)
def test_every_annotated_place_is_read(rows):
    text = "".join(f"{frame},1,0,0,1,1,1,{x},{y},0\n" for frame, x, y in rows)
    read = [(frame + 1, *spot.ground_m) for frame, spots in parse(text).items() for spot in spots]
    assert sorted(read) == sorted(rows)


def test_the_truth_is_looked_for_in_the_assets_folder(tmp_path, monkeypatch):
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt" / "PETS09-S2L1_gt.txt").write_text("5,9,0,0,1,1,1,2,3,0\n")
    monkeypatch.setenv("TANSHAO_ASSETS", str(tmp_path))
    assert load() == Truth("annotation", {4: (Spot((2.0, 3.0), (0.5 / 768, 1 / 576)),)})


def test_what_is_known_stands_in_where_there_are_no_assets(tmp_path, monkeypatch):
    monkeypatch.setenv("TANSHAO_ASSETS", str(tmp_path))
    truth = load()
    assert truth == known()
    assert [min(truth.frames), max(truth.frames), len(truth.frames)] == [31, 130, 54 + 42]
    assert 85 not in truth.frames  # frame 86, counted from 1
    assert round(truth.length_s, 2) == 113.57


def test_frames_lie_on_the_turns_of_the_camera():
    truth = Truth("test", {1: (HERE,)}, frame_count=3, fps=Fraction(2))
    assert list(truth.spots([at(0), at(1.5)], at(2.6))) == [
        (at(0), ()),
        (at(0.5), (HERE,)),
        (at(1.0), ()),
        (at(1.5), ()),
        (at(2.0), (HERE,)),
        (at(2.5), ()),
    ]


def test_a_turn_that_is_cut_short_ends_where_the_next_begins():
    truth = Truth("test", {}, frame_count=10, fps=Fraction(1))
    assert [moment for moment, _ in truth.spots([at(0), at(2)], at(3.5))] == [
        at(0),
        at(1),
        at(2),
        at(3),
    ]


def test_changes_of_a_rule_amount_to_gatherings():
    changes = [
        (AlertOp.START, at(1)),
        (AlertOp.UPDATE, at(2)),
        (AlertOp.END, at(3)),
        (AlertOp.START, at(9)),
    ]
    assert gatherings(changes) == (Gathering(at(1), at(3)), Gathering(at(9), None))


def test_an_end_that_nothing_began_is_no_gathering():
    assert gatherings([(AlertOp.END, at(3))]) == ()


@pytest.mark.parametrize(
    ("ready", "quiet"),
    [
        (0, 0),  # long before
        (4.9, 4.9),
        (5, 20),  # within the time the condition must hold
        (12, 20),
        (19.9, 20),
        (20, 20),
        (35, 48),  # ends when the next one's condition holds already: after that
        (47, 48),
        (71, 71),  # the last one is still open at the end: nothing is known after it
    ],
)
def test_judging_begins_where_nothing_goes_on(ready, quiet):
    spans = [(70, None), (40, 43), (10, 20), (46, 48)]
    expected = [Gathering(at(start), None if end is None else at(end)) for start, end in spans]
    assert quiet_from(expected, at(ready), hold_s=5.0) == at(quiet)
