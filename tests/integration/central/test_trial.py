"""A rule that is tried, from the picture to the centre: logged, and nothing more (incident I12)."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from central.db.models import Incident, IncidentAlert
from edge.alarm.scene import Scene
from edge.ports import Box as Person
from edge.ports import Detections
from protocol.clock import FakeClock
from protocol.messages import AlertMode, AlertOp
from tests.support.bringing import bring, evidence_headers
from tests.support.browser import listening, raise_alert
from tests.support.desk_box import box_config, open_desk
from tests.support.xiacun import BOX, BOX_TOKEN, GRID, NOW, REGION, received

LOOKS_S = 0.5


@pytest.fixture
def told(tmp_path):
    """What a box tells of ten minutes of a growing crowd under a rule that is tried."""
    rule = {
        "id": "crowd",
        "alert_mode": "trial",
        "levels": {"ordinary": 3, "urgent": 6},
        "hold_s": 10,
        "clear_s": 10,
    }
    camera = {
        "id": "cam1",
        "name": "文化广场",
        "grid_code": GRID,
        "main_url": "rtsp://192.0.2.1/main",
        "rules": [rule],
    }
    config = box_config(tmp_path, box_id=BOX, cameras=[camera])
    config = config.model_copy(
        update={"box": config.box.model_copy(update={"region_code": REGION})}
    )
    clock = FakeClock(NOW - timedelta(minutes=10))
    box = open_desk(tmp_path / "box.sqlite3", clock, config)
    scene = Scene(config.cameras[0], min_score=0.4)
    for look in range(round(600 / LOOKS_S)):
        clock.advance(LOOKS_S)
        there = 0 if look > 1000 else min(9, look // 60)
        people = tuple(Person(0.1 * n, 0.4, 0.1 * n + 0.02, 0.5, 0.9) for n in range(there))
        seen = Detections("cam1", "ab" * 16, look * 45_000, clock.now(), people)
        for occurrence in scene.see(seen):
            box.desk.report(occurrence)
    messages = box.messages()
    box.database.close()
    return messages


def test_the_box_says_of_everything_that_it_is_a_trial(told):
    ops = [message.data.op for message in told]
    assert (ops[0], ops[-1]) == (AlertOp.START, AlertOp.END)
    assert len({message.data.level for message in told}) == 2
    assert {message.data.mode for message in told} == {AlertMode.TRIAL}


def test_nothing_of_a_trial_rings_at_the_centre_whatever_it_does(centre, told):
    with (
        centre.client("wall") as wall,
        listening(wall, wall.get("/wall").json()["cursor"]) as stream,
    ):
        for message in told:
            centre.take(received(message))
        picture = b"\xff\xd8\xff" + b"0" * 1000
        url = f"{centre.url}/api/v1/boxes/{BOX}/evidence/{told[0].data.alert_id}/snapshot"
        said = evidence_headers(picture, NOW.isoformat(), NOW.isoformat(), BOX_TOKEN)
        answer = bring(url, picture, said)
        assert answer.status_code == 201
        assert wall.get("/wall").json()["alerts"] == []
        live = raise_alert(centre, 10_000)
        event = stream.next()
        assert (event.event, event.data["id"]) == ("alert", live)


def test_a_trial_alert_is_in_the_list_with_all_that_a_real_one_has(centre, told):
    for message in told:
        centre.take(received(message))
    with centre.client("duty") as duty:
        (listed,) = duty.get("/alerts").json()["items"]
        shown = duty.get(f"/alerts/{listed['id']}").json()
    assert (listed["mode"], listed["level"], listed["peak"]) == ("trial", "urgent", 9)
    assert max(count for _, count in shown["curve"]["points"]) == 9


@pytest.mark.parametrize("body", [{}, {"incident": "new"}, {"incident_id": "open"}])
def test_nobody_makes_an_incident_of_a_trial_alert(centre, database, told, body):
    trial = str(told[0].data.alert_id)
    for message in told:
        centre.take(received(message))
    with centre.client("duty") as duty:
        if "incident_id" in body:
            real = raise_alert(centre, 10_000)
            duty.post(f"/alerts/{real}/ack", json={"device": "pc"})
            opened = duty.post(f"/alerts/{real}/confirm", json={}).json()["incident"]["id"]
            body = {"incident_id": opened}
        elif "incident" in body:
            said = {"category": "crowd_safety", "level": "urgent", "summary": "人多"}
            body = {"incident": said}
        assert duty.post(f"/alerts/{trial}/ack", json={"device": "pc"}).status_code == 200
        answer = duty.post(f"/alerts/{trial}/confirm", json=body)
        assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
        assert duty.get(f"/alerts/{trial}").json()["state"] == "ACKED"
        judged = duty.post(f"/alerts/{trial}/false", json={"reason": "miscount"})
        assert judged.json()["state"] == "FALSE"
    with database.read() as session:
        linked = session.scalars(select(IncidentAlert.alert_id)).all()
        assert trial not in map(str, linked)
        assert session.scalar(select(func.count()).select_from(Incident)) == len(linked)
