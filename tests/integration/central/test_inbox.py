import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from central.codes import AlertState, BoxState, CameraShown, FeedKind
from central.db.engine import Database
from central.db.models import (
    Alert,
    AlertDuty,
    AlertLedger,
    Box,
    BoxEvent,
    Camera,
    FeedRow,
    Quarantine,
)
from central.errors import StoreUnavailableError
from central.ingest import quarantine
from central.ingest.inbox import UNKNOWN_BOX, DatabaseInbox
from central.ledger.book import broken_at
from central.ports import Committed, Received
from protocol.clock import FakeClock
from protocol.codec import encode
from protocol.messages import AlertLevel, AlertMode, AlertOp, StreamState, source_of_box
from protocol.topics import BoxTopic, Leaf
from tests.support.xiacun import (
    BOX,
    DEADLINES,
    GRID,
    NOW,
    OUTBOX,
    REGION,
    alert_data,
    alert_message,
    birth,
    camera_state,
    enter_village,
    heartbeat,
    received,
    will,
)


@pytest.fixture
def inbox(database, clock) -> DatabaseInbox:
    enter_village(database)
    return DatabaseInbox(database, clock, DEADLINES)


def start(alert_id: UUID | None = None, sequence: int = 1, **changes) -> Received:
    return received(alert_message(alert_data(alert_id, **changes), sequence))


def only_alert(database) -> Alert:
    with database.read() as session:
        return session.scalars(select(Alert)).one()


def feed(database) -> list[tuple[FeedKind, str]]:
    with database.read() as session:
        return [
            (row.kind, row.ref) for row in session.scalars(select(FeedRow).order_by(FeedRow.id))
        ]


def test_a_start_becomes_an_alert_with_the_people_on_duty_frozen_in(inbox, database):
    alert_id = uuid4()
    assert inbox.commit([start(alert_id)]) == [Committed(REGION, BOX, OUTBOX, (1,))]
    alert = only_alert(database)
    assert (alert.id, alert.state, alert.camera_uid, alert.late) == (
        alert_id,
        AlertState.NEW,
        "xiacun-1.cam1",
        False,
    )
    assert (alert.sign_by - NOW, alert.verify_by - NOW) == (
        timedelta(minutes=3),
        timedelta(minutes=10),
    )
    with database.read() as session:
        duty = session.execute(
            select(AlertDuty.post, AlertDuty.name).order_by(AlertDuty.post)
        ).all()
        ledger = session.execute(select(AlertLedger.action, AlertLedger.to_state)).all()
    assert [tuple(row) for row in duty] == [("lead", "张建国"), ("officer", "李秀英")]
    assert [tuple(row) for row in ledger] == [("raised", "NEW")]
    assert feed(database) == [(FeedKind.ALERT, str(alert_id))]


def test_a_duplicate_changes_nothing_and_is_receipted_again(inbox, database):
    message = start()
    inbox.commit([message])
    assert inbox.commit([message, message]) == [Committed(REGION, BOX, OUTBOX, (1,))]
    with database.read() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table))
            for table in (BoxEvent, Alert, AlertLedger, FeedRow, Quarantine)
        ]
    assert counts == [1, 1, 1, 1, 0]


def test_the_same_message_twice_in_one_batch_is_one_event(inbox, database):
    message = start()
    inbox.commit([message, message])
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(BoxEvent)) == 1


def test_update_and_end_change_the_alert_but_not_its_state(inbox, database):
    alert_id = uuid4()
    later, end = NOW + timedelta(seconds=5), NOW + timedelta(seconds=90)
    inbox.commit([start(alert_id)])
    inbox.commit(
        [
            start(alert_id, 2, op=AlertOp.UPDATE, at=later, count=41, peak=41),
            start(alert_id, 3, op=AlertOp.END, at=end, ended_at=end, count=3, peak=41),
        ]
    )
    alert = only_alert(database)
    assert (alert.state, alert.ended_at, alert.count, alert.peak, alert.sequence) == (
        AlertState.NEW,
        end,
        3,
        41,
        3,
    )


