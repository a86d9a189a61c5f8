import av
import numpy as np

from edge.detect import wire
from edge.detect.looker import Looker, Turn
from models.fire import FLAME, FireBox

RUN = b"r" * 16


class People:
    """Finds one person more at each look, so that a look can be told from a repeat."""

    def __init__(self):
        self.looks = 0

    def infer(self, bgr):
        self.looks += 1
        return [(8.0 * n, 0.0, 8.0 * n + 8, 45.0, 0.9) for n in range(self.looks)]


class Fires:
    def __init__(self):
        self.looks = 0

    def infer(self, bgr):
        self.looks += 1
        return [FireBox(FLAME, 0.0, 0.0, 80.0, 45.0, 0.8)]


def turn(second, light=60, *, people=True, fire=True):
    pixels = np.full((90, 160, 3), light, np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format="yuv420p")
    frame.pts = round(second * 90_000)
    return Turn(RUN, frame, people, fire)


def said(messages):
    parsed = []
    for message in messages:
        ((kind, payload),) = wire.Deframer().feed(message)
        parse = wire.parse_result if kind is wire.Kind.RESULT else wire.parse_fire
        parsed.append(parse(payload))
    return parsed


def looker():
    made = Looker(People(), Fires())
    made.begin(0)
    return made


def test_a_still_picture_is_looked_at_once_and_told_at_every_look():
    made = looker()
    told = [said(made.look(0, turn(second)))[0] for second in range(5)]
    assert [len(each.boxes) for each in told] == [1] * 5
    assert [each.pts_90k for each in told] == [second * 90_000 for second in range(5)]
    assert (made.looked, made.repeated) == (1, 4)


def test_another_picture_is_looked_at():
    made = looker()
    told = [said(made.look(0, turn(second, 60 + 20 * second)))[0] for second in range(3)]
    assert [len(each.boxes) for each in told] == [1, 2, 3]


def test_each_task_goes_by_its_own_last_look():
    made = looker()
    made.look(0, turn(0, fire=False))
    result, fires = said(made.look(0, turn(1)))
    assert len(result.boxes) == 1
    assert len(fires.sightings) == 1
    assert (made.looked, made.repeated) == (2, 0)


def test_what_flickers_is_told_to_move_and_what_stands_still_is_not():
    made = looker()
    motions = [
        said(made.look(0, turn(second, light, people=False)))[0].sightings[0][-1]
        for second, light in enumerate((60, 90, 90))
    ]
    assert motions[0] == 0
    assert motions[1] > 20
    assert motions[2] == 0


def test_a_new_run_is_looked_at_anew():
    made = looker()
    made.look(0, turn(0))
    made.begin(0)
    made.look(0, turn(1))
    assert made.looked == 2


def test_without_a_model_nothing_is_looked_for():
    made = Looker(None, None)
    made.begin(0)
    assert (made.knows_people, made.knows_fire) == (False, False)
    assert made.look(0, turn(0)) == []
