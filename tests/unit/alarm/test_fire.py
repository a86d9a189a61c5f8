from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edge.alarm.fire import LAPSE_S, Fire, FireTiming, Strategy
from edge.alarm.smoke import KNOWN_S
from edge.ports import Sighting
from protocol.messages import AlertKind, AlertLevel, AlertOp

T0 = datetime(2026, 11, 26, tzinfo=UTC)
FPS = 2
FLAME, SMOKE = AlertKind.FLAME, AlertKind.SMOKE
START, UPDATE, END = AlertOp.START, AlertOp.UPDATE, AlertOp.END
PLAIN = FireTiming(flame_level=AlertLevel.URGENT, clear_s=10.0, repeat_s=0.0)
#: The background is known after so long.
KNOWN = KNOWN_S + PLAIN.hold_s + 20


def flame(motion=8.0, score=0.7):
    return Sighting(FLAME, (0.4, 0.6, 0.5, 0.8), score, motion)


def smoke(motion=6.0, size=0.2, left=0.3, score=0.6):
    return Sighting(SMOKE, (left, 0.2, left + size, 0.2 + size), score, motion)


class Camera:
    """Shows a rule one picture after another and keeps what it says but the updates."""

    def __init__(self, timing=PLAIN, fps=FPS):
        self.rule = Fire(timing)
        self.step = timedelta(seconds=1 / fps)
        self.at = T0
        self.said = []
        self.updates = []

    def show(self, seconds, *sightings):
        """Show the same for so long; a callable makes a look of the seconds since it began."""
        began = self.at
        while self.at < began + timedelta(seconds=seconds):
            self.at += self.step
            since = (self.at - began).total_seconds()
            look = [each(since) if callable(each) else each for each in sightings]
            self.look(look)
        return self

    def look(self, look):
        weak = [each.box for each in look if each.kind is SMOKE]
        changes = self.rule.update(self.at, look, weak)
        self.updates += [change for change in changes if change.op is UPDATE]
        self.said += [change for change in changes if change.op is not UPDATE]

    @property
    def words(self):
        return [
            (each.op, each.kind, (each.at - T0).total_seconds(), each.level) for each in self.said
        ]


# -- flame ----------------------------------------------------------------------------------------


def test_flame_alarms_when_it_is_in_three_of_five_looks():
    camera = Camera().show(20).show(20, flame())
    (start,) = camera.said
    assert (start.op, start.kind, start.level) == (START, FLAME, AlertLevel.URGENT)
    assert start.score == pytest.approx(0.7)
    # 6 of the 11 looks within 5 s, and no earlier.
    assert 2.0 <= (start.at - T0).total_seconds() - 20 <= 4.0


def test_flame_alarms_within_ten_seconds_at_any_usual_rate():
    for fps in (0.5, 1, 2, 5, 15):
        camera = Camera(fps=fps).show(20).show(10, flame())
        assert [word[:2] for word in camera.words] == [(START, FLAME)], fps


def test_a_flash_is_no_fire_however_many_frames_show_it():
    camera = Camera(fps=25).show(10).show(1.5, flame(motion=90.0)).show(10)
    assert camera.said == []


def test_a_flame_that_does_not_flicker_is_a_lamp():
    assert Camera().show(10).show(600, flame(motion=0.5)).said == []


def test_two_looks_in_five_are_not_enough_but_for_a_high_sensitivity():
    def blinking(vote):
        camera = Camera(replace(PLAIN, vote=vote), fps=1)
        for _ in range(10):
            camera.show(1, flame()).show(1, flame()).show(3)
        return camera.said

    assert blinking(0.6) == []
    assert [change.op for change in blinking(0.4)] == [START]


def test_an_alert_ends_when_hardly_any_flame_was_seen_for_the_clear_time():
    camera = Camera().show(5).show(20, flame()).show(60)
    assert [word[:2] for word in camera.words] == [(START, FLAME), (END, FLAME)]
    ended_s = (camera.said[1].at - T0).total_seconds() - 25
    assert PLAIN.clear_s <= ended_s <= PLAIN.clear_s + 2 * PLAIN.confirm_s