def test_what_becomes_of_many_alerts_is_written_in_one_go(inbox, database):
    ids = [uuid4() for _ in range(4)]
    inbox.commit([start(alert_id, number) for number, alert_id in enumerate(ids, 1)])
    told = [
        {"count": 41, "peak": 41},
        {"level": AlertLevel.EXTRA_URGENT},
        {"op": AlertOp.END, "ended_at": NOW + timedelta(seconds=9), "count": 0},
        {"mode": AlertMode.TRIAL},
    ]
    statements = []

    def note(_connection, _cursor, statement, _values, _context, _many):
        statements.append(statement)

    event.listen(database.engine, "after_cursor_execute", note)
    at = NOW + timedelta(seconds=9)
    inbox.commit(
        start(alert_id, number, **{"op": AlertOp.UPDATE, "at": at} | changes)
        for number, (alert_id, changes) in enumerate(zip(ids, told, strict=True), 5)
    )
    assert sum(words.lower().startswith("update alert ") for words in statements) == 1
    with database.read() as session:
        rows = {row.id: row for row in session.scalars(select(Alert))}
    counted, urgent, over, tried = (rows[alert_id] for alert_id in ids)
    assert (counted.count, counted.peak) == (41, 41)
    assert urgent.level is AlertLevel.EXTRA_URGENT
    assert over.ended_at == at
    assert tried.mode is AlertMode.TRIAL


def test_an_end_before_its_start_still_gives_one_right_alert(inbox, database):
    alert_id, end = uuid4(), NOW + timedelta(seconds=90)
    inbox.commit([start(alert_id, 3, op=AlertOp.END, at=end, ended_at=end, count=3, peak=41)])
    inbox.commit([start(alert_id, 1)])
    alert = only_alert(database)
    assert (alert.started_at, alert.ended_at, alert.count, alert.peak, alert.sequence) == (
        NOW,
        end,
        3,
        41,
        3,
    )


def test_an_older_event_does_not_undo_a_newer_one(inbox, database):
    alert_id = uuid4()
    inbox.commit([start(alert_id, 2, op=AlertOp.UPDATE, at=NOW + timedelta(seconds=9), count=50)])
    inbox.commit([start(alert_id, 1, count=31)])
    assert only_alert(database).count == 50


def test_a_raised_level_shortens_the_deadlines(inbox, database, clock):
    alert_id = uuid4()
    inbox.commit([start(alert_id, 1, level=AlertLevel.ORDINARY)])
    clock.advance(10)
    inbox.commit(
        [start(alert_id, 2, op=AlertOp.UPDATE, at=clock.now(), level=AlertLevel.EXTRA_URGENT)]
    )
    alert = only_alert(database)
    assert (alert.level, alert.sign_by) == (AlertLevel.EXTRA_URGENT, NOW + timedelta(seconds=70))
    with database.read() as session:
        notes = session.scalars(select(AlertLedger.note).where(AlertLedger.action == "level")).all()
    assert notes == ["ordinary > extra_urgent"]


def test_an_alert_that_comes_late_is_marked(inbox, database, clock):
    clock.advance(61)
    inbox.commit([start()])
    assert only_alert(database).late is True


def test_a_trial_alert_is_kept_but_not_told(inbox, database):
    inbox.commit([start(mode=AlertMode.TRIAL)])
    assert (only_alert(database).mode, feed(database)) == (AlertMode.TRIAL, [])


def test_a_new_outbox_counts_from_one_again_without_being_a_duplicate(inbox, database):
    inbox.commit([start()])
    other = uuid4()
    again = alert_message(alert_data(), 1, outboxid=other)
    assert inbox.commit([received(again)]) == [Committed(REGION, BOX, other, (1,))]
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Alert)) == 2


def test_another_event_under_a_used_sequence_is_kept_and_never_receipted(inbox, database):
    inbox.commit([start()])
    assert inbox.commit([start(), start(sequence=2)]) == [Committed(REGION, BOX, OUTBOX, (2,))]
    with database.read() as session:
        (row,) = session.scalars(select(Quarantine)).all()
    assert row.reason == "sequence: used by another event before: is there a second such box?"
    assert (row.box_id, row.sequence, row.is_doubled) == (BOX, 1, True)


