"""The quarantine over HTTP: seen, taken once more, discarded; and what that does to the chain."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import DBAPIError

from central.auth.tokens import hash_token
from central.db.models import Alert, Box, BoxEvent, BoxOutbox, Quarantine
from central.ingest import quarantine
from central.ledger.book import LEDGERS, broken_at
from central.ports import Received
from central.quarantine import routes
from protocol.topics import BoxTopic, Leaf
from tests.support.xiacun import (
    BOX,
    NOW,
    OUTBOX,
    REGION,
    alert_data,
    alert_message,
    heartbeat,
    received,
)

NEW = "xiacun-2"


def of_a_new_box(sequence, prevhash=None, **changes):
    message = alert_message(alert_data(**changes), sequence, box=NEW, prevhash=prevhash)
    return received(message, box=NEW)


def enter_new_box(database):
    with database.write() as session:
        token = hash_token("token-of-the-new-box")
        session.add(Box(id=NEW, region_code=REGION, name="新主机", token_sha256=token))


def newer(message):
    """Return an event as a box of tomorrow would send it."""
    return replace(message, payload=message.payload.replace(b"alert.v1", b"alert.v9"))


def listed(centre, **query):
    with centre.client("admin") as client:
        answer = client.get("/quarantine", params=query)
        assert answer.status_code == 200, answer.text
    return answer.json()


def replay(centre, **body):
    with centre.client("admin") as client:
        answer = client.post("/quarantine/replay", json=body)
        assert answer.status_code == 200, answer.text
    return answer.json()


def entries(centre):
    with centre.client("admin") as client:
        return client.get("/quarantine/ledger").json()


def count(database, table):
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_what_nobody_understood_is_seen_with_its_reason_and_without_secrets(centre):
    topic = str(BoxTopic(REGION, BOX, Leaf.EVENT))
    payload = b'{"type": "weather", "url": "rtsp://admin:sesame@10.0.0.9/main"}'
    junk = Received(topic, payload, NOW)
    centre.take(junk, junk, newer(received(alert_message(alert_data(), 4))))
    page = listed(centre)
    assert page["total"] == 2
    (one,) = listed(centre, reason="weather")["items"] or [page["items"][0]]
    found = {each["sequence"]: each for each in page["items"]}
    assert (found[None]["times"], found[None]["replayable"]) == (2, True)
    assert "sesame" not in found[None]["excerpt"]
    assert found[None]["size_bytes"] == len(payload)
    assert (found[4]["outbox_id"], found[4]["topic"]) == (str(OUTBOX), topic)
    assert "cn.tanshao.alert.v9" in found[4]["excerpt"]
    assert one["box_id"] == BOX


def test_the_list_is_filtered_and_comes_by_pages(centre, clock):
    enter = [newer(received(alert_message(alert_data(), number))) for number in range(1, 6)]
    for message in enter:
        clock.advance(1)
        centre.take(replace(message, received_at=clock.now()))
    centre.take(of_a_new_box(1), Received("tanshao/v1/nonsense", b"x", NOW))
    seen, before = [], None
    while True:
        page = listed(centre, box_id=BOX, limit=2, **({"before": before} if before else {}))
        seen += [each["sequence"] for each in page["items"]]
        before = page["next"]
        if before is None:
            break
    assert seen == [5, 4, 3, 2, 1]
    assert [each["box_id"] for each in listed(centre, reason="NOT entered")["items"]] == [NEW]
    assert listed(centre, reason="%")["total"] == 0
    assert listed(centre, doubled=True)["total"] == 0
    with centre.client("admin") as client:
        assert client.get("/quarantine", params={"before": "x/y"}).status_code == 422
        naive = {"before": "2026-11-22T06:00:00/ab"}
        assert client.get("/quarantine", params=naive).status_code == 422


def test_once_a_box_is_entered_its_quarantined_alerts_are_taken_as_if_they_came_now(
    centre, database, clock
):
    first = of_a_new_box(1)
    second = of_a_new_box(2, prevhash=sha256(first.payload).hexdigest())
    centre.take(second, first)
    assert [each["reason"] for each in replay(centre, box_id=NEW)["kept"]] == [
        "box: not entered at this centre, or under another region"
    ] * 2
    enter_new_box(database)
    clock.advance(3600)
    assert replay(centre, box_id=NEW) == {"taken": 2, "kept": [], "next": None}
    assert listed(centre)["total"] == 0
    with database.read() as session:
        row = session.get_one(BoxOutbox, (NEW, OUTBOX))
        assert (row.received, row.complete_to, row.broken_at) == (2, 2, None)
        assert [alert.late for alert in session.scalars(select(Alert))] == [True, True]
        assert session.scalar(select(func.count()).select_from(Quarantine)) == 0
    assert [each["action"] for each in entries(centre)] == ["replayed", "replayed"]
    assert entries(centre)[0]["person"]["name"] == "李秀英"


def test_what_a_mended_centre_understands_is_an_event_in_its_place(centre, database, monkeypatch):
    first = received(alert_message(alert_data(), 1))
    middle = received(alert_message(alert_data(), 2, prevhash=sha256(first.payload).hexdigest()))
    last = received(alert_message(alert_data(), 3, prevhash=sha256(middle.payload).hexdigest()))
    # A centre with a limit that was too low, until it was mended.
    with monkeypatch.context() as broken:
        broken.setattr("protocol.codec.MAX_PAYLOAD_BYTES", len(middle.payload) - 1)
        centre.take(middle)
    centre.take(first, last)
    with database.read() as session:
        assert session.get_one(BoxOutbox, (BOX, OUTBOX)).received == 2
    assert replay(centre)["taken"] == 1
    with database.read() as session:
        row = session.get_one(BoxOutbox, (BOX, OUTBOX))
    assert (row.received, row.complete_to, row.broken_at) == (3, 3, None)
    assert count(database, Alert) == 3


def test_a_replayed_event_that_follows_another_one_breaks_the_chain(centre, database):
    enter = of_a_new_box(2, prevhash="ef" * 32)
    first = of_a_new_box(1)
    centre.take(enter)
    enter_new_box(database)
    third = of_a_new_box(3, prevhash=sha256(enter.payload).hexdigest())
    centre.take(first, third)
    with database.read() as session:
        row = session.get_one(BoxOutbox, (NEW, OUTBOX))
        assert (row.complete_to, row.broken_at) == (3, None)  # nobody could read the second
    assert replay(centre)["taken"] == 1
    with database.read() as session:
        assert session.get_one(BoxOutbox, (NEW, OUTBOX)).broken_at == 2


def test_what_is_still_not_understood_stays_and_says_why(centre):
    centre.take(newer(received(alert_message(alert_data(), 1))))
    (row,) = listed(centre)["items"]
    done = replay(centre, digests=[row["digest"]])
    assert (done["taken"], [each["digest"] for each in done["kept"]]) == (0, [row["digest"]])
    assert listed(centre)["items"] == [row]
    assert entries(centre) == []


def test_another_event_under_a_used_number_is_marked_and_stays(centre, database):
    centre.take(received(alert_message(alert_data(), 1)))
    centre.take(received(alert_message(alert_data(), 1)))
    (row,) = listed(centre, doubled=True)["items"]
    assert row["doubled"]
    assert replay(centre)["taken"] == 0
    assert listed(centre, doubled=True)["total"] == 1
    assert count(database, Alert) == 1


def test_an_event_of_a_strangers_alert_is_not_said_to_be_taken(centre, database):
    alert_id = uuid4()
    enter_new_box(database)
    centre.take(received(alert_message(alert_data(alert_id), 1)))
    centre.take(received(alert_message(alert_data(alert_id), 1, box=NEW), box=NEW))
    done = replay(centre)
    assert (done["taken"], done["kept"][0]["reason"]) == (0, "alert_id: is another box's")
    assert listed(centre)["total"] == 1


def test_what_its_box_has_sent_again_meanwhile_leaves_the_quarantine_too(centre, database):
    message = of_a_new_box(1)
    centre.take(message)
    enter_new_box(database)
    centre.take(message)
    assert count(database, Alert) == 1
    assert replay(centre)["taken"] == 1
    assert (count(database, Alert), count(database, Quarantine)) == (1, 0)


def test_states_and_heartbeats_come_again_by_themselves(centre):
    topic = str(BoxTopic(REGION, BOX, Leaf.HEARTBEAT))
    centre.take(Received(topic, b"{}", NOW))
    (row,) = listed(centre)["items"]
    assert not row["replayable"]
    done = replay(centre, digests=[row["digest"], "ab" * 32])
    assert done["taken"] == 0
    assert [each["reason"] for each in done["kept"]] == [
        "only an event that was kept whole can be taken once more",
        "it is no longer in quarantine",
    ]


def test_all_are_taken_some_at_a_time_whatever_stays(centre, database, monkeypatch):
    monkeypatch.setattr(routes, "MOST_AT_ONCE", 2)
    centre.take(*[newer(received(alert_message(alert_data(), number))) for number in range(1, 4)])
    centre.take(*[of_a_new_box(number) for number in range(1, 4)])
    enter_new_box(database)
    taken, kept, after = 0, 0, ""
    while after is not None:
        done = replay(centre, after=after)
        taken, kept, after = taken + done["taken"], kept + len(done["kept"]), done["next"]
    assert (taken, kept) == (3, 3)


def test_who_discards_says_why_and_the_place_in_the_chain_stays(centre, database):
    first = received(alert_message(alert_data(), 1))
    bad = newer(received(alert_message(alert_data(), 2)))
    third = received(alert_message(alert_data(), 3, prevhash=sha256(bad.payload).hexdigest()))
    centre.take(first, bad, third)
    (row,) = listed(centre)["items"]
    with centre.client("admin") as client:
        address = f"/quarantine/{row['digest']}/discard"
        assert client.post(address, json={"reason": "  "}).status_code == 422
        assert client.post(address, json={"reason": "试验时发的"}).status_code == 204
        assert client.post(address, json={"reason": "试验时发的"}).status_code == 404
        proof = client.post(f"/deliveries/{BOX}/{OUTBOX}/verify").json()
    assert listed(centre)["total"] == 0
    assert (proof["whole_to"], proof["broken"], proof["opaque"]) == (3, 0, 1)
    (entry,) = entries(centre)
    assert (entry["action"], entry["person"]["name"]) == ("discarded", "李秀英")
    assert "试验时发的" in entry["note"]
    assert sha256(bad.payload).hexdigest() in entry["note"]
    with database.read() as session:
        (left,) = session.scalars(select(Quarantine)).all()
        assert left.payload == b""
        assert all(broken_at(session, table) is None for table in LEDGERS)
    for act in ("delete from quarantine_ledger", "update quarantine_ledger set note = ''"):
        with pytest.raises(DBAPIError), database.write() as session:
            session.execute(text(act))


def test_what_was_discarded_and_comes_again_is_counted_receipted_and_not_shown(centre, database):
    bad = newer(received(alert_message(alert_data(), 1)))
    centre.take(bad)
    (row,) = listed(centre)["items"]
    with centre.client("admin") as client:
        client.post(f"/quarantine/{row['digest']}/discard", json={"reason": "试验"})
    (receipt,) = centre.take(bad)
    assert receipt.sequences == (1,)
    assert listed(centre)["total"] == 0
    with database.read() as session:
        assert session.scalars(select(Quarantine.times)).all() == [2]


def test_old_rows_go_but_those_in_a_chain_leave_their_hash(centre, database):
    topic = str(BoxTopic(REGION, BOX, Leaf.EVENT))
    centre.take(Received(topic, b"junk", NOW), newer(received(alert_message(alert_data(), 1))))
    later = NOW + quarantine.KEPT_FOR + timedelta(seconds=1)
    with database.write() as session:
        assert quarantine.prune(session, later) == 2
    with database.write() as session:
        assert quarantine.prune(session, later) == 0
    with database.read() as session:
        (left,) = session.scalars(select(Quarantine)).all()
    assert (left.sequence, left.payload, left.let_go_at) == (1, b"", later)


def test_a_value_that_no_column_takes_stays_in_quarantine_with_the_databases_words(
    centre, database
):
    enter_new_box(database)
    huge = received(alert_message(alert_data(count=2**70), 1, box=NEW), box=NEW)
    centre.take(huge)
    done = replay(centre)
    assert (done["taken"], len(done["kept"])) == (0, 1)
    assert done["kept"][0]["reason"].startswith("database: ")
    assert count(database, BoxEvent) == 0


def test_duty_staff_see_nothing_of_it(centre):
    with centre.client("duty") as client:
        assert client.get("/quarantine").status_code == 403
        assert client.post("/quarantine/replay", json={}).status_code == 403


def test_a_heartbeat_of_a_box_without_an_outbox_is_no_outbox(centre, database):
    centre.take(received(heartbeat(outbox_id=None)))
    with database.write() as session:
        assert session.execute(delete(BoxOutbox)).rowcount == 0
