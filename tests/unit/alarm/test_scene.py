from datetime import UTC, datetime, timedelta

import pytest

from edge.alarm.geometry import Place
from edge.alarm.scene import BUSY_S, GatheringRule, Scene
from edge.alarm.schedule import Calendar
from edge.config import CameraSection, GroundPoint
from edge.errors import ConfigError
from edge.ports import Box, Detections, Occurrence, OpenAlert
from edge.rule_config import GatheringSection
from protocol.messages import AlertKind, AlertLevel, AlertMode, AlertOp

T0 = datetime(2026, 11, 22, tzinfo=UTC)
FPS = 2
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
RIGHT = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
#: A square of 10 m, straight from above.
GROUND = [
    {"image": (0.0, 0.0), "metres": (0.0, 0.0)},
    {"image": (1.0, 0.0), "metres": (10.0, 0.0)},
    {"image": (1.0, 1.0), "metres": (10.0, 10.0)},
    {"image": (0.0, 1.0), "metres": (0.0, 10.0)},
]


def camera(rules, ground=GROUND):
    return CameraSection.model_validate(
        {
            "id": "gate",
            "name": "村口",
            "grid_code": "330521100201001",
            "main_url": "rtsp://10.0.0.9/main",
            "ground": ground,
            "rules": rules,
        }
    )


def rule(**changes):
    given = {
        "id": "crowd",
        "levels": {"ordinary": 3},
        "hold_s": 5.0,
        "clear_s": 5.0,
        "repeat_s": 0.0,
        "gap_s": 0.6,
    }
    return given | changes


def standing(x, y, score=0.9):
    """A person whose feet are at x, y of the picture."""
    return Box(x - 0.01, y - 0.1, x + 0.01, y, score)


def watch(scene, boxes, seconds, from_s=0.0):
    """Show ``boxes`` for so long; return what is said of it but the updates of every look."""
    said = []
    for step in range(round(seconds * FPS)):
        at = T0 + timedelta(seconds=from_s + (step + 1) / FPS)
        seen = Detections("gate", "ab" * 16, step * 45_000, at, tuple(boxes))
        said += scene.see(seen)
    return [each for each in said if each.op is not AlertOp.UPDATE]


def test_people_in_a_region_become_an_occurrence_with_its_ids():
    scene = Scene(camera([rule(alert_mode="trial")]), min_score=0.4)
    (said,) = watch(scene, [standing(0.1 * n, 0.5) for n in range(1, 5)], 10)
    assert said == Occurrence(
        op=AlertOp.START,
        kind=AlertKind.GATHERING,
        level=AlertLevel.ORDINARY,
        mode=AlertMode.TRIAL,
        camera_id="gate",
        rule_id="crowd",
        region_id="all",
        at=T0 + timedelta(seconds=5.5),
        count=4,
        threshold=3,
        confidence=0.9,
    )


def test_each_region_has_its_own_alert():
    regions = [{"id": "left", "polygon": LEFT}, {"id": "right", "polygon": RIGHT}]
    scene = Scene(camera([rule(regions=regions)]), min_score=0.4)
    left = [standing(0.1 * n, 0.5) for n in range(1, 4)]
    right = [standing(0.5 + 0.1 * n, 0.5) for n in range(1, 4)]
    assert [said.region_id for said in watch(scene, left, 10)] == ["left"]
    assert [said.region_id for said in watch(scene, left + right, 10, 10)] == ["right"]


def test_people_in_an_excluded_part_are_not_counted():
    scene = Scene(camera([rule(exclude=[LEFT])]), min_score=0.4)
    assert watch(scene, [standing(0.1 * n, 0.5) for n in range(1, 5)], 20) == []


def test_a_mask_counts_in_place_of_the_configurations_until_it_is_taken_back():
    scene = Scene(camera([rule(exclude=[LEFT])]), min_score=0.4)
    left = [standing(0.1 * n, 0.5) for n in range(1, 5)]
    scene.mask({"crowd": (RIGHT,), "other": (LEFT,)})
    assert [said.op for said in watch(scene, left, 20)] == [AlertOp.START]
    scene.mask({"other": ()})
    assert [said.op for said in watch(scene, left, 40, 20)] == [AlertOp.END]


def test_that_nothing_is_masked_is_a_mask_too():
    scene = Scene(camera([rule(exclude=[LEFT])]), min_score=0.4)
    scene.mask({"crowd": ()})
    left = [standing(0.1 * n, 0.5) for n in range(1, 5)]
    assert [said.op for said in watch(scene, left, 20)] == [AlertOp.START]


