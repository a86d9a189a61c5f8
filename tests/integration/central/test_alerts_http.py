from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from central.db.models import AlertLedger, Incident, IncidentLedger
from central.ledger.book import broken_at
from protocol.messages import AlertCurve, AlertOp
from tests.support.xiacun import GRID, NOW, alert_data, alert_message, received


@pytest.fixture
def alert_id(centre):
    new = uuid4()
    centre.take(received(alert_message(alert_data(new), 1)))
    return str(new)


def test_an_alert_is_shown_whole(centre, alert_id):
    with centre.client("duty") as duty:
        shown = duty.get(f"/alerts/{alert_id}").json()
    person = {"post": "村支书", "phone": "13800000000", "has_pin": True}
    zhang = {"id": "zhang", "name": "张建国", **person}
    li = {"id": "li", "name": "李秀英", **person, "post": "网格信息管理员"}
    assert shown == {
        "id": alert_id,
        "kind": "gathering",
        "level": "urgent",
        "mode": "live",
        "state": "NEW",
        "camera": {"uid": "xiacun-1.cam1", "name": "文化广场"},
        "grid": {"code": GRID, "name": "第一网格"},
        "rule_id": "gather",
        "region_id": "all",
        "started_at": "2026-11-22T06:00:00Z",
        "ended_at": None,
        "updated_at": "2026-11-22T06:00:00Z",
        "received_at": "2026-11-22T06:00:00Z",
        "late": False,
        "clock_doubtful": False,
        "count": 32,
        "threshold": 30,
        "peak": 32,
        "confidence": None,
        "on_duty": [{"person": zhang, "post": "lead"}, {"person": li, "post": "officer"}],
        "acked_by": None,
        "acked_at": None,
        "verified_by": None,
        "verified_at": None,
        "reason": None,
        "note": "",
        "sign_by": "2026-11-22T06:03:00Z",
        "verify_by": "2026-11-22T06:10:00Z",
        "incident_id": None,
        "activity": None,
        "evidence": [],
        "lacks": [],
        "box_id": "xiacun-1",
        "sequence": 1,
        "ledger": [
            {
                "at": "2026-11-22T06:00:00Z",
                "action": "raised",
                "actor": None,
                "device": None,
                "from_state": None,
                "to_state": "NEW",
                "note": "",
            }
        ],
        "incident": None,
        "curve": None,
    }


def test_the_curve_of_the_newest_event_is_shown_with_the_alert_and_in_no_list(centre):
    new = uuid4()
    early = AlertCurve(step_s=1, points=((0, 32), (5, 34)))
    late = AlertCurve(step_s=2, points=((0, 34), (60, 41)))
    end = alert_data(new, op=AlertOp.END, at=NOW + timedelta(seconds=60), curve=late)
    middle = alert_data(new, op=AlertOp.UPDATE, at=NOW + timedelta(seconds=5), curve=early)
    for data, sequence in ((end, 3), (alert_data(new), 1), (middle, 2)):
        centre.take(received(alert_message(data, sequence)))
    with centre.client("duty") as duty:
        shown = duty.get(f"/alerts/{new}").json()
        (listed,) = duty.get("/alerts").json()["items"]
    assert shown["curve"] == {"step_s": 2, "points": [[0, 34], [60, 41]]}
    assert "curve" not in listed


