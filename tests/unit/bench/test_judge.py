from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bench.centre import Alert, Evidence, Incident, alert_of, incident_of
from bench.judge import Row, Seen, Verdict, from_epoch_ms, judge

T0 = datetime(2026, 11, 22, tzinfo=UTC)


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def alert(name="a", start=10.0, **changes):
    whole = Alert(
        alert_id=name,
        kind="gathering",
        state="CONFIRMED",
        camera_uid="box-1.cam-01",
        started_at=at(start),
        received_at=at(start + 0.3),
        late=False,
        sequence=1,
        on_duty=("wang", "li"),
        acked_by="wang",
        verified_by="wang",
        incident_id=f"i-{name}",
        evidence=(),
    )
    return replace(whole, **changes)


def seen(*alerts, **changes):
    names = [each.alert_id for each in alerts]
    whole = Seen(
        alerts=alerts,
        fired={each.alert_id: each.started_at + timedelta(seconds=0.2) for each in alerts},
        shown={each.alert_id: each.started_at + timedelta(seconds=0.4) for each in alerts},
        incidents={name: Incident(f"i-{name}", "wang", at(7200), (name,)) for name in names},
        clips=frozenset(names),
        pictures=frozenset(names),
    )
    return replace(whole, **changes)


def test_a_gathering_that_went_the_whole_line_is_good():
    verdict = judge([at(9.5)], seen(alert()), "wang", since=at(0))
    assert verdict == Verdict(
        (
            Row(
                expected_at=at(9.5),
                alert_id="a",
                off_s=0.5,
                frame_to_rule_ms=200.0,
                rule_to_centre_ms=100.0,
                rule_to_wall_ms=200.0,
                signed=True,
                incident=True,
                picture=True,
                clip=True,
            ),
        ),
        (),
    )
    assert verdict.passed
    assert verdict.figures() == {
        "gatherings_expected": 1,
        "gatherings_found": 1,
        "false_alerts": 0,
        "start_off_s_max": 0.5,
        "frame_to_rule_ms_p95": 200.0,
        "rule_to_centre_ms_p95": 100.0,
        "rule_to_wall_ms_p95": 200.0,
        "shown": 1,
        "signed": 1,
        "incidents": 1,
        "pictures_shown": 1,
        "clips_playable": 1,
    }


@pytest.mark.parametrize(
    "observed",
    [
        seen(alert(state="ACKED")),
        seen(alert(acked_by="li")),
        seen(alert(verified_by=None)),
        seen(alert(on_duty=())),  # nobody was frozen into it
        seen(alert(on_duty=("li",))),  # somebody else was on duty
        seen(alert(incident_id=None)),
        seen(alert(), incidents={}),
        seen(alert(), incidents={"a": Incident("i-a", "li", at(1), ("a",))}),
        seen(alert(), incidents={"a": Incident("i-a", "wang", None, ("a",))}),
        seen(alert(), incidents={"a": Incident("i-a", "wang", at(1), ())}),
        seen(alert(), incidents={"a": Incident("i-b", "wang", at(1), ("a",))}),
        seen(alert(), shown={}),  # it never came to the wall
        seen(alert(), fired={}),  # nobody knows when the rule was satisfied
        seen(alert(), clips=()),
        seen(alert(), pictures=()),
        seen(alert(), alert("b", 40)),  # one too many
        seen(alert(), alert("b", 10.1)),  # doubled
        seen(alert(), alert("c", 50, kind="camera_lost")),
        seen(alert(start=12.1)),  # too far off
        seen(),
    ],
)
def test_anything_missing_or_too_much_fails(observed):
    assert not judge([at(10)], observed, "wang", since=at(0)).passed


def test_nothing_expected_and_nothing_found_is_no_success():
    verdict = judge([], seen(), "wang", since=at(0))
    assert not verdict.passed
    assert verdict.figures()["rule_to_wall_ms_p95"] is None


def test_a_missed_gathering_stands_in_its_place():
    verdict = judge([at(10), at(120)], seen(alert(start=120)), "wang", since=at(0))
    assert [row.alert_id for row in verdict.rows] == [None, "a"]
    assert verdict.figures()["gatherings_found"] == 1


def test_what_began_before_judging_is_left_out():
    early = alert("early", 5)
    assert judge([at(100)], seen(early, alert("a", 100)), "wang", since=at(20)).passed


def test_the_next_turns_gathering_may_be_seen_and_need_not_be():
    after = alert("next", 50, state="NEW", acked_by=None)
    for observed in (seen(alert()), seen(alert(), after)):
        verdict = judge([at(10)], observed, "wang", since=at(0), later=[at(50)])
        assert verdict.passed
        assert verdict.figures()["gatherings_expected"] == 1
    assert not judge([at(10)], seen(alert(), after), "wang", since=at(0), later=[at(60)]).passed


def test_what_a_kill_raises_is_forgiven_where_we_kill():
    observed = seen(alert(), alert("d", 50, kind="detector_down"))
    assert judge([at(10)], observed, "wang", since=at(0), forgiven={"detector_down"}).passed
    assert judge([at(10)], observed, "wang", since=at(0)).figures()["false_alerts"] == 1


def test_the_browsers_clock_is_read():
    assert from_epoch_ms(1_795_305_600_123.5) == datetime(2026, 11, 22, 0, 0, 0, 123500, tzinfo=UTC)


def test_the_interfaces_shapes_are_read():
    person = {"id": "wang", "name": "王"}
    item = {
        "id": "a",
        "kind": "gathering",
        "state": "NEW",
        "camera": {"uid": "box-1.cam-01", "name": "村口"},
        "started_at": "2026-11-22T00:00:10Z",
        "received_at": "2026-11-22T00:00:10.300000Z",
        "late": False,
        "sequence": 4,
        "on_duty": [{"person": person, "post": "officer"}],
        "acked_by": None,
        "verified_by": person,
        "incident_id": None,
        "evidence": [
            {
                "id": "e",
                "kind": "clip",
                "start": "2026-11-22T00:00:00Z",
                "end": "2026-11-22T00:00:30Z",
            }
        ],
    }
    assert alert_of(item) == alert(
        state="NEW",
        sequence=4,
        on_duty=("wang",),
        acked_by=None,
        incident_id=None,
        evidence=(Evidence("e", "clip", at(0), at(30)),),
    )
    assert incident_of(
        {"id": "i", "owner": person, "deadline": "2026-11-22T02:00:00Z", "alert_ids": ["a"]}
    ) == Incident("i", "wang", at(7200), ("a",))
