from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from edge.alarm.fire import Strategy
from edge.alarm.fire_rule import FireRule, timing_of
from edge.ports import OpenAlert, Sighting
from edge.rule_config import MAX_FIRE_REGION_ID, FireSection
from protocol.messages import AlertKind, AlertLevel, AlertMode, AlertOp

T0 = datetime(2026, 11, 26, tzinfo=UTC)
FLAME, SMOKE = AlertKind.FLAME, AlertKind.SMOKE
SCORES = {FLAME: 0.5, SMOKE: 0.4}
LEFT = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]
RIGHT = [[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]


def rule(**changes):
    section = FireSection.model_validate({"id": "fire", "clear_s": 5, "repeat_s": 0} | changes)
    return FireRule("gate", section, min_scores=SCORES)


def flame(x=0.25, y=0.5, score=0.7, kind=FLAME):
    """Something of a tenth of the picture that stands at x, y."""
    return Sighting(kind, (x - 0.05, y - 0.1, x + 0.05, y), score, 9.0)


def watch(watching, seconds, *sightings, from_s=0.0):
    """Show the same for so long; return what is said but the updates."""
    said = []
    for step in range(round(seconds * 2)):
        at = T0 + timedelta(seconds=from_s + (step + 1) / 2)
        said += watching.see(at, sightings)
    return [each for each in said if each.op is not AlertOp.UPDATE]


def test_the_desk_is_told_of_suspected_flame_with_all_it_needs():
    watching = rule(alert_mode="trial")
    (said,) = watch(watching, 10, flame())
    assert (said.op, said.kind, said.level) == (AlertOp.START, FLAME, AlertLevel.EXTRA_URGENT)
    assert (said.camera_id, said.rule_id, said.region_id) == ("gate", "fire", "all-flame")
    assert (said.mode, said.confidence, said.count) == (AlertMode.TRIAL, 0.7, 0)
    assert watching.is_busy


def test_each_region_has_its_own_alerts():
    regions = [{"id": "yard", "polygon": LEFT}, {"id": "wood", "polygon": RIGHT}]
    said = watch(rule(regions=regions), 10, flame(0.75))
    assert [each.region_id for each in said] == ["wood-flame"]


def test_what_is_outside_of_every_region_is_nothing():
    assert watch(rule(regions=[{"id": "yard", "polygon": LEFT}]), 60, flame(0.75)) == []


def test_an_altar_is_masked_and_so_is_what_stands_in_it():
    altar = [[0.2, 0.45], [0.3, 0.45], [0.3, 0.55], [0.2, 0.55]]
    assert watch(rule(exclude=[altar]), 60, flame(0.25, 0.5)) == []
    tall = Sighting(FLAME, (0.2, 0.1, 0.3, 0.5), 0.9, 9.0)
    assert watch(rule(exclude=[altar]), 60, tall) == []
    assert len(watch(rule(exclude=[altar]), 60, flame(0.7, 0.5))) == 1


def test_a_mask_counts_in_place_of_the_configurations_until_it_is_taken_back():
    watching = rule(exclude=[LEFT])
    watching.mask({"fire": (tuple(map(tuple, RIGHT)),), "other": ()})
    assert [said.op for said in watch(watching, 20, flame())] == [AlertOp.START]
    watching.mask({"other": ()})
    assert [said.op for said in watch(watching, 40, flame(), from_s=20)] == [AlertOp.END]


def test_sensitivity_moves_the_score_and_the_vote():
    weak = flame(score=0.4)
    assert watch(rule(), 20, weak) == []
    assert len(watch(rule(sensitivity="high"), 20, weak)) == 1
    assert watch(rule(sensitivity="low"), 20, flame(score=0.55)) == []
    votes = [timing_of(FireSection(id="f", sensitivity=each)).vote for each in ("low", "high")]
    assert votes == [0.8, 0.4]


def test_a_dim_flame_counts_in_smoke_that_counts_and_nowhere_else():
    dim, smoke = flame(score=0.3), flame(0.28, 0.45, kind=SMOKE)
    assert watch(rule(), 20, dim) == []
    assert [each.kind for each in watch(rule(), 10, dim, smoke)] == [FLAME]
    assert watch(rule(), 10, dim, flame(0.8, 0.45, kind=SMOKE)) == []  # smoke, but elsewhere
    assert watch(rule(), 10, dim, flame(0.28, 0.45, score=0.3, kind=SMOKE)) == []  # no sure smoke
    assert watch(rule(), 10, flame(score=0.2), smoke) == []  # dimmer than that is nothing


def test_weak_smoke_makes_the_background_although_it_never_counts():
    haze = Sighting(SMOKE, (0.2, 0.2, 0.6, 0.6), 0.3, 9.0)
    thick = Sighting(SMOKE, (0.2, 0.2, 0.6, 0.6), 0.8, 9.0)
    watching = rule()
    assert watch(watching, 300, haze) == []
    assert watch(watching, 60, thick, from_s=300) == []
    watching = rule()
    assert watch(watching, 300) == []
    assert [each.region_id for each in watch(watching, 60, thick, from_s=300)] == ["all-smoke"]


def test_alerts_that_were_open_before_the_restart_go_on():
    watching = rule()
    here = {"rule_id": "fire", "started_at": T0, "peak": 0, "level": AlertLevel.URGENT}
    watching.resume(
        [
            OpenAlert(camera_id="gate", region_id="all-smoke", kind=SMOKE, **here),
            OpenAlert(camera_id="other", region_id="all-flame", kind=FLAME, **here),
        ]
    )
    said = watch(watching, 60)
    assert [(each.op, each.kind, each.level) for each in said] == [
        (AlertOp.END, SMOKE, AlertLevel.URGENT)
    ]


def test_outside_of_its_schedule_the_rule_rests():
    schedule = {"thursday": ["00:00-00:01"]}  # the box's zone is UTC here
    watching = rule(schedule=schedule)
    assert [each.op for each in watch(watching, 120, flame())] == [AlertOp.START, AlertOp.END]
    assert not watching.is_busy


def test_an_open_alert_of_a_camera_that_shows_nothing_ends_at_last():
    watching = rule()
    watch(watching, 10, flame())
    later = T0 + timedelta(seconds=700)
    assert watching.lapse(later, 500.0) == []
    assert [each.op for each in watching.lapse(later, 700.0)] == [AlertOp.END]


def test_a_schedule_that_ends_unseen_ends_the_alert():
    watching = rule(schedule={"thursday": ["00:00-00:01"]})
    watch(watching, 10, flame())
    assert watching.lapse(T0 + timedelta(seconds=50), 40.0) == []
    ended = watching.lapse(T0 + timedelta(seconds=90), 80.0)
    assert [each.op for each in ended] == [AlertOp.END]


def test_asking_outside_of_the_schedule_takes_no_frame_from_the_next_period():
    """The box's clock is a little ahead of the frames': it must not make them stale."""
    watching = rule(schedule={"thursday": ["00:01-01:00"]})
    watch(watching, 10)
    assert watching.lapse(T0 + timedelta(seconds=63), 53.0) == []
    said = watch(watching, 4, flame(), from_s=60)
    assert [each.op for each in said] == [AlertOp.START]


def test_the_settings_that_decide_come_from_the_section():
    section = FireSection(id="f", strategy="both", confirm_s=8, hold_s=30, clear_s=90)
    timing = timing_of(section, 9.0)
    assert (timing.strategy, timing.confirm_s, timing.hold_s) == (Strategy.BOTH, 8, 30)
    assert (timing.clear_s, timing.blind_s, timing.repeat_s) == (90, 9.0, 300)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"regions": [{"id": "a"}, {"id": "a"}]}, "'regions' must have different ids"),
        (
            {"regions": [{"id": "a" * (MAX_FIRE_REGION_ID + 1)}]},
            "'regions' must have ids of at most 26 characters",
        ),
        ({"confirm_s": 1}, "greater than or equal to 3"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, problem):
    with pytest.raises(ValidationError, match=problem):
        FireSection.model_validate({"id": "fire"} | changes)
