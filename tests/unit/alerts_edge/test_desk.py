"""Where rules report."""

from datetime import timedelta

import pytest

from edge.alarm.gathering import Gathering, Timing
from edge.db.instant import to_us
from edge.errors import StorageError
from protocol.messages import (
    BOX_SUBJECT,
    AlertData,
    AlertKind,
    AlertLevel,
    AlertMode,
    AlertOp,
)
from tests.support.desk_box import AT, BOOT, REGION, box_config, occurrence, open_desk

START, UPDATE, END = AlertOp.START, AlertOp.UPDATE, AlertOp.END
PRE, POST = timedelta(seconds=10), timedelta(seconds=20)


@pytest.fixture
def box(tmp_path):
    opened = open_desk(tmp_path / "box.sqlite3")
    yield opened
    opened.database.close()


def reopened(box, tmp_path, **kwargs):
    box.database.close()
    return open_desk(tmp_path / "box.sqlite3", box.clock, **kwargs)


def sent(box):
    return [(message.data.op, message.data.count) for message in box.messages()]


def test_a_start_becomes_a_message_with_the_cameras_name_and_grid(box):
    box.clock.advance(0.25)
    box.desk.report(occurrence(count=33, threshold=30, level=AlertLevel.URGENT, confidence=0.5))
    (message,) = box.messages()
    assert message.data == AlertData(
        alert_id=message.data.alert_id,
        op=START,
        kind=AlertKind.GATHERING,
        level=AlertLevel.URGENT,
        mode=AlertMode.LIVE,
        camera_id="square",
        camera_name="文化广场",
        grid_code=f"{REGION}004",
        rule_id="crowd",
        region_id="all",
        started_at=AT,
        at=AT,
        count=33,
        threshold=30,
        peak=33,
        confidence=0.5,
        model="some-model",
        gb_method=5,
        gb_type=10,
        gb_priority=2,
    )
    assert (message.source, message.subject, message.sequence, message.bootid, message.time) == (
        "/boxes/laozhai-01",
        "square",
        1,
        BOOT,
        AT + timedelta(seconds=0.25),
    )


def test_start_message_hold_and_evidence_commit_together(box):
    box.desk.report(occurrence())
    (message,) = box.messages()
    alert = str(message.data.alert_id)
    assert [row["alert_id"] for row in box.rows("select alert_id from alert")] == [alert]
    assert box.rows("select camera_id, start_us, end_us, reason, until_us from hold") == [
        {
            "camera_id": "square",
            "start_us": to_us(AT - PRE),
            "end_us": to_us(AT + POST),
            "reason": f"alert:{alert}",
            "until_us": to_us(AT + timedelta(days=180)),
        }
    ]
    query = "select alert_id, kind, due_us, start_us, end_us from evidence order by kind desc"
    assert box.rows(query) == [
        {
            "alert_id": alert,
            "kind": "snapshot",
            "due_us": to_us(AT),
            "start_us": to_us(AT),
            "end_us": to_us(AT),
        },
        {
            "alert_id": alert,
            "kind": "clip",
            "due_us": to_us(AT + POST),
            "start_us": to_us(AT - PRE),
            "end_us": to_us(AT + POST),
        },
    ]


@pytest.mark.parametrize("table", ["outbox", "hold", "evidence"])
def test_where_one_part_fails_nothing_is_recorded_and_nobody_is_woken(box, table):
    with box.database.transaction() as connection:
        connection.execute(
            f"create trigger broken before insert on {table} begin select raise(abort, 'no'); end"
        )
    with pytest.raises(StorageError):
        box.desk.report(occurrence())
    counts = [box.rows(f"select * from {each}") for each in ("alert", "outbox", "hold", "evidence")]
    assert counts == [[], [], [], []]
    assert (box.commits, box.desk.open_alerts()) == ([], [])


def test_a_failed_report_can_be_made_again_and_leaves_no_hole(box):
    with box.database.transaction() as connection:
        connection.execute(
            "create trigger broken before insert on hold begin select raise(abort, 'no'); end"
        )
    with pytest.raises(StorageError):
        box.desk.report(occurrence())
    with box.database.transaction() as connection:
        connection.execute("drop trigger broken")
    box.desk.report(occurrence())
    assert [message.sequence for message in box.messages()] == [1]