def test_an_event_on_a_topic_that_is_not_for_events_has_no_receipt(inbox):
    """There the same reason again is counted: the second one's bytes would be kept nowhere."""
    topic = str(BoxTopic(REGION, BOX, Leaf.STATE))
    assert inbox.commit([replace(start(sequence=n), topic=topic) for n in (1, 2)]) == []


def test_the_same_event_in_other_bytes_is_another_event(inbox, database):
    """What was receipted would not be what its box has, and what follows it names."""
    first = start()
    assert inbox.commit([first]) == [Committed(REGION, BOX, OUTBOX, (1,))]
    other = replace(first, payload=first.payload.replace("村".encode(), "庄".encode(), 1) + b" ")
    assert inbox.commit([other]) == []
    with database.read() as session:
        (row,) = session.scalars(select(Quarantine)).all()
    assert row.is_doubled


def test_what_is_not_kept_whole_is_not_receipted(inbox, database, monkeypatch):
    monkeypatch.setattr(quarantine, "MAX_ROWS", 1)
    topic = str(BoxTopic(REGION, BOX, Leaf.EVENT))
    newer = [
        Received(topic, start(sequence=number).payload.replace(b".v1", b".v2"), NOW)
        for number in (1, 2)
    ]
    assert inbox.commit(newer) == [Committed(REGION, BOX, OUTBOX, (1,))]


# -- when it is late -------------------------------------------------------------------------------


def historical(message: Received) -> Received:
    return replace(message, topic=str(BoxTopic(REGION, BOX, Leaf.HISTORICAL)))


def test_it_is_the_box_that_says_what_is_historical_whatever_its_clock_says(inbox, database):
    slow = start(at=NOW - timedelta(hours=3), started_at=NOW - timedelta(hours=3))
    inbox.commit([slow])
    assert not only_alert(database).late


def test_a_historical_alert_is_late_and_stays_so_once_it_is_over(inbox, database):
    alert_id = uuid4()
    inbox.commit([historical(start(alert_id))])
    assert only_alert(database).late
    at = NOW + timedelta(seconds=30)
    inbox.commit([start(alert_id, 2, op=AlertOp.END, at=at, ended_at=at)])
    assert only_alert(database).late


def test_an_alert_that_began_while_the_line_was_down_and_goes_on_calls_people(
    inbox, database, clock
):
    alert_id = uuid4()
    inbox.commit([historical(start(alert_id))])
    clock.advance(300)
    now = clock.now()
    goes_on = start(alert_id, 2, op=AlertOp.UPDATE, at=now)
    inbox.commit([replace(goes_on, received_at=now)])
    alert = only_alert(database)
    assert not alert.late
    assert alert.sign_by == now + timedelta(minutes=3)


def test_what_has_waited_for_the_database_is_late(inbox, database, clock):
    message = start()
    clock.advance(61)
    inbox.commit([message])
    assert only_alert(database).late


def test_what_cannot_be_read_is_quarantined_and_receipted_where_its_sequence_can(inbox, database):
    topic = str(BoxTopic(REGION, BOX, Leaf.EVENT))
    document = json.loads(encode(alert_message(alert_data(), 7)))
    document["data"]["count"] = -1
    done = inbox.commit(
        [
            Received(topic, json.dumps(document).encode(), NOW),
            Received(topic, b"{not json", NOW),
            Received("tanshao/v1/nonsense", b"x", NOW),
            start(sequence=8),
        ]
    )
    assert done == [Committed(REGION, BOX, OUTBOX, (7, 8))]
    with database.read() as session:
        reasons = sorted(session.scalars(select(Quarantine.reason)))
    assert [reason.partition(":")[0] for reason in reasons] == [
        "cn.tanshao.alert.v1.data.count",
        "payload",
        "topic",
    ]


def test_the_same_rubbish_again_is_counted_not_kept_again(inbox, database):
    for _ in range(3):
        inbox.commit([Received("x", b"y", NOW)])
    with database.read() as session:
        assert session.scalars(select(Quarantine.times)).all() == [3]


