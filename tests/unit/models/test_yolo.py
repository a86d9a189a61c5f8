import hashlib
from dataclasses import replace

import numpy as np
import pytest

from models import fire, person
from models.errors import ModelError
from models.manifest import ModelInput, find
from tests.support.own_models import network

#: Two people, of whom the second is seen twice; a dog surer than the person in the same place; a
#: weak one. Centre x, y, width, height, and the scores of person and dog.
COLUMNS = [
    (40, 60, 20, 40, 0.9, 0.1),
    (100, 60, 20, 40, 0.8, 0.1),
    (101, 60, 20, 40, 0.7, 0.1),
    (150, 60, 20, 20, 0.6, 0.95),
    (20, 20, 10, 10, 0.2, 0.0),
    (300, 60, 60, 40, 0.5, 0.0),
    (60, 110, 10, 10, 0.5, 0.0),
]
FINAL = [
    (30, 40, 50, 80, 0.9, 0),
    (90, 40, 110, 80, 0.8, 0),
    (91, 40, 111, 80, 0.7, 0),
    (140, 50, 160, 70, 0.95, 1),
    (15, 15, 25, 25, 0.2, 0),
    (0, 0, 0, 0, 0, 0),
]
PEOPLE = [(30, 40, 50, 80, 0.9), (90, 40, 110, 80, 0.8)]


RAW = network(np.array(COLUMNS).T)


@pytest.fixture
def make(tmp_path):
    def made(load=person.load, content=RAW, classes=("person", "dog"), tiles=1, **more):
        path = tmp_path / "yolo.onnx"
        path.write_bytes(content)
        entry = replace(
            find("rtmdet-nano-person"),
            name="own",
            family="yolo",
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            classes=classes,
            min_score=0.4,
            input=ModelInput("RGB", "NCHW", 320, 32, 114, (0.0,) * 3, (255.0,) * 3, tiles),
            **more,
        )
        return load(entry, path)

    return made


def picture(width=320, height=160):
    made = np.zeros((height, width, 3), np.uint8)
    made[0, 0] = 255
    return made


def test_people_are_found_once_each_and_nothing_else(make):
    boxes = make().infer(picture())
    assert boxes[:2] == [pytest.approx(box) for box in PEOPLE]
    assert [round(box[4], 2) for box in boxes] == [0.9, 0.8, 0.5, 0.5]


def test_a_box_ends_at_the_pictures_edge(make):
    assert make().infer(picture())[2][:4] == pytest.approx((270, 40, 320, 80))


def test_boxes_are_of_the_picture_and_not_of_the_input(make):
    large = picture(640, 320)
    large[:8, :8] = 255  # white after it was made smaller, too
    assert make().infer(large)[0] == pytest.approx((60, 80, 100, 160, 0.9), abs=1e-3)


def test_boxes_that_the_network_made_final_are_taken_but_not_twice(make):
    boxes = make(content=network(FINAL)).infer(picture())
    assert boxes == [pytest.approx(box) for box in PEOPLE]


def test_the_person_may_be_any_of_the_classes(make):
    boxes = make(classes=("dog", "person")).infer(picture())
    assert boxes == [pytest.approx((140, 50, 160, 70, 0.95))]


def test_nothing_is_found_where_the_network_sees_nothing(make):
    black = np.zeros((160, 320, 3), np.uint8)
    pad_free = make(content=network(np.array(COLUMNS).T))
    assert pad_free.infer(black) == []


def test_an_answer_of_other_classes_is_refused_by_the_models_name(make):
    with pytest.raises(
        ModelError, match=r"'own': must answer \[1, 7, N\] for 3 classes.*not \[1, 6, 7\]"
    ):
        make(classes=("person", "dog", "cat")).infer(picture())
    with pytest.raises(ModelError, match="'own': must answer classes below 1, not 1"):
        make(content=network(FINAL), classes=("person",)).infer(picture())


def test_tiles_are_not_for_this_family(make):
    with pytest.raises(ModelError, match="'tiles' must be 1 for family yolo"):
        make(tiles=3)


def test_flame_and_smoke_have_scores_of_their_own(make):
    seen = make(
        fire.load, classes=("smoke", "flame"), task="fire", class_scores=(0.75, 0.96)
    ).infer(picture())
    assert [(box.kind, round(box.score, 2)) for box in seen] == [("smoke", 0.9), ("smoke", 0.8)]
    seen = make(fire.load, classes=("smoke", "flame"), task="fire").infer(picture())
    assert (seen[0].kind, seen[0].left, seen[0].bottom) == ("flame", 140, 70)


def test_weaker_fires_are_found_where_they_are_asked_for(make):
    def weaker(entry, path):
        return fire.load(entry, path, score_factor=0.5)

    scores = (0.96, 0.99)
    assert make(fire.load, classes=("flame", "smoke"), class_scores=scores).infer(picture()) == []
    seen = make(weaker, classes=("flame", "smoke"), class_scores=scores).infer(picture())
    assert [box.kind for box in seen] == ["smoke", "flame", "flame", "flame", "flame"]
    # the least is 0.48 and 0.495
    assert min(box.score for box in seen) == pytest.approx(0.5)
