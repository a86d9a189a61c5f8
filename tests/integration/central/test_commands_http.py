"""Commands over HTTP: who may give which, when a box is given one, what came of it."""

import hashlib
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from central.codes import CommandState, FeedKind
from central.commands.desk import MOST_OPEN
from central.commands.dispatch import CommandDispatch
from central.db.models import Box, BoxCommand, BoxEvent, BoxOutbox, CommandLedger, FeedRow, Viewing
from central.delivery.proof import prove
from central.ledger.book import broken_at
from protocol.commands import parse
from protocol.messages import Outcome, ResultData, ResultMessage, source_of_box
from tests.integration.central.test_evidence_http import whole
from tests.support.xiacun import (
    BOOT,
    BOX,
    NOW,
    OUTBOX,
    REGION,
    alert_data,
    alert_message,
    birth,
    camera_state,
    heartbeat,
    received,
)

CLIP = {
    "camera_id": "cam1",
    "start": (NOW - timedelta(minutes=5)).isoformat(),
    "end": (NOW - timedelta(minutes=4)).isoformat(),
}
DISARM = {"camera_id": "cam1", "for_s": 600}
CHIMNEY = [[[0.1, 0.1], [0.2, 0.1], [0.2, 0.3]]]
MASK = {"camera_id": "cam1", "rule_id": "fire", "exclude": CHIMNEY}
UNDO = {"camera_id": "cam1", "rule_id": "fire", "undo": True}
CONFIGURE = {"patch": "[detect]\nfps = 4\n", "base_version": 3}


@pytest.fixture
def village(centre):
    centre.take(received(birth(camera_state())))
    return centre


@pytest.fixture
def dispatch(database, clock):
    return CommandDispatch(database, clock)


def give(centre, kind="snapshot", arguments=None, *, by="admin", **body):
    """Give a command and return the answer."""
    asked = {
        "kind": kind,
        "arguments": {"camera_id": "cam1"} if arguments is None else arguments,
        "reason": "核实广场烟火",
    }
    with centre.client(by) as client:
        return client.post(f"/boxes/{BOX}/commands", json=asked | body)


def given(centre, *args, **body):
    answer = give(centre, *args, **body)
    assert answer.status_code == 202, answer.text
    return UUID(answer.json()["id"])


def listed(centre, **query):
    with centre.client("duty") as client:
        answer = client.get(f"/boxes/{BOX}/commands", params=query)
        assert answer.status_code == 200, answer.text
    return answer.json()


def shown(centre, command_id):
    (found,) = [each for each in listed(centre)["items"] if each["id"] == str(command_id)]
    return found


def result(
    command_id, sequence, outcome=Outcome.DONE, *, box=BOX, reason="", detail="", prevhash=None
):
    data = ResultData(
        command_id=command_id,
        kind="snapshot",
        outcome=outcome,
        reason=reason,
        detail=detail,
        at=NOW,
    )
    message = ResultMessage(
        id=uuid4(),
        source=source_of_box(box),
        time=NOW,
        subject="box",
        sequence=sequence,
        bootid=BOOT,
        outboxid=OUTBOX,
        prevhash=prevhash,
        data=data,
    )
    return received(message, box=box)


def acts(database, command_id):
    with database.read() as session:
        rows = session.scalars(
            select(CommandLedger)
            .where(CommandLedger.command_id == command_id)
            .order_by(CommandLedger.position)
        ).all()
        assert broken_at(session, CommandLedger) is None
        return [(row.action, row.to_state, row.actor_id) for row in rows]


def test_a_command_is_kept_with_who_asked_and_why_and_given_to_a_box_that_is_there(
    village, dispatch, database
):
    command_id = given(village, "clip", CLIP, by="duty")
    (one,) = dispatch.due()
    assert (one.region_code, one.box_id, one.message.id) == (REGION, BOX, command_id)
    data = one.message.data
    assert (data.kind, data.ttl_s, data.reason) == ("clip", 3600, "核实广场烟火")
    assert data.actor == "张建国 (duty)"
    assert parse(data.kind, data.arguments) == parse("clip", CLIP)
    view = shown(village, command_id)
    assert (view["state"], view["given"], view["person"]["name"]) == ("sent", 1, "张建国")
    assert acts(database, command_id) == [("asked", "queued", "zhang"), ("given", "sent", None)]


def test_what_fetches_recorded_video_is_in_the_register_before_it_is_given(village, database):
    given(village, "clip", CLIP, by="duty")
    given(village, "disarm", DISARM)
    with database.read() as session:
        (entry,) = session.scalars(select(Viewing)).all()
    assert (entry.what, entry.camera_id, entry.person_id) == ("command:clip", "cam1", "zhang")
    assert (entry.start, entry.end) == (NOW - timedelta(minutes=5), NOW - timedelta(minutes=4))
    assert entry.reason == "核实广场烟火"