def test_while_it_is_open_every_look_says_what_it_is():
    camera = Camera().show(5).show(20, flame())
    assert {change.kind for change in camera.updates} == {FLAME}
    assert len(camera.updates) > 20


def test_nothing_is_said_again_within_the_repeat_interval():
    camera = Camera(replace(PLAIN, repeat_s=120.0)).show(5)
    for _ in range(2):
        camera.show(10, flame()).show(30)
    assert [word[0] for word in camera.words] == [START, END]
    camera.show(60).show(10, flame())
    assert [word[0] for word in camera.words] == [START, END, START]


# -- smoke ----------------------------------------------------------------------------------------


def test_smoke_that_moves_alarms_after_the_hold():
    camera = Camera().show(KNOWN).show(40, smoke())
    (start,) = camera.said
    assert (start.op, start.kind, start.level) == (START, SMOKE, AlertLevel.URGENT)
    assert 20 <= (start.at - T0).total_seconds() - KNOWN <= 30


def test_smoke_that_grows_alarms_although_it_hardly_moves():
    def growing(since):
        return smoke(motion=1.5, size=0.15 + 0.01 * since)

    assert [word[:2] for word in Camera().show(KNOWN).show(35, growing).words] == [(START, SMOKE)]
    assert Camera().show(KNOWN).show(35, smoke(motion=1.5)).said == []


def test_a_lamp_that_is_constant_for_minutes_never_alarms_as_smoke():
    for motion in (0.0, 0.8, 2.0):
        assert Camera().show(KNOWN).show(600, smoke(motion=motion)).said == []


def test_a_chimney_that_smoked_before_the_box_started_does_not_alarm():
    assert Camera().show(900, smoke(motion=20.0)).said == []


def test_smoke_where_there_was_haze_all_along_does_not_alarm():
    camera = Camera().show(300, smoke(motion=0.5)).show(120, smoke(motion=20.0))
    assert camera.said == []


def test_new_smoke_beside_an_old_chimney_alarms():
    camera = Camera().show(300, smoke(motion=20.0))
    camera.show(60, smoke(motion=20.0), smoke(motion=20.0, left=0.7))
    assert [word[:2] for word in camera.words] == [(START, SMOKE)]


def test_until_the_background_is_known_only_what_grows_alarms():
    assert Camera().show(30, lambda since: smoke(size=0.1 + 0.01 * since)).said != []
    assert Camera().show(30, smoke()).said == []


def test_open_smoke_does_not_become_its_own_background():
    camera = Camera().show(KNOWN).show(1200, smoke())
    assert [word[:2] for word in camera.words] == [(START, SMOKE)]
    camera.show(60)
    assert [word[:2] for word in camera.words] == [(START, SMOKE), (END, SMOKE)]


def test_smoke_that_grew_before_the_background_was_known_stays_open():
    camera = Camera().show(30, lambda since: smoke(size=0.1 + 0.01 * since))
    camera.show(400, smoke(size=0.4))
    assert [word[:2] for word in camera.words] == [(START, SMOKE)]


def test_a_break_begins_the_hold_anew():
    camera = Camera().show(KNOWN)
    for _ in range(4):
        camera.show(12, smoke()).show(8)
    assert camera.said == []


# -- together -------------------------------------------------------------------------------------


def test_flame_after_smoke_raises_the_level_of_both():
    camera = Camera().show(KNOWN).show(40, smoke()).show(20, smoke(), flame())
    assert [(word[0], word[1], word[3]) for word in camera.words] == [
        (START, SMOKE, AlertLevel.URGENT),
        (START, FLAME, AlertLevel.EXTRA_URGENT),
    ]
    assert camera.updates[-1].level is AlertLevel.EXTRA_URGENT
    assert {change.level for change in camera.updates if change.kind is SMOKE} == {
        AlertLevel.URGENT,
        AlertLevel.EXTRA_URGENT,
    }


