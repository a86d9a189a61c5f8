from datetime import UTC, datetime, timedelta

import pytest

from bench.aftermath import Aftermath, CameraAftermath, judge_camera
from bench.delivery import Delivery
from bench.judge import Row, Verdict
from bench.kills import Victim
from bench.line import Killed
from bench.recording import Cut, Span
from bench.smoke import Options, Outcome, figures, programme
from bench.truth import known
from edge.rule_config import GatheringSection
from protocol.messages import AlertLevel

T0 = datetime(2026, 11, 22, tzinfo=UTC)
RULE = GatheringSection.model_validate(
    {
        "id": "crowd",
        "mode": "close_together",
        "levels": {AlertLevel.ORDINARY: 3},
        "radius_m": 2.0,
        "hold_s": 5.0,
        "clear_fraction": 1.0,
        "clear_s": 5.0,
        "repeat_s": 0.0,
    }
)


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def begins_s(todo):
    return [round((each.started_at - T0).total_seconds(), 1) for each in todo.wanted]


@pytest.mark.parametrize(
    ("ready_s", "since_s", "wanted_s"),
    [
        (0.0, 0.0, [9.4, 123.0]),
        (8.0, 25.0, [123.0, 236.6]),  # its seconds are being counted already: after it
        (60.0, 60.0, [123.0, 236.6]),
        (1000.0, 1000.0, [1031.6, 1145.1]),  # a slow start: the camera has turned for long
    ],
)
def test_as_many_gatherings_are_awaited_as_turns(ready_s, since_s, wanted_s):
    todo = programme(known(), RULE, T0, at(ready_s), 2)
    assert begins_s(todo) == pytest.approx(wanted_s, abs=0.5)
    assert (todo.window.start - T0).total_seconds() == pytest.approx(since_s, abs=3)
    assert todo.window.length_s == pytest.approx(2 * known().length_s)


def test_the_window_reaches_to_the_end_of_what_began_in_it():
    length_s = known().length_s
    todo = programme(known(), RULE, T0, at(25), 1)
    assert todo.window.end >= at(25 + length_s)
    assert todo.window.end == max(at(25 + length_s), todo.wanted[-1].ended_at)


def test_the_turns_after_the_window_are_known():
    todo = programme(known(), RULE, T0, at(60), 2)
    assert todo.later[0].started_at - todo.wanted[-1].started_at == pytest.approx(
        timedelta(seconds=known().length_s), abs=timedelta(milliseconds=1)
    )


EDGE_KILL = Killed(Victim.EDGE, at(50), 1)


def camera(recorded, killed):
    spans = [Span(at(start), at(end)) for start, end in recorded]
    return judge_camera("cam-01", spans, killed, Span(at(0), at(100)))


def test_a_recording_that_lacks_only_the_edges_restart_is_unbroken():
    one = camera([(0, 49.6), (52, 100)], [EDGE_KILL])
    assert one == CameraAftermath("cam-01", 97.6, (), (Cut(at(50), 0.4, 2.4),))
    after = Aftermath((one,), (EDGE_KILL, Killed(Victim.BROKER, at(10), 1)))
    assert after.unbroken
    assert (after.lost_received_s, after.gap_s(Victim.EDGE), after.breaks) == (0.4, 2.4, 0)
    assert after.gap_s(Victim.WHOLE_EDGE) is None


@pytest.mark.parametrize(
    ("recorded", "killed"),
    [
        ([(0, 48.5), (52, 100)], [EDGE_KILL]),  # more than a second is gone
        ([(0, 20), (22, 49.6), (52, 100)], [EDGE_KILL]),  # a hole that no kill explains
        ([(0, 20), (22, 100)], [Killed(Victim.DETECTOR, at(20), 1)]),
        ([(0, 100)], [Killed(Victim.BROKER, at(20), 0)]),  # the kill hit nothing
        ([(60, 100)], [EDGE_KILL]),  # nothing before it: the kill is not seen
    ],
)
def test_anything_else_missing_breaks_it(recorded, killed):
    assert not Aftermath((camera(recorded, killed),), tuple(killed)).unbroken


def test_no_camera_proves_nothing():
    assert not Aftermath((), ()).unbroken


def outcome(**changes):
    row = Row(
        at(10), "a", 0.5, 200.0, 300.0, 400.0, signed=True, incident=True, picture=True, clip=True
    )
    given = {
        "verdict": Verdict((row,), ()),
        "looked": (),
        "delivery": Delivery(3, 0, (1, 2, 3), frozenset("a"), frozenset("a"), 0, {}),
        "aftermath": Aftermath((camera([(0, 100)], []),), ()),
        "detector": {},
        "steady": True,
        "unanswered": 0,
        "first_picture_s": 12.34,
        "model": "rtmdet-nano-person/1",
    }
    return Outcome(**given | changes)


def test_the_last_line_has_what_was_asked_for():
    assert outcome().passed
    assert figures(outcome(), Options(2, "auto", kill=False)) == {
        "gatherings_expected": 1,
        "gatherings_found": 1,
        "false_alerts": 0,
        "start_off_s_max": 0.5,
        "frame_to_rule_ms_p95": 200.0,
        "rule_to_centre_ms_p95": 300.0,
        "rule_to_wall_ms_p95": 400.0,
        "shown": 1,
        "signed": 1,
        "incidents": 1,
        "pictures_shown": 1,
        "clips_playable": 1,
        "passed": True,
        "first_picture_s": 12.3,
        "model": "rtmdet-nano-person/1",
        "loops": 2,
        "recording_breaks": 0,
        "sequences": 3,
        "sequence_holes": 0,
        "alerts_lost": 0,
        "alerts_doubled": 0,
        "outbox_waiting": 0,
        "quarantined": 0,
        "camera_steady": True,
    }


def test_kills_add_their_own_figures():
    killed = outcome(
        aftermath=Aftermath((camera([(0, 49.6), (52, 100)], [EDGE_KILL]),), (EDGE_KILL,)),
        unanswered=7,
    )
    shown = figures(killed, Options(2, "auto", kill=True))
    assert {key: shown[key] for key in ("kills", "lost_received_s", "edge_restart_gap_s")} == {
        "kills": 1,
        "lost_received_s": 0.4,
        "edge_restart_gap_s": 2.4,
    }
    assert shown["unanswered"] == 7


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": Verdict((), ())},
        {"delivery": Delivery(3, 1, (1, 2, 3), frozenset("a"), frozenset("a"), 0, {})},
        {"aftermath": Aftermath((camera([(0, 20), (40, 100)], []),), ())},
        {"steady": False},
    ],
)
def test_one_thing_wrong_fails_the_whole(changes):
    assert not outcome(**changes).passed