def test_a_start_where_one_is_open_is_an_update_of_the_same_alert(box):
    box.desk.report(occurrence(count=16))
    box.clock.advance(5)
    box.desk.report(occurrence(count=20))
    assert sent(box) == [(START, 16), (UPDATE, 20)]
    assert len({message.data.alert_id for message in box.messages()}) == 1


def test_the_database_itself_refuses_a_second_open_alert_of_a_key(box):
    box.desk.report(occurrence())
    box.desk._standing.clear()  # a desk that forgot
    with pytest.raises(StorageError, match="UNIQUE"):
        box.desk.report(occurrence())


def test_regions_rules_and_cameras_have_alerts_of_their_own(box):
    for key in ({}, {"region_id": "stage"}, {"rule_id": "other"}, {"camera_id": "gate"}):
        box.desk.report(occurrence(**key))
    assert len(box.desk.open_alerts()) == 4


@pytest.mark.parametrize("op", [UPDATE, END])
def test_what_was_never_started_is_ignored(box, op):
    box.desk.report(occurrence(op))
    assert (box.messages(), box.commits) == ([], [])


def test_an_end_closes_the_alert_and_the_next_start_opens_another(box):
    box.desk.report(occurrence(count=16))
    box.desk.report(occurrence(END, count=2, at=AT + timedelta(seconds=90)))
    box.desk.report(occurrence(count=17, at=AT + timedelta(seconds=100)))
    assert sent(box) == [(START, 16), (END, 2), (START, 17)]
    first, end, second = (message.data for message in box.messages())
    assert (end.alert_id, end.ended_at, end.peak) == (
        first.alert_id,
        AT + timedelta(seconds=90),
        16,
    )
    assert second.alert_id != first.alert_id
    assert len(box.desk.open_alerts()) == 1


def test_the_hold_reaches_beyond_the_end(box):
    box.desk.report(occurrence())
    box.desk.report(occurrence(END, at=AT + timedelta(minutes=9)))
    assert box.rows("select end_us from hold") == [
        {"end_us": to_us(AT + timedelta(minutes=9) + POST)}
    ]


def test_an_end_before_the_start_counts_as_the_start(box):
    box.desk.report(occurrence())
    box.desk.report(occurrence(END, at=AT - timedelta(hours=1)))
    assert box.messages()[-1].data.ended_at == AT


def test_updates_that_change_nothing_are_not_sent(box):
    box.desk.report(occurrence(count=16))
    for _ in range(20):
        box.clock.advance(5)
        box.desk.report(occurrence(UPDATE, count=16, confidence=0.9))
    assert sent(box) == [(START, 16)]
    assert box.commits == [1]


def test_updates_come_at_most_every_five_seconds(box):
    box.desk.report(occurrence(count=16))
    for count in range(17, 28):
        box.clock.advance(1)
        box.desk.report(occurrence(UPDATE, count=count))
    assert sent(box) == [(START, 16), (UPDATE, 21), (UPDATE, 26)]


def test_a_count_that_came_too_soon_after_the_start_is_sent_when_it_stays(box):
    machine = Gathering(
        Timing(
            {AlertLevel.ORDINARY: 3}, hold_s=1, gap_s=1, clear_fraction=0.7, clear_s=60, repeat_s=0
        )
    )
    for look in range(40):
        change = machine.update(AT + timedelta(seconds=look / 2), 3 if look < 3 else 5)
        if change is not None:
            said = {"count": change.count, "threshold": change.threshold, "at": change.at}
            box.desk.report(occurrence(change.op, **said))
        box.clock.advance(0.5)
    assert sent(box) == [(START, 3), (UPDATE, 5)]


def test_a_rising_level_does_not_wait(box):
    box.desk.report(occurrence(count=29))
    box.clock.advance(0.1)
    box.desk.report(occurrence(UPDATE, count=31, level=AlertLevel.URGENT))
    assert sent(box) == [(START, 29), (UPDATE, 31)]
    assert box.messages()[-1].data.level is AlertLevel.URGENT


def test_a_peak_that_was_not_sent_comes_with_the_end(box):
    box.desk.report(occurrence(count=16))
    box.desk.report(occurrence(UPDATE, count=44))
    box.desk.report(occurrence(END, count=1))
    assert box.messages()[-1].data.peak == 44


