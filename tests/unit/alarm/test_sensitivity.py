import pytest

from edge.alarm.gathering import VOTE
from edge.alarm.sensitivity import LEANINGS, Leaning, Sensitivity
from edge.lookout import WEAK_SHARE


def test_normal_is_what_was_tuned():
    assert LEANINGS[Sensitivity.NORMAL] == Leaning(1.0, 0.4)
    assert VOTE == 0.4


def test_low_wants_more_of_both_and_high_less():
    ordered = [LEANINGS[each] for each in (Sensitivity.HIGH, Sensitivity.NORMAL, Sensitivity.LOW)]
    scores = [each.score(0.4) for each in ordered]
    assert scores == sorted(set(scores))
    assert [each.vote for each in ordered] == sorted({each.vote for each in ordered})


@pytest.mark.parametrize("min_score", [0.05, 0.4, 0.95])
def test_every_score_is_one_that_the_detector_gives(min_score):
    for leaning in LEANINGS.values():
        assert WEAK_SHARE * min_score < leaning.score(min_score) <= max(0.9, min_score)