def test_feet_count_and_not_heads():
    # Tall boxes that reach into the left half from feet in the right half, and the other way round.
    regions = [{"id": "low", "polygon": ((0, 0.6), (1, 0.6), (1, 1), (0, 1))}]
    scene = Scene(camera([rule(regions=regions)]), min_score=0.4)
    high = [Box(0.2 * n, 0.1, 0.2 * n + 0.1, 0.59, 0.9) for n in range(4)]
    assert watch(scene, high, 20) == []


def test_close_together_counts_the_largest_group_in_metres():
    scene = Scene(camera([rule(mode="close_together", radius_m=1.0)]), min_score=0.4)
    apart = [standing(0.1, 0.2), standing(0.4, 0.2), standing(0.7, 0.2), standing(0.7, 0.6)]
    assert watch(scene, apart, 20) == []
    together = [standing(0.1, 0.2), standing(0.19, 0.2), standing(0.28, 0.2), standing(0.7, 0.6)]
    (said,) = watch(scene, together, 20, 20)
    assert (said.op, said.count) == (AlertOp.START, 3)


def test_close_together_without_ground_points_is_in_person_heights():
    close = rule(mode="close_together", radius_heights=1.2)
    scene = Scene(camera([close], ground=()), min_score=0.4)
    # 0.1 high each; a step of 0.075 of the width is 0.1 of the height at 4:3.
    near = [standing(0.2 + 0.075 * n, 0.5) for n in range(3)]
    assert [said.count for said in watch(scene, near, 10)] == [3]
    far = [standing(0.2 + 0.1 * n, 0.5) for n in range(3)]
    assert watch(Scene(camera([close], ground=()), min_score=0.4), far, 20) == []


def test_weak_boxes_alone_are_nobody():
    scene = Scene(camera([rule()]), min_score=0.4)
    assert watch(scene, [standing(0.1 * n, 0.5, score=0.3) for n in range(1, 5)], 20) == []


def test_an_open_alert_of_before_goes_on_and_ends():
    open_alert = OpenAlert(
        "gate", "crowd", "all", AlertKind.GATHERING, AlertLevel.ORDINARY, T0, peak=9
    )
    others = [
        OpenAlert("gate", "other", "all", AlertKind.GATHERING, AlertLevel.ORDINARY, T0, peak=9),
        OpenAlert("road", "crowd", "all", AlertKind.GATHERING, AlertLevel.ORDINARY, T0, peak=9),
    ]
    resumed = Scene(camera([rule()]), min_score=0.4, open_alerts=[*others, open_alert])
    assert [said.op for said in watch(resumed, [], 20)] == [AlertOp.END]
    fresh = Scene(camera([rule()]), min_score=0.4, open_alerts=others)
    assert watch(fresh, [], 20) == []


def test_two_rules_of_a_camera_are_independent():
    both = [rule(), rule(id="few", levels={"ordinary": 2})]
    scene = Scene(camera(both), min_score=0.4)
    said = watch(scene, [standing(0.1, 0.5), standing(0.3, 0.5)], 10)
    assert [each.rule_id for each in said] == ["few"]


def test_an_alert_lapses_when_nothing_is_seen():
    scene = Scene(camera([rule()]), min_score=0.4)
    watch(scene, [standing(0.1 * n, 0.5) for n in range(1, 5)], 10)
    assert scene.lapse(T0 + timedelta(seconds=60), unseen_s=50) == []
    (ended,) = scene.lapse(T0 + timedelta(seconds=1000), unseen_s=990)
    assert (ended.op, ended.count, ended.confidence) == (AlertOp.END, 0, None)


def test_impossible_ground_points_are_named():
    line = [{"image": (0.1 * n, 0.1 * n), "metres": (float(n), float(n))} for n in range(1, 5)]
    points = tuple(GroundPoint.model_validate(point) for point in line)
    # The configuration refuses them; nobody else is to get by with them either.
    with pytest.raises(ConfigError, match="'ground'"):
        Scene(camera([rule()]).model_copy(update={"ground": points}), min_score=0.4)


def test_a_slow_rate_is_not_taken_for_a_blind_camera():
    given = GatheringSection.model_validate(rule(hold_s=20.0))
    machine = GatheringRule("gate", given, min_score=0.4, interval_s=5.0)
    places = [Place(2.0 * n, 0.0, 1.0, (0.5, 0.5), 0.9) for n in range(4)]
    said = [
        occurrence
        for step in range(1, 12)
        for occurrence in machine.see(T0 + timedelta(seconds=5 * step), places)
    ]
    assert said[0].op is AlertOp.START
    assert {occurrence.op for occurrence in said[1:]} == {AlertOp.UPDATE}