def test_the_hold_of_a_long_unchanging_alert_keeps_up(box):
    box.desk.report(occurrence(count=16))
    for minute in range(1, 11):
        box.clock.advance(60)
        box.desk.report(occurrence(UPDATE, count=16, at=AT + timedelta(minutes=minute)))
    assert sent(box) == [(START, 16)]
    assert box.rows("select end_us from hold") == [
        {"end_us": to_us(AT + timedelta(minutes=10) + POST)}
    ]


def test_the_hold_keeps_up_when_the_wall_clock_is_set_back(box):
    box.desk.report(occurrence(count=16))
    end_us = to_us(AT + POST)
    box.clock.step_wall(-3600)
    for second in range(60, 3700, 60):
        box.clock.advance(60)
        at = AT + timedelta(seconds=second - 3600)
        with box.database.transaction() as connection:
            connection.execute("update alert set count = 0")
        box.desk.report(occurrence(UPDATE, count=16, at=at))
        assert box.rows("select count from alert") == [{"count": 16}]
        end_us = max(end_us, to_us(at + POST))
        assert box.rows("select end_us from hold") == [{"end_us": end_us}]


def test_a_restarted_desk_goes_on_where_it_stopped(box, tmp_path):
    box.desk.report(occurrence(count=16))
    box.clock.advance(5)
    box.desk.report(occurrence(UPDATE, count=40))
    before = box.desk.open_alerts()
    again = reopened(box, tmp_path)
    assert again.desk.open_alerts() == before
    again.desk.report(occurrence(END, count=0))
    assert [(message.sequence, message.data.op) for message in again.messages()] == [
        (1, START),
        (2, UPDATE),
        (3, END),
    ]
    assert again.desk.open_alerts() == []
    again.database.close()


@pytest.mark.parametrize(
    ("mode", "kinds"),
    [
        (AlertMode.LIVE, ["clip", "snapshot"]),
        (AlertMode.TRIAL, ["clip", "snapshot"]),
        (AlertMode.DRILL, []),
    ],
)
def test_a_drill_asks_for_no_pictures(box, mode, kinds):
    box.desk.report(occurrence(mode=mode))
    rows = box.rows("select kind from evidence order by kind")
    assert [row["kind"] for row in rows] == kinds


def test_a_lost_camera_has_a_hold_and_no_pictures(box):
    box.desk.report(occurrence(kind=AlertKind.CAMERA_LOST, rule_id="camera-lost", camera_id="gate"))
    assert box.rows("select camera_id from hold") == [{"camera_id": "gate"}]
    assert box.rows("select * from evidence") == []
    assert box.messages()[0].data.model is None


def test_an_alert_about_the_box_bears_its_name_and_holds_nothing(box):
    box.desk.report(occurrence(kind=AlertKind.STORAGE, rule_id="disk", camera_id=BOX_SUBJECT))
    data = box.messages()[0].data
    assert (data.camera_name, data.grid_code) == ("老寨村值班室", f"{REGION}000")
    assert box.rows("select * from hold") == []


def test_alerts_whose_rule_or_camera_is_gone_are_ended_at_start(box, tmp_path):
    kept = [
        {},
        {"kind": AlertKind.STORAGE, "rule_id": "disk", "camera_id": BOX_SUBJECT},
        {"kind": AlertKind.CAMERA_LOST, "rule_id": "camera-lost", "camera_id": "square"},
    ]
    gone = [
        {"region_id": "stage"},
        {"rule_id": "renamed"},
        {"kind": AlertKind.CAMERA_LOST, "rule_id": "camera-lost", "camera_id": "gate"},
    ]
    for key in kept + gone:
        box.desk.report(occurrence(**key))
    document = box_config(tmp_path).model_dump()
    camera = document["cameras"][0]
    camera["rules"][0]["regions"] = [{"id": "all"}]
    config = box_config(tmp_path, cameras=[camera])
    again = reopened(box, tmp_path, config=config)
    assert again.desk.end_orphans() == 3
    assert again.commits == [1]
    assert {each.kind for each in again.desk.open_alerts()} == {
        AlertKind.GATHERING,
        AlertKind.STORAGE,
        AlertKind.CAMERA_LOST,
    }
    assert again.desk.end_orphans() == 0
    again.database.close()


