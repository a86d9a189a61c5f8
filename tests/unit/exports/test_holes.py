from edge.exports.holes import LOST, UNEXPLAINED, Hole, holes
from edge.exports.order import Lost, Shown
from edge.media.sample import GapReason
from edge.recording.segment import Gap
from protocol.relay import StreamName
from tests.support.recordings import at


def shown(*spans: tuple[float, float]) -> list[Shown]:
    return [Shown(start=at(start), end=at(end)) for start, end in spans]


def gap(start_s: float, end_s: float | None, reason: GapReason) -> Gap:
    end = None if end_s is None else at(end_s)
    return Gap("gate", StreamName.MAIN, at(start_s), end, reason)


def lost(start_s: float, end_s: float) -> Lost:
    return Lost(path="x", start=at(start_s), end=at(end_s), error="gone")


def test_a_whole_stretch_has_no_hole():
    assert holes(shown((0, 5), (5.04, 10)), [], [], at(1), at(10)) == []


def test_holes_at_both_ends_and_in_the_middle_have_the_reason_that_covers_most():
    gaps = [
        gap(-5, 2, GapReason.BOX_OFF),
        gap(4, 4.5, GapReason.NETWORK),
        gap(4.5, 8, GapReason.CAMERA),
        gap(9, None, GapReason.DISK),
    ]
    assert holes(shown((2, 4), (8, 9)), gaps, [], at(0), at(20)) == [
        Hole(at(0), at(2), "box_off"),
        Hole(at(4), at(8), "camera"),
        Hole(at(9), at(20), "disk"),
    ]


def test_a_file_that_was_lost_is_the_reason_before_any_other():
    gaps = [gap(2, 5, GapReason.CAMERA)]
    found = holes(shown((0, 2), (5, 6)), gaps, [lost(8, 9), lost(4, 5)], at(0), at(6))
    assert found == [Hole(at(2), at(5), LOST)]


def test_a_hole_without_a_cause_says_so():
    assert holes([], [gap(20, 30, GapReason.CAMERA)], [], at(0), at(1)) == [
        Hole(at(0), at(1), UNEXPLAINED)
    ]


def test_what_is_shown_beyond_the_asked_stretch_makes_no_hole():
    assert holes(shown((0, 2), (30, 40)), [], [], at(1), at(2)) == []
    assert holes(shown((-5, 50)), [], [], at(0), at(10)) == []