def test_the_whole_line_from_signing_to_closing(centre, alert_id, clock, database):
    with centre.client("duty") as duty, centre.client("duty2") as other:
        clock.advance(20)
        acked = duty.post(f"/alerts/{alert_id}/ack", json={"device": "pc"}).json()
        assert (acked["state"], acked["acked_by"]["id"]) == ("ACKED", "zhang")
        clock.advance(20)
        confirmed = duty.post(f"/alerts/{alert_id}/confirm", json={}).json()
        incident = confirmed["incident"]
        assert confirmed["state"] == "CONFIRMED"
        assert {
            key: incident[key]
            for key in ("serial", "state", "level", "category", "summary", "deadline", "overdue")
        } == {
            "serial": "532324001002-20261122-0001",
            "state": "ACCEPTED",
            "level": "urgent",
            "category": "crowd_safety",
            "summary": "文化广场:人员聚集,约32人",
            "deadline": "2026-11-23T06:00:40Z",
            "overdue": False,
        }
        # who was on duty owns it; who signed received it first
        assert (incident["owner"]["id"], incident["first_receiver"]["id"]) == ("li", "zhang")
        path = f"/incidents/{incident['id']}"
        handled = duty.post(f"{path}/handle", json={"note": "", "owner_id": "wang"}).json()
        assert (handled["state"], handled["owner"]["id"], handled["handler"]["id"]) == (
            "HANDLING",
            "wang",
            "wang",
        )
        assert other.post(f"{path}/feedback", json={"note": "已劝散"}).json()["state"] == "FEEDBACK"
        # incident I6: who handled it may not check it
        refused = other.post(f"{path}/close", json={"note": ""})
        assert (refused.status_code, refused.json()["error"]) == (409, "conflict")
        closed = duty.post(f"{path}/close", json={"note": "现场已查"}).json()
        assert (closed["state"], closed["closed_at"] is not None) == ("CLOSED", True)
        detail = duty.get(path).json()
    assert [entry["action"] for entry in detail["ledger"]] == [
        "open",
        "handle",
        "feedback",
        "close",
    ]
    assert [one["id"] for one in detail["alerts"]] == [alert_id]
    with database.read() as session:
        assert [broken_at(session, table) for table in (AlertLedger, IncidentLedger)] == [None] * 2


def test_who_handled_it_once_never_checks_it_though_it_was_handed_on(centre, alert_id, database):
    with centre.client("duty") as duty, centre.client("admin") as admin:
        duty.post(f"/alerts/{alert_id}/ack", json={"device": "pc"})
        incident = duty.post(f"/alerts/{alert_id}/confirm", json={}).json()["incident"]
        path = f"/incidents/{incident['id']}"
        duty.post(f"{path}/handle", json={})
        duty.post(f"{path}/handle", json={"owner_id": "wang"})
        duty.post(f"{path}/feedback", json={"note": "已劝散"})
        for check in ("close", "rework"):
            answer = duty.post(f"{path}/{check}", json={"note": "现场已查"})
            assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
        # the database refuses it too, to whatever program asks
        with pytest.raises(DBAPIError, match="never checks"), database.write() as session:
            session.execute(
                update(Incident).values(state="CLOSED", checker_id="zhang", closed_at=NOW)
            )
        assert admin.post(f"{path}/close", json={"note": "现场已查"}).json()["state"] == "CLOSED"


def test_of_two_who_sign_at_once_one_wins_and_the_other_is_told(centre, alert_id):
    with centre.client("duty") as one, centre.client("duty2") as two, ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda client: client.post(f"/alerts/{alert_id}/ack", json={"device": "pc"}),
                (one, two),
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        ledger = one.get(f"/alerts/{alert_id}").json()["ledger"]
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    assert [entry["actor"]["id"] for entry in ledger if entry["action"] == "ack"] == [
        winner["acked_by"]["id"]
    ]


def test_a_false_alarm_has_a_reason_and_other_a_note(centre, alert_id):
    with centre.client("duty") as duty:
        duty.post(f"/alerts/{alert_id}/ack", json={"device": "phone"})
        path = f"/alerts/{alert_id}/false"
        assert duty.post(path, json={"reason": "no_such"}).status_code == 422
        assert duty.post(path, json={"reason": "other"}).status_code == 422
        answer = duty.post(path, json={"reason": "other", "note": "舞狮队彩排"}).json()
    assert (answer["state"], answer["reason"], answer["note"]) == ("FALSE", "other", "舞狮队彩排")