@pytest.mark.parametrize(
    ("by", "kind", "arguments", "status"),
    [
        ("duty", "snapshot", None, 202),
        ("duty", "disarm", DISARM, 403),
        ("duty", "arm", None, 403),
        ("admin", "disarm", DISARM, 202),
        ("admin", "arm", None, 202),
        ("admin", "sync_clock", {}, 202),
        ("duty", "sync_clock", {}, 403),
        ("admin", "camera_clock", None, 202),
        ("duty", "camera_clock", None, 403),
        ("admin", "camera_clock", {}, 422),
        ("admin", "mask", MASK, 202),
        ("duty", "mask", MASK, 403),
        ("admin", "mask", MASK | {"exclude": [[[0, 0], [1, 1]]]}, 422),
        ("admin", "mask", MASK | {"undo": True}, 422),
        ("admin", "configure", CONFIGURE, 202),
        ("admin", "configure", CONFIGURE | {"check_only": True}, 202),
        ("duty", "configure", CONFIGURE, 403),
        ("duty", "configure", CONFIGURE | {"check_only": True}, 403),
        ("admin", "configure", CONFIGURE | {"patch": "[detect"}, 422),
        ("admin", "configure", CONFIGURE | {"undo": True}, 422),
        ("admin", "sync_clock", {"camera_id": "cam1"}, 422),
        ("wall", "snapshot", None, 403),
        ("admin", "reboot", None, 422),
        ("admin", "snapshot", {"camera_id": "cam1", "flash": True}, 422),
        ("admin", "snapshot", {"camera_id": "cellar"}, 404),
        ("admin", "clip", CLIP | {"end": CLIP["start"]}, 422),
    ],
)
def test_each_may_have_a_box_do_what_is_theirs_and_nothing_that_is_no_command(
    village, by, kind, arguments, status
):
    assert give(village, kind, arguments, by=by).status_code == status


def test_a_reason_is_asked_for_and_an_unknown_box_is_refused(village):
    assert give(village, reason="  ").status_code == 422
    with village.client("admin") as client:
        body = {"kind": "snapshot", "arguments": {"camera_id": "cam1"}, "reason": "看看"}
        assert client.post("/boxes/nowhere/commands", json=body).status_code == 404


def test_more_than_a_box_bears_is_refused_until_some_have_ended(village, database):
    ids = [given(village) for _ in range(MOST_OPEN)]
    assert give(village).status_code == 409
    village.take(result(ids[0], 1))
    assert give(village).status_code == 202


def test_a_box_that_is_away_is_given_it_when_it_comes_back_and_not_before(village, dispatch, clock):
    command_id = given(village)
    clock.advance(200)
    assert dispatch.due() == ()
    village.take(received(heartbeat(), at=clock.now()))
    (one,) = dispatch.due()
    assert one.message.id == command_id
    assert one.message.data.ttl_s == 3400


def test_without_a_word_it_is_given_again_under_the_same_id_ever_more_seldom(
    village, dispatch, clock
):
    command_id = given(village)
    times = []
    for second in range(120):
        times += [second for one in dispatch.due() if one.message.id == command_id]
        clock.advance(1)
    assert times == [0, 10, 30, 70]


def test_what_the_box_has_accepted_is_not_given_again(village, dispatch, clock):
    command_id = given(village)
    assert len(dispatch.due()) == 1
    village.take(result(command_id, 1, Outcome.ACCEPTED))
    clock.advance(60)
    assert dispatch.due() == ()
    assert shown(village, command_id)["state"] == "accepted"


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Outcome.DONE, "done"), (Outcome.REFUSED, "refused"), (Outcome.FAILED, "failed")],
)
def test_the_boxs_result_is_the_commands_and_stands(
    village, dispatch, clock, database, outcome, state
):
    command_id = given(village)
    dispatch.due()
    said = result(command_id, 1, outcome, reason="no_such_rule")
    village.take(said)
    village.take(said)
    clock.advance(7200)
    dispatch.due()
    view = shown(village, command_id)
    assert (view["state"], view["why"]) == (state, "no_such_rule")
    assert acts(database, command_id)[-1] == ("ended", state, None)


def test_what_was_never_given_by_its_deadline_is_expired_and_never_given(village, dispatch, clock):
    clock.advance(300)
    command_id = given(village, within_s=60)
    clock.advance(60)
    village.take(received(heartbeat(), at=clock.now()))
    assert dispatch.due() == []
    assert shown(village, command_id)["state"] == "expired"


def test_of_what_was_given_and_not_answered_nobody_knows_until_the_box_says(
    village, dispatch, clock
):
    command_id = given(village, within_s=60)
    assert len(dispatch.due()) == 1
    clock.advance(179)
    assert dispatch.due() == ()
    assert shown(village, command_id)["state"] == "sent"
    clock.advance(1)
    assert dispatch.due() == []
    assert shown(village, command_id)["state"] == "unanswered"
    village.take(result(command_id, 1))
    assert shown(village, command_id)["state"] == "done"