def test_an_unknown_box_that_speaks_every_minute_is_one_row_a_reason(inbox, database, clock):
    for minute in range(5):
        at = NOW + timedelta(minutes=minute)
        for message in (heartbeat(at=at), birth(at=at)):
            own = message.model_copy(update={"source": source_of_box("new-box")})
            inbox.commit([received(own, at, box="new-box")])
    with database.read() as session:
        rows = session.execute(select(Quarantine.times, Quarantine.first_at, Quarantine.last_at))
        assert rows.all() == [(5, NOW, NOW + timedelta(minutes=4))] * 2


def test_a_topic_takes_so_many_rows_and_what_comes_beyond_is_counted_in_one(
    inbox, database, monkeypatch
):
    monkeypatch.setattr(quarantine, "MAX_ROWS", 5)
    inbox.commit([Received("x", b"%d" % number, NOW) for number in range(4)])
    later = NOW + timedelta(1)
    inbox.commit([Received("x", b"%d" % number, later) for number in range(9)])
    inbox.commit([Received("y", b"0", NOW)])
    with database.read() as session:
        kept = session.execute(
            select(Quarantine.topic, Quarantine.payload, Quarantine.times).order_by(
                Quarantine.topic, Quarantine.payload
            )
        ).all()
    assert kept == [
        ("x", b"", 4),  # 5 to 8
        *(("x", b"%d" % number, 2) for number in range(4)),
        ("x", b"4", 1),
        ("y", b"0", 1),
    ]


def test_what_is_old_leaves_the_quarantine_and_what_comes_again_stays(inbox, database):
    long_ago = NOW - timedelta(days=200)
    inbox.commit([Received("x", b"old", long_ago), Received("x", b"again", long_ago)])
    inbox.commit([Received("x", b"again", NOW)])
    with database.write() as session:
        assert quarantine.prune(session, NOW) == 1
    with database.read() as session:
        assert session.scalars(select(Quarantine.payload)).all() == [b"again"]


def test_the_will_of_an_earlier_connection_says_nothing_of_a_later_one(inbox, database):
    first, second = uuid4(), uuid4()
    inbox.commit([received(birth(connection_id=second))])
    inbox.commit([received(will(connection_id=first))])
    with database.read() as session:
        assert session.get_one(Box, BOX).online
    inbox.commit([received(will(connection_id=second))])
    with database.read() as session:
        assert not session.get_one(Box, BOX).online


def test_a_message_that_claims_another_box_is_quarantined(inbox, database):
    message = alert_message(alert_data(), 1, box="other-box")
    assert inbox.commit([received(message)]) == [Committed(REGION, BOX, OUTBOX, (1,))]
    with database.read() as session:
        assert session.scalars(select(Quarantine.reason)).all() == [
            "source: is not the topic's box"
        ]
        assert session.scalar(select(func.count()).select_from(Alert)) == 0


def test_an_unknown_box_gets_no_receipt_so_that_its_alerts_come_once_it_is_entered(inbox, database):
    message = received(alert_message(alert_data(), 1, box="new-box"), box="new-box")
    assert inbox.commit([message]) == []
    with database.write() as session:
        assert session.scalars(select(Quarantine.reason)).all() == [UNKNOWN_BOX]
        session.add(Box(id="new-box", region_code=REGION, name="新", token_sha256="0" * 64))
    assert inbox.commit([message]) == [Committed(REGION, "new-box", OUTBOX, (1,))]
    assert only_alert(database).box_id == "new-box"


def test_a_box_under_another_region_than_its_topic_is_unknown(inbox):
    message = received(alert_message(alert_data(), 1), region="110000000000")
    assert inbox.commit([message]) == []