def test_a_known_activity_has_a_note(centre, alert_id):
    with centre.client("duty") as duty:
        duty.post(f"/alerts/{alert_id}/ack", json={"device": "pc"})
        assert duty.post(f"/alerts/{alert_id}/known", json={"note": " "}).status_code == 422
        answer = duty.post(f"/alerts/{alert_id}/known", json={"note": "王家婚宴"}).json()
    assert (answer["state"], answer["verified_by"]["id"]) == ("KNOWN", "zhang")


def test_an_alert_that_is_not_signed_cannot_be_verified(centre, alert_id):
    with centre.client("duty") as duty:
        answer = duty.post(f"/alerts/{alert_id}/confirm", json={})
    assert answer.status_code == 409
    assert set(answer.json()) == {"error", "message", "message_zh"}


def test_two_alerts_may_belong_to_one_incident_and_a_closed_one_takes_no_more(centre, alert_id):
    second, third = uuid4(), uuid4()
    centre.take(
        received(alert_message(alert_data(second), 2)),
        received(alert_message(alert_data(third), 3)),
    )
    with centre.client("duty") as duty, centre.client("duty2") as other:
        for one in (alert_id, second, third):
            duty.post(f"/alerts/{one}/ack", json={"device": "pc"})
        draft = {"category": "fire", "level": "extra_urgent", "summary": "秸秆着火"}
        first = duty.post(f"/alerts/{alert_id}/confirm", json={"incident": draft}).json()
        incident = first["incident"]
        assert (incident["category"], incident["level"], incident["summary"]) == (
            "fire",
            "extra_urgent",
            "秸秆着火",
        )
        linked = duty.post(f"/alerts/{second}/confirm", json={"incident_id": incident["id"]}).json()
        assert sorted(linked["incident"]["alert_ids"]) == sorted([alert_id, str(second)])
        path = f"/incidents/{incident['id']}"
        other.post(f"{path}/handle", json={"note": ""})
        other.post(f"{path}/feedback", json={"note": "已扑灭"})
        duty.post(f"{path}/close", json={"note": ""})
        late = duty.post(f"/alerts/{third}/confirm", json={"incident_id": incident["id"]})
        assert late.status_code == 409
        # nothing of the refused act is left
        assert duty.get(f"/alerts/{third}").json()["state"] == "ACKED"


def test_a_grid_that_is_not_there_is_refused(centre, alert_id):
    draft = {
        "category": "fire",
        "level": "urgent",
        "summary": "x",
        "grid_code": "532324001002999",
    }
    with centre.client("duty") as duty:
        duty.post(f"/alerts/{alert_id}/ack", json={"device": "pc"})
        answer = duty.post(f"/alerts/{alert_id}/confirm", json={"incident": draft})
        assert (answer.status_code, duty.get(f"/alerts/{alert_id}").json()["state"]) == (
            422,
            "ACKED",
        )


def test_pages_of_alerts_stay_right_while_new_ones_come(centre):
    ids = [uuid4() for _ in range(5)]
    for number, one in enumerate(ids):
        data = alert_data(one, started_at=NOW + timedelta(seconds=number), at=NOW)
        centre.take(received(alert_message(data, number + 1)))
    with centre.client("duty") as duty:
        first = duty.get("/alerts", params={"limit": 2}).json()
        newer = alert_data(uuid4(), started_at=NOW + timedelta(hours=1))
        centre.take(received(alert_message(newer, 9)))
        second = duty.get("/alerts", params={"limit": 2, "before": first["next"]}).json()
        third = duty.get("/alerts", params={"limit": 2, "before": second["next"]}).json()
        assert duty.get("/alerts", params={"before": "nonsense"}).status_code == 422
    seen = [one["id"] for page in (first, second, third) for one in page["items"]]
    assert (seen, third["next"]) == ([str(one) for one in reversed(ids)], None)