def test_flame_long_after_smoke_is_a_flame():
    camera = Camera().show(KNOWN).show(30, smoke()).show(590).show(10, flame())
    assert camera.words[-1][3] is AlertLevel.EXTRA_URGENT
    camera = Camera().show(KNOWN).show(30, smoke()).show(640).show(10, flame())
    assert camera.words[-1][:2] == (START, FLAME)
    assert camera.words[-1][3] is AlertLevel.URGENT


def test_both_wants_flame_and_smoke():
    both = replace(PLAIN, strategy=Strategy.BOTH)
    assert Camera(both).show(KNOWN).show(60, flame()).said == []
    assert Camera(both).show(KNOWN).show(60, smoke()).said == []
    camera = Camera(both).show(KNOWN).show(60, smoke(), flame())
    assert [(word[0], word[1], word[3]) for word in camera.words] == [
        (START, FLAME, AlertLevel.EXTRA_URGENT)
    ]


def test_both_takes_smoke_that_follows_flame():
    camera = Camera(replace(PLAIN, strategy=Strategy.BOTH)).show(KNOWN)
    camera.show(10, flame(), smoke()).show(30, smoke())
    assert [word[:2] for word in camera.words] == [(START, FLAME)]


# -- time -----------------------------------------------------------------------------------------


def test_what_was_not_seen_counts_for_nothing():
    """Two stretches of a flame with the camera lost in between are not one."""
    camera = Camera(fps=1).show(10).show(2, flame())
    camera.at += timedelta(seconds=60)
    camera.show(2, flame())
    assert camera.said == []


def test_a_lost_camera_does_not_clear_an_alert():
    camera = Camera().show(5).show(20, flame())
    camera.at += timedelta(seconds=60)
    camera.show(5)
    assert [word[0] for word in camera.words] == [START]


def test_a_stale_frame_is_not_looked_at():
    camera = Camera().show(10)
    for _ in range(20):
        camera.look([flame()])
    assert camera.said == []


def test_a_clock_set_back_leaves_an_alert_open_and_begins_anew():
    camera = Camera().show(10).show(10, flame())
    camera.at -= timedelta(hours=1)
    camera.show(5, flame())
    assert [word[0] for word in camera.words] == [START]
    camera.show(30)
    assert [word[0] for word in camera.words] == [START, END]


def test_smoke_is_not_followed_by_flame_of_another_clock():
    camera = Camera().show(KNOWN).show(30, smoke()).show(60)
    camera.at -= timedelta(days=1)
    camera.show(10, flame())
    assert camera.words[-1][1:] == (FLAME, camera.words[-1][2], AlertLevel.URGENT)


def test_an_alert_that_was_open_before_the_restart_goes_on_and_ends():
    camera = Camera()
    camera.rule.resume(FLAME, AlertLevel.EXTRA_URGENT)
    assert camera.rule.is_open
    camera.show(10, flame())
    assert camera.said == []
    camera.show(30)
    assert [(word[0], word[3]) for word in camera.words] == [(END, AlertLevel.EXTRA_URGENT)]
    assert not camera.rule.is_open


def test_an_alert_on_a_camera_that_is_not_seen_lapses():
    camera = Camera().show(5).show(10, flame())
    assert camera.rule.lapse(camera.at, LAPSE_S - 1) == []
    (end,) = camera.rule.lapse(camera.at, LAPSE_S)
    assert (end.op, end.kind) == (END, FLAME)
    assert camera.rule.lapse(camera.at, LAPSE_S) == []


def test_outside_of_the_schedule_an_alert_ends_and_nothing_counts():
    camera = Camera().show(5).show(10, flame())
    camera.at += camera.step
    assert [change.op for change in camera.rule.rest(camera.at)] == [END]
    assert camera.rule.rest(camera.at) == []  # the same frame again
    camera.at += camera.step
    assert camera.rule.rest(camera.at) == []


def test_a_suspicion_is_reason_to_look_often():
    camera = Camera().show(10)
    assert not camera.rule.is_busy
    camera.show(0.5, flame())
    assert camera.rule.is_busy
    camera.show(60)
    assert not camera.rule.is_busy
