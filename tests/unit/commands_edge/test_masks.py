"""A mask counts in place of the configuration's until it is undone (protocol I25)."""

import pytest

from edge.alarm.scene import Scene
from edge.alarm.watch import Watch
from edge.commands.masks import exclusions, masks_at, masks_component, masks_in
from edge.errors import StorageError
from edge.health import Condition
from protocol.messages import Outcome
from tests.support.commanded import ACTOR, CommandedBox, command
from tests.support.desk_box import AT, box_config
from tests.support.waiting import wait_until

STAGE = [[[0.1, 0.1], [0.4, 0.1], [0.4, 0.4]]]
GATE = [[[0.5, 0.5], [1.0, 0.5], [1.0, 1.0], [0.5, 1.0]]]
TUPLES = tuple(tuple(map(tuple, polygon)) for polygon in STAGE)


@pytest.fixture
def box(tmp_path):
    opened = CommandedBox.opened(tmp_path / "box.db")
    yield opened
    opened.close()


def mask(exclude=STAGE):
    return command("mask", rule_id="crowd", exclude=exclude)


def undo():
    return command("mask", rule_id="crowd", undo=True)


def test_a_mask_is_kept_with_who_asked_and_what_for(box):
    box.hear(mask())
    (kept,) = masks_in(box.box.database)
    assert (kept.key, kept.exclude) == (("square", "crowd"), TUPLES)
    assert (kept.actor, kept.reason, kept.since) == (ACTOR, "核实情况", AT)
    assert box.outcomes() == [Outcome.DONE]


def test_it_is_there_after_a_restart_and_the_last_word_stands(box, tmp_path):
    box.hear(mask(GATE))
    box.hear(mask())
    again = CommandedBox.opened(tmp_path / "box.db")
    assert exclusions(masks_in(again.box.database)) == {("square", "crowd"): TUPLES}
    again.close()


def test_that_nothing_is_masked_is_a_mask_too_and_undoing_it_is_another_word(box):
    box.hear(mask([]))
    assert exclusions(masks_in(box.box.database)) == {("square", "crowd"): ()}
    box.hear(undo())
    assert masks_in(box.box.database) == ()
    box.hear(undo())
    assert [(each.outcome, each.reason) for each in box.results()] == [
        (Outcome.DONE, ""),
        (Outcome.DONE, ""),
        (Outcome.DONE, "was_not_masked"),
    ]


def test_whoever_looks_at_the_file_of_a_running_box_sees_the_same(box, tmp_path):
    box.hear(mask())
    assert masks_at(tmp_path / "box.db") == masks_in(box.box.database)
    with pytest.raises(StorageError, match="unable to open"):
        masks_at(tmp_path / "no-such.db")


def test_health_says_which_rules_have_one_and_which_of_them_are_no_rules_here(box, tmp_path):
    box.hear(mask([*STAGE, *GATE]))
    masks = masks_in(box.box.database)
    here = masks_component(masks, box.box.config)
    assert (here.condition, here.detail, here.figures) == (Condition.OK, None, {"square/crowd": 2})
    elsewhere = masks_component(masks, box_config(tmp_path, cameras=[]))
    assert elsewhere.detail == "of no rule here: square/crowd"


def test_the_rules_are_told_once_it_is_written_down_and_again_where_the_disk_refused(box):
    told = []

    def tell():
        told.append(exclusions(masks_in(box.box.database)))
        if len(told) == 1:
            raise StorageError("disk I/O error")

    box.desk.start(box.armed, tell)
    try:
        box.hear(mask())
        wait_until(lambda: len(told) == 1)
        box.desk.wake()
        wait_until(lambda: len(told) == 2)
    finally:
        box.desk.close()
    assert told == [{("square", "crowd"): TUPLES}] * 2


def test_each_rule_is_masked_by_its_own_camera_and_id(box):
    rules = box.box.config.cameras[0].rules
    cameras = [each.model_copy(update={"rules": rules}) for each in box.box.config.cameras]
    scenes = {camera.id: Listening(camera, min_score=0.4) for camera in cameras}
    watch = Watch(cameras, scenes, box.box.desk, box.box.clock)
    watch.mask({("square", "crowd"): TUPLES, ("gate", "other"): ()})
    assert {name: scene.heard for name, scene in scenes.items()} == {
        "square": {"crowd": TUPLES},
        "gate": {"other": ()},
    }


class Listening(Scene):
    """A scene that keeps what it was told to look past."""

    def mask(self, masks):
        self.heard = dict(masks)