def test_a_camera_is_crowded_while_a_region_has_half_of_a_rules_lowest_count():
    scene = Scene(camera([rule(levels={"ordinary": 5})]), min_score=0.4)
    three = [standing(0.1 * n, 0.5) for n in range(1, 4)]
    assert scene.is_crowded  # nothing is known yet
    watch(scene, three[:2], 1)
    assert not scene.is_crowded
    watch(scene, three, 1, 1)
    assert scene.is_crowded
    watch(scene, [], BUSY_S - 1, 2)
    assert scene.is_crowded
    watch(scene, [], 2, 2 + BUSY_S)
    assert not scene.is_crowded


def test_a_camera_with_an_open_alert_is_crowded_however_few_are_seen():
    scene = Scene(camera([rule(clear_s=60.0)]), min_score=0.4)
    watch(scene, [standing(0.1 * n, 0.5) for n in range(1, 5)], 10)
    watch(scene, [], 40, 10)
    assert scene.is_crowded


def scheduled(**days):
    return rule(schedule=days)


def in_utc(**changes):
    return Scene(camera([scheduled(**changes)]), min_score=0.4, calendar=Calendar())


CROWD = [standing(0.1 * n, 0.5) for n in range(1, 5)]


def test_outside_of_its_schedule_a_rule_starts_nothing_and_looks_seldom():
    scene = in_utc(sunday=["00:01-24:00"])
    assert watch(scene, CROWD, 59) == []
    assert not scene.is_crowded
    (said,) = watch(scene, CROWD, 30, from_s=59)
    assert (said.op, said.at) == (AlertOp.START, T0 + timedelta(seconds=65))


def test_an_open_alert_ends_with_its_period_and_says_who_is_still_there():
    scene = in_utc(sunday=["00:00-00:01"])
    started, ended = watch(scene, CROWD, 90)
    assert (started.op, ended.op) == (AlertOp.START, AlertOp.END)
    assert (ended.at, ended.count) == (T0 + timedelta(seconds=60), 4)


def test_an_open_alert_ends_after_its_period_though_its_camera_shows_nothing():
    scene = in_utc(sunday=["00:00-00:01"])
    watch(scene, CROWD, 20)
    assert scene.lapse(T0 + timedelta(seconds=50), unseen_s=30) == []
    assert scene.lapse(T0 + timedelta(seconds=61), unseen_s=20) == []
    (ended,) = scene.lapse(T0 + timedelta(seconds=61), unseen_s=41)
    assert (ended.op, ended.at) == (AlertOp.END, T0 + timedelta(seconds=61))


def test_an_alert_that_was_open_before_a_restart_outside_of_its_schedule_ends():
    opened = OpenAlert("gate", "crowd", "all", AlertKind.GATHERING, AlertLevel.ORDINARY, T0, 9)
    scene = Scene(camera([scheduled(monday=["08:00-09:00"])]), min_score=0.4, open_alerts=[opened])
    assert [said.op for said in watch(scene, CROWD, 5)] == [AlertOp.END]


def test_low_sensitivity_wants_surer_people_and_high_takes_less_sure_ones():
    def starts(sensitivity, score):
        scene = Scene(camera([rule(sensitivity=sensitivity)]), min_score=0.4)
        return bool(watch(scene, [standing(0.1 * n, 0.5, score) for n in range(1, 5)], 20))

    found = {
        score: [starts(each, score) for each in ("low", "normal", "high")]
        for score in (0.35, 0.45, 0.55)
    }
    assert found == {
        0.35: [False, False, True],
        0.45: [False, True, True],
        0.55: [True, True, True],
    }


def test_every_count_within_the_schedule_is_told_and_none_outside():
    counts = []
    regions = [{"id": "left", "polygon": LEFT}, {"id": "right", "polygon": RIGHT}]
    crowd = rule(regions=regions, schedule={"sunday": ["00:00-00:01"]})
    scene = Scene(camera([crowd]), min_score=0.4, counted=lambda *told: counts.append(told))
    watch(scene, CROWD, 1, from_s=58)
    watch(scene, CROWD, 10, from_s=60)
    at = T0 + timedelta(seconds=58.5)
    assert counts[:2] == [("gate", "crowd", "left", at, 4), ("gate", "crowd", "right", at, 0)]
    assert len(counts) == 4