def test_an_alert_of_fire_is_left_to_its_rule_and_ended_without_it(box, tmp_path):
    flame = {"kind": AlertKind.FLAME, "rule_id": "fire", "region_id": "all-flame"}
    for kind in ({}, {"region_id": "yard-flame"}):
        box.desk.report(occurrence(**(flame | kind)))
    config = box_config(tmp_path, **square(tmp_path, rules=({"kind": "fire", "id": "fire"},)))
    again = reopened(box, tmp_path, config=config)
    assert again.desk.end_orphans() == 1
    assert [each.region_id for each in again.desk.open_alerts()] == ["all-flame"]
    again.database.close()


LOST = {"kind": AlertKind.CAMERA_LOST, "rule_id": "camera-lost", "camera_id": "square"}
DETECTOR = {"kind": AlertKind.DETECTOR_DOWN, "rule_id": "detector-down", "camera_id": BOX_SUBJECT}
PICTURE = {"kind": AlertKind.CAMERA_MOVED, "rule_id": "picture", "camera_id": "square"}
DISK = {"kind": AlertKind.STORAGE, "rule_id": "storage", "camera_id": BOX_SUBJECT}


def square(tmp_path, **changes):
    """Return the configured cameras with changes to the one that has the rule."""
    first, *others = box_config(tmp_path).model_dump()["cameras"]
    return {"cameras": [first | changes, *others]}


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        (
            lambda path: {},
            {"gathering", "camera_lost", "detector_down", "storage", "camera_moved"},
        ),
        (lambda path: square(path, enabled=False), {"storage", "detector_down"}),
        (lambda path: {"detect": {"enabled": False}}, {"camera_lost", "storage"}),
        (
            lambda path: square(path, rules=()),
            {"camera_lost", "storage", "camera_moved", "detector_down"},
        ),
        (
            lambda path: square(path, picture_health=False, rules=()),
            {"camera_lost", "storage", "detector_down"},
        ),
    ],
)
def test_alerts_that_nothing_watches_any_more_are_ended_at_start(box, tmp_path, changes, left):
    for about in ({}, LOST, DETECTOR, DISK, PICTURE):
        box.desk.report(occurrence(**about))
    again = reopened(box, tmp_path, config=box_config(tmp_path, **changes(tmp_path)))
    assert again.desk.end_orphans() == 5 - len(left)
    assert {each.kind.value for each in again.desk.open_alerts()} == left
    again.database.close()


@pytest.mark.parametrize("has_centre", [True, False])
def test_a_full_outbox_is_an_alert_only_where_it_can_empty(box, tmp_path, has_centre):
    about = {"kind": AlertKind.OUTBOX, "rule_id": "outbox", "camera_id": BOX_SUBJECT}
    box.desk.report(occurrence(**about))
    centre = {
        "mqtt_host": "192.0.2.9",
        "http_url": "http://192.0.2.9",
        "token": {"env": "NONE"},
    }
    sections = {"centre": centre} if has_centre else {}
    again = reopened(box, tmp_path, config=box_config(tmp_path, **sections))
    assert again.desk.end_orphans() == (0 if has_centre else 1)
    again.database.close()


def test_updates_and_the_end_bear_the_curve_so_far_and_the_start_none(box):
    for second, count in ((0, 16), (6, 22), (12, 19)):
        box.clock.advance(6)
        op = UPDATE if second else START
        box.desk.report(occurrence(op, at=AT + timedelta(seconds=second), count=count))
    box.desk.report(occurrence(END, at=AT + timedelta(seconds=20), count=3))
    curves = [message.data.curve for message in box.messages()]
    assert curves[0] is None
    assert [curve.points for curve in curves[1:]] == [
        ((0, 16), (6, 22)),
        ((0, 16), (6, 22), (12, 19)),
        ((0, 16), (6, 22), (12, 19), (20, 3)),
    ]


def test_what_counts_nothing_has_no_curve(box):
    box.desk.report(occurrence(kind=AlertKind.CAMERA_LOST, count=0, threshold=0))
    box.desk.report(occurrence(END, kind=AlertKind.CAMERA_LOST, count=0, threshold=0))
    assert [message.data.curve for message in box.messages()] == [None, None]


def test_a_restarted_desk_goes_on_with_the_curve(box, tmp_path):
    box.desk.report(occurrence(count=16))
    box.clock.advance(6)
    box.desk.report(occurrence(UPDATE, at=AT + timedelta(seconds=6), count=31))
    again = reopened(box, tmp_path)
    again.desk.report(occurrence(END, at=AT + timedelta(seconds=9), count=2))
    assert again.messages()[-1].data.curve.points == ((0, 16), (6, 31), (9, 2))
    again.database.close()