@pytest.mark.parametrize("stranger_comes_last", [True, False])
def test_a_wrong_region_spoils_only_what_was_sent_under_it(inbox, database, stranger_comes_last):
    alert_id = uuid4()
    good = [received(birth(camera_state())), start(alert_id)]
    stranger = received(will(), region="110000000000")
    batch = [*good, stranger] if stranger_comes_last else [stranger, *good]
    assert inbox.commit(batch) == [Committed(REGION, BOX, OUTBOX, (1,))]
    assert only_alert(database).id == alert_id
    with database.read() as session:
        assert session.get_one(Box, BOX).online  # the stranger's will is not taken
        rows = session.execute(select(Quarantine.topic, Quarantine.reason)).all()
    assert rows == [(stranger.topic, UNKNOWN_BOX)]


def test_what_cannot_be_read_under_a_wrong_region_is_not_receipted(inbox):
    document = json.loads(start(sequence=7).payload)
    document["data"]["count"] = "many"
    wrong = str(BoxTopic("110000000000", BOX, Leaf.EVENT))
    unread = Received(wrong, json.dumps(document).encode(), NOW)
    assert inbox.commit([unread, start(sequence=8)]) == [Committed(REGION, BOX, OUTBOX, (8,))]


def test_an_alert_of_one_box_cannot_be_changed_by_another(inbox, database):
    with database.write() as session:
        session.add(Box(id="new-box", region_code=REGION, name="新", token_sha256="0" * 64))
    alert_id = uuid4()
    inbox.commit([start(alert_id)])
    stranger = alert_message(
        alert_data(alert_id, count=99, at=NOW + timedelta(1)), 1, box="new-box"
    )
    inbox.commit([received(stranger, box="new-box")])
    assert only_alert(database).count == 32
    with database.read() as session:
        assert session.scalars(select(Quarantine.reason)).all() == ["alert_id: is another box's"]


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 10**30, "peak": 10**30},  # no column is that wide
        {"started_at": "0001-01-01T00:00:00+08:00"},  # before the first moment in UTC
        {"camera_name": "a\x00b"},  # PostgreSQL's text can't hold it
    ],
)
def test_a_value_no_column_takes_goes_to_quarantine_without_the_rest(inbox, database, changes):
    good = uuid4()
    done = inbox.commit([start(sequence=1, **changes), start(good, sequence=2)])
    assert done == [Committed(REGION, BOX, OUTBOX, (1, 2))]
    with database.read() as session:
        kept = session.scalars(select(Alert.id)).all()
        quarantined = session.scalar(select(func.count()).select_from(Quarantine))
    # SQLite takes U+0000 in text, but the centre is one on both databases.
    assert (kept, quarantined) == ([good], 1)


def test_of_a_large_batch_the_refused_value_alone_goes_to_quarantine(inbox, database):
    batch = [start(sequence=number) for number in range(1, 20)]
    bad = start(sequence=20, count=10**30, peak=10**30)
    done = inbox.commit([*batch[:7], bad, *batch[7:]])
    assert done == [Committed(REGION, BOX, OUTBOX, tuple(range(1, 21)))]
    with database.read() as session:
        events = session.scalars(select(BoxEvent.sequence).order_by(BoxEvent.sequence)).all()
        quarantined = session.scalars(select(Quarantine.sequence)).all()
    assert (events, quarantined) == (list(range(1, 20)), [20])


def test_an_alert_that_another_replica_stored_first_is_no_bad_value(inbox, database):
    if database.is_sqlite:
        pytest.skip("SQLite has one writer: nobody comes between")
    with database.write() as session:
        session.add(Box(id="new-box", region_code=REGION, name="新", token_sha256="0" * 64))
    alert_id = uuid4()
    second = Database(database.url)
    raced: list[object] = []

    def be_first(_connection, _cursor, statement: str, *_: object) -> None:
        looks_for_it = "FROM alert" in statement and "FOR UPDATE" in statement
        if looks_for_it and not raced:
            raced.append(statement)
            message = alert_message(alert_data(alert_id), 1, box="new-box")
            DatabaseInbox(second, FakeClock(NOW), DEADLINES).commit(
                [received(message, box="new-box")]
            )

    event.listen(database.engine, "after_cursor_execute", be_first)
    inbox.commit([start(alert_id), start(sequence=2)])
    second.close()
    with database.read() as session:
        reasons = session.scalars(select(Quarantine.reason)).all()
        events = session.scalar(select(func.count()).select_from(BoxEvent))
    # As if it had come after the other one.
    assert (len(raced), reasons, events) == (1, ["alert_id: is another box's"], 3)


