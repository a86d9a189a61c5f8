"""A point in trial: its alerts are stored and call nobody, whatever its box says (points I4)."""

import pytest
from sqlalchemy import event

from protocol.messages import AlertLevel, AlertMode, AlertOp
from tests.support.browser import listening, raise_alert
from tests.support.points import CAMERA, go, hang_sign, register
from tests.support.xiacun import alert_data, alert_message, birth, camera_state, received


@pytest.fixture
def tried(centre):
    """Take the square's point into trial."""
    centre.take(received(birth(camera_state(), camera_state("cam2", name="村口"))))
    with centre.client("admin") as admin:
        register(admin)
        assert go(admin, "trial").status_code == 200


def listed(centre, alert_id):
    with centre.client("duty") as duty:
        return duty.get(f"/alerts/{alert_id}").json()


@pytest.mark.usefixtures("tried")
def test_its_alert_is_listed_as_a_trials_and_is_neither_on_the_wall_nor_the_feed(centre):
    with (
        centre.client("wall") as wall,
        listening(wall, wall.get("/wall").json()["cursor"]) as stream,
    ):
        silent = raise_alert(centre, 1)
        assert wall.get("/wall").json()["alerts"] == []
        elsewhere = alert_data(camera_id="cam2")
        centre.take(received(alert_message(elsewhere, 2)))
        told = stream.next()
        assert (told.event, told.data["id"]) == ("alert", str(elsewhere.alert_id))
    shown = listed(centre, silent)
    assert (shown["mode"], shown["ledger"][0]["note"]) == ("trial", "点位试运行")
    shown = listed(centre, elsewhere.alert_id)
    assert (shown["mode"], shown["ledger"][0]["note"]) == ("live", "")


@pytest.mark.usefixtures("tried")
def test_it_stays_a_trials_whatever_more_its_box_tells_of_it_and_once_the_trial_is_over(centre):
    data = alert_data()
    centre.take(received(alert_message(data, 1)))
    with centre.client("admin") as admin:
        hang_sign(admin)
        assert go(admin, "in_use").status_code == 200
    worse = {"op": AlertOp.UPDATE, "level": AlertLevel.EXTRA_URGENT, "count": 90, "peak": 90}
    centre.take(received(alert_message(data.model_copy(update=worse), 2)))
    shown = listed(centre, data.alert_id)
    assert (shown["mode"], shown["level"]) == ("trial", "extra_urgent")
    fresh = raise_alert(centre, 3)
    assert listed(centre, fresh)["mode"] == "live"


@pytest.mark.usefixtures("tried")
def test_nobody_makes_an_incident_of_it(centre):
    alert_id = raise_alert(centre, 1)
    with centre.client("duty") as duty:
        assert duty.post(f"/alerts/{alert_id}/ack", json={"device": "pc"}).status_code == 200
        assert duty.post(f"/alerts/{alert_id}/confirm", json={}).status_code == 409


@pytest.mark.usefixtures("tried")
def test_a_drill_at_a_point_in_trial_rings(centre):
    data = alert_data(mode=AlertMode.DRILL)
    centre.take(received(alert_message(data, 1)))
    assert listed(centre, data.alert_id)["mode"] == "drill"


@pytest.mark.usefixtures("tried")
def test_an_alert_that_rang_before_the_trial_began_goes_on_ringing(centre):
    with centre.client("admin") as admin:
        assert go(admin, "draft").status_code == 200
        data = alert_data()
        centre.take(received(alert_message(data, 1)))
        assert go(admin, "trial").status_code == 200
    ended = data.model_copy(update={"op": AlertOp.UPDATE, "count": 40, "peak": 40})
    centre.take(received(alert_message(ended, 2)))
    assert listed(centre, data.alert_id)["mode"] == "live"


def test_cameras_without_a_file_ring_as_before(centre):
    assert listed(centre, raise_alert(centre, 1))["mode"] == "live"
    with centre.client("admin") as admin:
        assert admin.get(f"/points/{CAMERA}").status_code == 404


def test_which_points_are_tried_is_asked_once_a_batch_and_only_where_alerts_begin(centre, database):
    asked: list[str] = []

    def note(_connection, _cursor, statement: str, *_: object) -> None:
        if "FROM point" in statement:
            asked.append(statement)

    event.listen(database.engine, "after_cursor_execute", note)
    begun = [alert_data(camera_id=f"cam{number}") for number in range(1, 41)]
    centre.take(*(received(alert_message(data, n)) for n, data in enumerate(begun, start=1)))
    assert len(asked) == 1
    more = [data.model_copy(update={"op": AlertOp.UPDATE, "count": 40}) for data in begun]
    centre.take(*(received(alert_message(data, n)) for n, data in enumerate(more, start=41)))
    assert len(asked) == 1