def test_alerts_are_filtered(centre, alert_id):
    other = alert_data(uuid4(), kind="flame", camera_id="cam2", started_at=NOW + timedelta(days=1))
    centre.take(received(alert_message(other, 2)))
    with centre.client("wall") as wall:

        def found(**params):
            return [one["kind"] for one in wall.get("/alerts", params=params).json()["items"]]

        assert found(kind="flame") == ["flame"]
        assert found(camera="xiacun-1.cam1") == ["gathering"]
        assert found(state="ACKED") == []
        assert found(**{"from": "2026-11-23T00:00:00+08:00"}) == ["flame"]
        assert found(to="2026-11-23T00:00:00+08:00") == ["gathering"]
        assert wall.get("/alerts", params={"from": "2026-11-23"}).status_code == 422


def test_incidents_are_listed_and_the_overdue_ones_found(centre, alert_id, clock):
    with centre.client("duty") as duty:
        duty.post(f"/alerts/{alert_id}/ack", json={"device": "pc"})
        duty.post(f"/alerts/{alert_id}/confirm", json={})
        assert duty.get("/incidents", params={"overdue": "true"}).json()["items"] == []
        clock.advance(86_401)
        # the session of twelve hours has ended meanwhile
        assert duty.get("/incidents").status_code == 401
    with centre.client("duty") as duty:
        items = duty.get("/incidents", params={"overdue": "true", "state": "ACCEPTED"}).json()
        assert [one["overdue"] for one in items["items"]] == [True]
        assert duty.get("/incidents", params={"state": "CLOSED"}).json() == {
            "items": [],
            "next": None,
        }
        assert duty.get("/wall").json()["incidents"] == {"open": 1, "overdue": 1}


def test_what_is_not_there_is_404(centre):
    with centre.client("duty") as duty:
        for path in (f"/alerts/{uuid4()}", f"/incidents/{uuid4()}", f"/evidence/{uuid4()}"):
            assert duty.get(path).status_code == 404
        acked = duty.post(f"/alerts/{uuid4()}/ack", json={"device": "pc"})
        assert acked.status_code == 404
        noted = duty.post(f"/incidents/{uuid4()}/note", json={"note": "x"})
        assert noted.status_code == 404


def test_an_owner_who_is_not_there_is_refused(centre, alert_id):
    with centre.client("duty") as duty:
        duty.post(f"/alerts/{alert_id}/ack", json={"device": "pc"})
        incident = duty.post(f"/alerts/{alert_id}/confirm", json={}).json()["incident"]
        answer = duty.post(
            f"/incidents/{incident['id']}/handle", json={"note": "", "owner_id": "nobody"}
        )
    assert answer.status_code == 422


def test_an_ended_alert_that_nobody_signed_stays_on_the_wall(centre, alert_id):
    end = NOW + timedelta(seconds=60)
    data = alert_data(alert_id, op=AlertOp.END, at=end, ended_at=end)
    centre.take(received(alert_message(data, 2)))
    with centre.client("wall") as wall:
        assert [one["id"] for one in wall.get("/wall").json()["alerts"]] == [alert_id]
    with centre.client("wall", pin="2222") as wall:
        wall.post(f"/alerts/{alert_id}/ack", json={"device": "wall"})
        wall.post(f"/alerts/{alert_id}/known", json={"note": "赶集"})
        assert wall.get("/wall").json()["alerts"] == []


@pytest.mark.parametrize(
    "table", ["incident_ledger", "alert_ledger", "alert_duty", "incident_handler"]
)
@pytest.mark.parametrize("statement", ["update {} set {} = {}", "delete from {}"])
def test_history_is_not_changed_by_anyone(centre, alert_id, database, table, statement):
    with centre.client("duty") as duty:
        duty.post(f"/alerts/{alert_id}/ack", json={"device": "pc"})
        incident = duty.post(f"/alerts/{alert_id}/confirm", json={}).json()["incident"]
        duty.post(f"/incidents/{incident['id']}/handle", json={})
    column = {"alert_duty": "post", "incident_handler": "person_id"}.get(table, "note")
    words = statement.format(table, column, column)
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(words))
    with database.read() as session:
        assert session.execute(select(text("1")).select_from(text(table))).first() is not None