def test_a_key_that_stays_taken_is_not_the_message_s_fault(inbox, database, monkeypatch):
    monkeypatch.setattr("central.ingest.events.EventIntake._known", lambda *_: {})
    inbox.commit([start()])
    with pytest.raises(IntegrityError):
        inbox.commit([start()])
    with database.read() as session:
        assert session.scalars(select(Quarantine)).all() == []


def test_the_ledger_is_chained_and_the_database_refuses_to_change_it(inbox, database):
    inbox.commit([start(sequence=number) for number in range(1, 6)])
    with database.read() as session:
        assert broken_at(session, AlertLedger) is None
    for statement in (
        "update alert_ledger set note = 'x' where position = 2",
        "delete from alert_ledger where position = 2",
    ):
        with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
            session.execute(text(statement))


def test_a_birth_gives_the_cameras_and_a_heartbeat_changes_only_what_changed(
    inbox, database, clock
):
    inbox.commit([received(birth(camera_state(), camera_state("cam2")))])
    assert feed(database) == [
        (FeedKind.BOX, BOX),
        (FeedKind.CAMERA, "xiacun-1.cam1"),
        (FeedKind.CAMERA, "xiacun-1.cam2"),
    ]
    told = len(feed(database))
    clock.advance(60)
    beat = heartbeat(camera_state(), camera_state("cam2"), at=clock.now())
    inbox.commit([received(beat, clock.now())])
    assert feed(database)[told:] == [(FeedKind.BOX, BOX)]  # the detector is live now
    told = len(feed(database))
    clock.advance(60)
    changed = heartbeat(
        camera_state(last_packet_at=clock.now()),
        camera_state("cam2", state=StreamState.LOST, since=clock.now()),
        at=clock.now(),
    )
    inbox.commit([received(changed, clock.now())])
    assert feed(database)[told:] == [(FeedKind.CAMERA, "xiacun-1.cam2")]


def test_a_camera_that_left_the_birth_is_not_present(inbox, database):
    inbox.commit([received(birth(camera_state(), camera_state("cam2")))])
    inbox.commit([received(birth(camera_state()))])
    with database.read() as session:
        present = dict(session.execute(select(Camera.camera_id, Camera.present)).all())
    assert present == {"cam1": True, "cam2": False}


def test_a_will_loses_the_box_and_its_next_sign_of_life_brings_it_back(inbox, database, clock):
    inbox.commit([received(birth(camera_state()))])
    told = len(feed(database))
    inbox.commit([received(will())])
    assert feed(database)[told:] == [(FeedKind.BOX, BOX), (FeedKind.CAMERA, "xiacun-1.cam1")]
    inbox.commit([received(heartbeat(camera_state()), clock.now())])
    with database.read() as session:
        assert session.scalars(select(Box.state)).one() is BoxState.ONLINE
        assert session.scalars(select(Camera.state)).one() is CameraShown.LIVE


def test_an_old_retained_birth_does_not_make_a_box_look_alive(inbox, database):
    inbox.commit([received(birth(camera_state(), at=NOW - timedelta(hours=3)))])
    with database.read() as session:
        assert session.scalars(select(Box.state)).one() is BoxState.LOST


def test_nothing_is_stored_where_the_database_is_away(inbox, database, monkeypatch):
    with database.write() as session:
        session.execute(text("alter table feed rename to feed_away"))
    with pytest.raises((StoreUnavailableError, DBAPIError)):
        inbox.commit([start()])
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Alert)) == 0


def test_an_alert_without_anyone_on_duty_is_kept_all_the_same(inbox, database):
    with database.write() as session:
        session.execute(text("delete from shift_assignment"))
    inbox.commit([start(grid_code=GRID)])
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(AlertDuty)) == 0
    assert only_alert(database).state is AlertState.NEW