def test_another_boxs_word_on_a_command_changes_nothing(village, database):
    with database.write() as session:
        session.add(Box(id="other-1", region_code=REGION, name="别处", token_sha256="x"))
    command_id = given(village)
    village.take(result(command_id, 1, box="other-1"), result(uuid4(), 1))
    assert shown(village, command_id)["state"] == "queued"
    with database.read() as session:
        assert len(session.scalars(select(BoxEvent)).all()) == 2


def test_results_are_links_of_the_chain_as_alerts_are(village, database, clock):
    command_id = given(village)
    events = [received(alert_message(alert_data(), 1))]
    before = hashlib.sha256(events[0].payload).hexdigest()
    events.append(result(command_id, 2, prevhash=before))
    village.take(*events)
    with database.read() as session:
        proof = prove(session, session.get_one(BoxOutbox, (BOX, OUTBOX)), clock.now())
    assert (proof.chain.broken, proof.events, proof.same) == (0, 2, 2)


def test_what_a_command_fetched_is_brought_as_evidence_is_and_shown_with_it(village, dispatch):
    command_id = given(village, "clip", CLIP)
    dispatch.due()
    assert whole(village, uuid4()).status_code == 404
    assert whole(village, command_id).status_code == 201
    assert whole(village, command_id).status_code == 200
    (fetched,) = shown(village, command_id)["fetched"]
    assert fetched["kind"] == "clip"
    with village.client("duty") as client:
        answer = client.get(f"/evidence/{fetched['id']}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")


def test_pages_are_newest_first_and_go_on_where_the_last_one_ended(village, clock):
    ids = []
    for _ in range(5):
        ids.append(str(given(village)))
        clock.advance(1)
    first = listed(village, limit=3)
    rest = listed(village, limit=3, before=first["next"])
    assert [each["id"] for each in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None


def test_a_disarmed_camera_is_told_to_every_wall_until_its_time_is_over(village, clock, database):
    def until():
        with village.client("wall") as client:
            (camera,) = client.get("/wall").json()["cameras"]
        return camera["disarmed_until"]

    def told():
        with database.read() as session:
            return len(
                session.scalars(select(FeedRow).where(FeedRow.kind == FeedKind.CAMERA)).all()
            )

    before = told()
    disarm = given(village, "disarm", DISARM)
    assert until() is None
    village.take(result(disarm, 1))
    assert told() == before + 1
    assert until() == "2026-11-22T06:10:00Z"
    clock.advance(599)
    assert until() is not None
    clock.advance(1)
    assert until() is None


def test_a_mask_is_shown_with_who_and_why_once_the_box_has_done_it_until_it_is_undone(
    village, clock
):
    def masks():
        with village.client("duty") as client:
            return client.get(f"/boxes/{BOX}/masks").json()["items"]

    mask = given(village, "mask", MASK)
    assert masks() == []
    village.take(result(mask, 1))
    (one,) = masks()
    assert (one["camera_id"], one["rule_id"], one["exclude"]) == ("cam1", "fire", CHIMNEY)
    assert (one["reason"], one["since"]) == ("核实广场烟火", "2026-11-22T06:00:00Z")
    assert one["person"] is not None
    refused = given(village, "mask", UNDO)
    village.take(result(refused, 2, Outcome.REFUSED))
    assert len(masks()) == 1
    clock.advance(1)
    none = given(village, "mask", MASK | {"exclude": []})
    village.take(result(none, 3))
    assert [each["exclude"] for each in masks()] == [[]]
    clock.advance(1)
    undo = given(village, "mask", UNDO)
    village.take(result(undo, 4))
    assert masks() == []


def test_every_state_of_a_command_can_be_kept(database, village):
    command_id = given(village)
    for state in CommandState:
        with database.write() as session:
            session.get_one(BoxCommand, command_id).state = state
        assert shown(village, command_id)["state"] == state.value


def test_settings_are_given_as_they_were_written_and_their_changes_are_read_line_by_line(
    village, dispatch, database
):
    command_id = given(village, "configure", CONFIGURE | {"check_only": True})
    (one,) = dispatch.due()
    asked = parse(one.message.data.kind, one.message.data.arguments)
    assert (asked.patch, asked.base_version, asked.check_only) == (CONFIGURE["patch"], 3, True)
    lines = "\n".join(f"cameras.cam{n}.rules.crowd.hold_s: 60.0 → 30.0" for n in range(60))
    village.take(result(command_id, 1, reason="checked", detail=lines))
    view = shown(village, command_id)
    assert (view["state"], view["why"], view["detail"]) == ("done", "checked", lines)
    assert acts(database, command_id)[-1] == ("ended", "done", None)
