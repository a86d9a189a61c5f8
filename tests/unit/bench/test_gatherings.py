"""How gatherings are judged: a model that sees what it is told to stands in for a real one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import gatherings, scene
from bench.footage import Clip, GatheringTruth
from models.store import ModelStore
from tests.support.clips import write_clip

CLOSE = {
    "mode": "close_together",
    "levels": {"ordinary": 3},
    "hold_s": 5.0,
    "clear_s": 5.0,
    "repeat_s": 0.0,
}


class Beholder:
    """Sees three people side by side in pictures that are bright."""

    entry = ModelStore(environ={}).select("ssdlite-mobilenetv2-person").entry

    def infer(self, bgr):
        if bgr.mean() < 128:
            return []
        return [(20.0 + 12 * n, 20.0, 30.0 + 12 * n, 50.0, 0.9) for n in range(3)]


def square(folder, seconds, bright):
    """Write a clip in which people are there in these seconds."""
    pictures = [
        np.full((64, 96, 3), 200 if any(a <= n / 4 <= b for a, b in bright) else 40, np.uint8)
        for n in range(seconds * 4)
    ]
    write_clip(folder / "square.mkv", pictures)
    return folder / "square.mkv"


def truth(spans, **changes):
    return GatheringTruth.model_validate({"rule": CLOSE | changes, "spans": spans})


def test_a_gathering_is_found_and_how_late_is_said(tmp_path):
    path = square(tmp_path, 30, [(6, 20)])
    clip = Clip(file=path.name, gathering=(truth([[6, 20]]), truth([[7, 20]])))
    right, moved = gatherings.play(path, clip, Beholder())
    assert right.is_right
    assert right.off_s[0] == pytest.approx(0.0, abs=0.6)
    assert moved.off_s[0] == pytest.approx(-1.0, abs=0.6)


def test_what_nobody_expected_is_false_and_what_did_not_come_is_missed(tmp_path):
    path = square(tmp_path, 30, [(6, 20)])
    nothing, more = truth([]), truth([[6, 20]], levels={"ordinary": 4})
    false, missed = gatherings.play(
        path, Clip(file=path.name, gathering=(nothing, more)), Beholder()
    )
    assert (false.false, false.missed) == (1, 0)
    assert (missed.false, missed.missed, missed.started_s) == (0, 1, ())


def test_an_alert_far_from_its_time_in_the_right_span_is_late_and_not_false():
    late = gatherings.judged([10.0], [15.0], [(5.0, 20.0)])
    assert (late.late_s, late.off_s, late.missed, late.false) == ((5.0,), (), 0, 0)
    assert not late.is_right
    beside = gatherings.judged([10.0], [25.0], [(5.0, 20.0)])
    assert (beside.late_s, beside.missed, beside.false) == ((), 1, 1)


def test_spans_that_a_clear_time_joins_are_one_alert():
    times_s = [n / 2 for n in range(80)]
    spans = [[5, 13], [15, 25]]
    assert len(gatherings.expected_s(truth(spans), times_s)) == 1
    assert len(gatherings.expected_s(truth(spans, clear_s=0.0, gap_s=0.0), times_s)) >= 1
    assert gatherings.expected_s(truth([[5, 8]]), times_s) == []


@given(
    st.lists(st.floats(0, 100), max_size=6),
    st.lists(st.floats(0, 100), max_size=6),
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=4),
)
def test_every_start_and_every_expectation_is_counted_once(expected_s, started_s, spans):
    outcome = gatherings.judged(expected_s, started_s, spans)
    matched = len(outcome.off_s) + len(outcome.late_s)
    assert matched + outcome.missed == len(expected_s)
    assert matched + outcome.false == len(started_s)


def test_the_annotations_own_gatherings_bridge_a_frame_and_no_more():
    counts = [0] * 10 + [3] * 20 + [2] + [3] * 30 + [2] * 2 + [3] * 40
    assert gatherings.true_starts_s(counts, 3, 5.0) == pytest.approx([45 / 7, (63 + 35) / 7])
    assert gatherings.true_starts_s(counts, 4, 5.0) == []


def test_the_figures_of_pets_are_those_of_the_worst_first_frame_at_the_boxs_rate():
    def run(fps, people, clear_s, expected_s, started_s):
        outcome = gatherings.judged(expected_s, started_s)
        return gatherings.PetsRun(people, clear_s, fps, 0, outcome)

    box = gatherings.BOX_FPS
    runs = [
        run(7.0, 3, 0.0, [9.0, 17.0], []),
        run(box, 3, 0.0, [9.0, 17.0], [9.5, 17.0]),
        run(box, 3, 0.0, [9.0, 17.0], [10.0, 25.0]),
        run(box, 5, 0.0, [], []),
        run(box, 5, 0.0, [], [30.0]),
        run(box, 3, 5.0, [9.0], [9.0]),
        run(box, 3, 5.0, [9.0], []),
    ]
    assert gatherings.pets_figures(runs) == {
        "gatherings": 2,
        "gatherings_found": 1,
        "gatherings_false": 2,
        "gatherings_off_s_max": 1.0,
        "clear_times": 2,
        "clear_times_as_truth": 1,
    }
    assert "N>=5" in gatherings.show_pets(runs)
    assert scene.RATES
