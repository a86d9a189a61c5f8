"""The delivery ledger over HTTP: what came, what is missing, what all of it proves."""

import json
from dataclasses import replace
from hashlib import sha256

from sqlalchemy import text, update

from central.db.models import BoxEvent
from central.delivery.pursuit import GapPursuit
from tests.support.xiacun import (
    BOX,
    NOW,
    OUTBOX,
    alert_data,
    alert_message,
    birth,
    camera_state,
    heartbeat,
    received,
)


def chained(count):
    events, prevhash = [], None
    for sequence in range(1, count + 1):
        data = alert_data(confidence=0.1 * sequence / 3)
        events.append(received(alert_message(data, sequence, prevhash=prevhash)))
        prevhash = sha256(events[-1].payload).hexdigest()
    return events


def beat(events, last, **changes):
    head = sha256(events[last - 1].payload).hexdigest()
    values = {"outbox_id": OUTBOX, "last_sequence": last, "first_sequence": 1, "head": head}
    return received(heartbeat(**(values | changes)))


def ledger(centre):
    with centre.client("duty") as client:
        answer = client.get("/deliveries", params={"box_id": BOX})
        assert answer.status_code == 200, answer.text
        (row,) = answer.json()
    return row


def verified(centre):
    with centre.client("duty") as client:
        answer = client.post(f"/deliveries/{BOX}/{OUTBOX}/verify")
        assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_ledger_says_what_came_and_what_did_not(centre, database, clock):
    events = chained(6)
    centre.take(*events[:2], *events[3:5], events[0], beat(events, 6))
    row = ledger(centre)
    assert (row["received"], row["repeated"], row["complete_to"]) == (4, 1, 2)
    assert (row["highest"], row["told_last"], row["missing"]) == (5, 6, 2)
    assert (row["is_current"], row["broken_at"], row["gaps_left_out"]) == (True, None, False)
    assert [(gap["first"], gap["last"], gap["state"]) for gap in row["gaps"]] == [
        (3, 3, "young"),
        (6, 6, "young"),
    ]
    pursuit = GapPursuit(database, clock)
    pursuit.due()
    clock.advance(60)
    assert [gap["state"] for gap in ledger(centre)["gaps"]] == ["open", "open"]
    pursuit.due()
    assert [(gap["state"], gap["times"]) for gap in ledger(centre)["gaps"]] == [("asked", 1)] * 2


def test_a_whole_outbox_is_proved_to_its_last_event_and_to_the_bytes(centre):
    events = chained(7)
    centre.take(*events, beat(events, 7))
    proof = verified(centre)
    assert (proof["links"], proof["whole_to"], proof["missing"], proof["broken"]) == (7, 7, 0, 0)
    assert proof["head"] == "same"
    assert (proof["events"], proof["same"], proof["first_other"]) == (7, 7, None)


def test_an_event_whose_document_was_changed_is_named(centre, database):
    events = chained(4)
    centre.take(*events, beat(events, 4))
    with database.write() as session:
        row = session.query(BoxEvent).filter_by(sequence=3).one()
        changed = json.loads(json.dumps(row.payload))
        changed["data"]["count"] += 1
        session.execute(update(BoxEvent).where(BoxEvent.id == row.id).values(payload=changed))
    proof = verified(centre)
    assert (proof["same"], proof["other"], proof["first_other"]) == (3, 1, 3)
    assert proof["broken"] == 0  # the chain is of the bytes that came


def test_a_forged_event_with_its_hash_and_its_followers_column_is_found_all_the_same(
    centre, database
):
    events = chained(4)
    centre.take(*events, beat(events, 4))
    before = events[0]
    forged = received(alert_message(alert_data(), 2, prevhash=sha256(before.payload).hexdigest()))
    digest = sha256(forged.payload).hexdigest()
    with database.write() as session:
        second, third = (
            session.query(BoxEvent)
            .filter(BoxEvent.sequence.in_((2, 3)))
            .order_by(BoxEvent.sequence)
        )
        second.payload, second.digest = json.loads(forged.payload), digest
        third.prevhash = digest
    proof = verified(centre)
    assert (proof["broken"], proof["first_other"]) == (0, 3)


def test_an_event_that_was_taken_out_or_cut_off_is_missing(centre, database):
    events = chained(5)
    centre.take(*events, beat(events, 5))
    with database.write() as session:
        session.execute(text("delete from box_event where sequence in (2, 5)"))
    proof = verified(centre)
    assert (proof["whole_to"], proof["missing"], proof["head"]) == (1, 1, "not_here")


def test_another_last_event_than_the_box_has_is_no_proof(centre):
    events = chained(3)
    centre.take(*events, beat(events, 3, head="cd" * 32))
    assert verified(centre)["head"] == "other"


def test_before_a_box_says_how_far_it_counted_its_end_is_untold(centre):
    centre.take(*chained(2))
    proof = verified(centre)
    assert (proof["head"], proof["whole_to"]) == ("untold", 2)


def test_what_is_in_quarantine_is_said_to_be_opaque(centre):
    events = chained(3)
    damaged = replace(events[1], payload=events[1].payload.replace(b".v1", b".v9"))
    third = alert_message(alert_data(), 3, prevhash=sha256(damaged.payload).hexdigest())
    centre.take(events[0], damaged, received(third))
    proof = verified(centre)
    assert (proof["links"], proof["opaque"], proof["events"], proof["broken"]) == (3, 1, 2, 0)
    assert ledger(centre)["quarantined"] == 1


def test_an_outbox_that_is_not_there_is_not_found(centre):
    with centre.client("admin") as client:
        assert client.post(f"/deliveries/{BOX}/{OUTBOX}/verify").status_code == 404


def test_the_boxes_page_has_every_box_with_what_is_wrong(centre, clock):
    events = chained(2)
    centre.take(
        received(birth(camera_state())),
        beat(
            events,
            2,
            outbox_rows=3,
            outbox_oldest_at=NOW,
            evidence_pending=25,
            cameras=(camera_state(),),
        ),
        received(alert_message(alert_data(), 2)),
        received(alert_message(alert_data(), 2)),  # of another box of this id
    )
    clock.advance(61)
    with centre.client("duty") as client:
        (box,) = client.get("/boxes").json()
    assert (box["box_id"], box["state"], box["software"]) == (BOX, "online", "0.1.0")
    assert (box["outbox_rows"], box["evidence_pending"], box["cameras_live"]) == (3, 25, 1)
    assert box["warnings"] == ["doubled", "gap", "evidence"]
