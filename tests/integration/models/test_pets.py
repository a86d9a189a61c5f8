"""On real footage: needs the assets folder.

Thresholds leave room; the exact figures are printed by ``make eval``.
"""

from itertools import islice

import pytest

from models.evaluation.persons import CURVE_SCORE, look, score
from models.evaluation.pets import boxes_of, find_assets, read_truth, substream
from models.person import load
from models.store import ModelStore
from protocol.clock import SystemClock

pytestmark = pytest.mark.assets


@pytest.fixture(scope="module")
def assets():
    folder = find_assets()
    if folder is None:
        pytest.skip("needs PETS09-S2L1 of the assets folder (set TANSHAO_ASSETS)")
    return folder


@pytest.fixture(scope="module")
def pictures(assets):
    """Every 16th of the first 160 pictures, as the sub-stream shows them."""
    return [
        (index, picture)
        for index, picture in enumerate(islice(substream(assets), 160))
        if index % 16 == 0
    ]


def test_the_annotation_is_the_one_the_rule_was_made_with(assets):
    truth = read_truth(assets)
    assert len(truth) == 795
    assert sum(map(len, truth.values())) == 4476
    first = truth[0][0]
    assert first.box == pytest.approx((0.6497, 0.2743, 0.6901, 0.4048), abs=1e-3)
    assert first.ground_m == (-4.1554, -7.3591)


@pytest.mark.parametrize(
    ("name", "ap50", "recall", "precision"),
    [
        ("rtmdet-nano-person", 0.90, 0.85, 0.85),
        ("ssdlite-mobilenetv2-person", 0.70, 0.70, 0.70),
    ],
)
def test_a_model_finds_the_people_of_real_footage(assets, pictures, name, ap50, recall, precision):
    chosen = ModelStore().select(name)
    model = load(chosen.entry, chosen.path, CURVE_SCORE)
    seen = look(model, (picture for _, picture in pictures), SystemClock())
    people = boxes_of(read_truth(assets), (index for index, _ in pictures))
    found = score(seen, people, chosen.entry.min_score)
    assert found.ap50 >= ap50
    assert found.recall >= recall
    assert found.precision >= precision
    assert seen.ms_per_picture > 0
    assert sum(there for _, there in found.by_size.values()) == sum(map(len, people))
