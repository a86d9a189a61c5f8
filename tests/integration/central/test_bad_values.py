"""What no database keeps, and what is no time of ours, is refused with a reason: never a 500."""

import json

import pytest
from sqlalchemy.exc import DataError

from central.db.models import Viewing
from tests.support.browser import raise_alert

DAY = {"from": "2026-11-30", "to": "2026-11-30"}
LONG_AGO, FAR_AHEAD = "0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"
SHIFT = {
    "name": "白班",
    "start": "2026-11-30T08:00:00+08:00",
    "end": "2026-11-30T17:30:00+08:00",
    "people": [],
}


@pytest.mark.parametrize(
    ("path", "params"),
    [
        *(("/duty", {"at": at}) for at in (LONG_AGO, FAR_AHEAD)),
        *(("/alerts", {"from": at}) for at in (LONG_AGO, FAR_AHEAD)),
        *(("/alerts", {"to": at}) for at in (LONG_AGO, FAR_AHEAD)),
        ("/duty/roster", {"from": "0001-01-01", "to": "0001-01-02"}),
        ("/duty/roster", {"from": "9999-12-30", "to": "9999-12-31"}),
        *(
            ("/boxes/xiacun-1/edge/v1/cameras/cam1/clip.mp4", {"from": at})
            for at in (LONG_AGO, FAR_AHEAD)
        ),
    ],
)
def test_a_time_out_of_reach_is_refused(centre, path, params):
    with centre.client("admin") as admin:
        answer = admin.get(path, params=params)
        assert (answer.status_code, answer.json()["error"]) == (422, "invalid")
        assert "between the years" in answer.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"from": "0001-01-01", "to": "0001-01-01", "shifts": []},
        {**DAY, "shifts": [{**SHIFT, "start": LONG_AGO}]},
        {**DAY, "shifts": [{**SHIFT, "end": FAR_AHEAD}]},
        {**DAY, "shifts": [{**SHIFT, "name": "a\x00b"}]},
        {**DAY, "shifts": [{**SHIFT, "name": "a\ud800b"}]},
        {**DAY, "shifts": [{**SHIFT, "people": [{"person_id": "\x00", "post": "lead"}]}]},
    ],
)
def test_a_roster_that_no_database_keeps_is_refused(centre, body):
    with centre.client("admin") as admin:
        assert put_json(admin, "/duty/roster", body).status_code == 422
        days = admin.get("/duty/roster", params=DAY).json()
    assert days == {"shifts": []}


@pytest.mark.parametrize("words", ["\x00", "a\x00b", "\ud800", "a\udfffb"])
def test_words_that_no_database_keeps_are_refused_and_nothing_is_done(centre, words):
    alert_id = raise_alert(centre, 1)
    with centre.client("duty") as duty, centre.client() as anyone:
        for body in (
            {"username": words, "password": "x"},
            {"username": "duty", "password": words},
            {"username": "duty", "password": "x", words: 1},
        ):
            assert post_json(anyone, "/session", body).status_code == 422
        duty.post(f"/alerts/{alert_id}/ack", json={"device": "pc"})
        for action, body in (
            ("known", {"note": words}),
            ("false", {"reason": "other", "note": words}),
            ("confirm", {"incident": {"category": "fire", "level": "urgent", "summary": words}}),
        ):
            answer = post_json(duty, f"/alerts/{alert_id}/{action}", body)
            assert (answer.status_code, answer.json()["error"]) == (422, "invalid")
        incident = duty.post(f"/alerts/{alert_id}/confirm", json={}).json()["incident"]
        path = f"/incidents/{incident['id']}/handle"
        for body in ({"note": words}, {"owner_id": words}):
            assert post_json(duty, path, body).status_code == 422
        assert duty.get(f"/incidents/{incident['id']}").json()["state"] == "ACCEPTED"


@pytest.mark.parametrize(
    "path",
    [
        "/alerts?camera=%00",
        "/incidents?before=a%00",
        "/feed?cursor=%00",
        "/boxes/xiacun-1/edge/v1/cameras/cam1/clip.mp4?reason=a%00b",
        "/boxes/%00/edge/v1/segments/1.mp4",
        "/boxes/xiacun-1/edge/v1/segments/%00.mp4",
    ],
)
def test_an_address_with_a_nul_in_it_is_refused_before_anything_is_entered(centre, database, path):
    with centre.client("duty") as duty:
        with duty.stream("GET", path) as answer:  # a feed that begins would not end
            assert answer.status_code == 422
        assert duty.get("/alerts", params={"camera": "%00"}).status_code == 200  # only the words
    with database.read() as session:
        assert session.query(Viewing).count() == 0


def test_evidence_of_a_time_out_of_reach_is_refused(centre):
    alert_id = raise_alert(centre, 1)
    headers = {
        "x-content-sha256": "0" * 64,
        "x-evidence-start": LONG_AGO,
        "x-evidence-end": LONG_AGO,
        "upload-offset": "0",
        "upload-length": "1",
    }
    with centre.client() as box:
        path = f"/boxes/xiacun-1/evidence/{alert_id}/clip"
        answer = box.patch(path, content=b"x", headers=headers)
    assert answer.status_code == 422


def test_a_value_that_only_the_database_refuses_is_invalid_too(centre, monkeypatch):
    def refuse(*_given: object) -> str:
        raise DataError("insert …", {}, ValueError("out of range"))

    monkeypatch.setattr(centre.centre.sessions, "sign_in", refuse)
    with centre.client() as anyone:
        answer = anyone.post("/session", json={"username": "duty", "password": "x"})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid")


def post_json(client, path, body, method="POST"):
    """Send JSON as it is written by who escapes everything: httpx refuses a lone surrogate."""
    headers = {"content-type": "application/json"}
    return client.request(method, path, content=json.dumps(body).encode(), headers=headers)


def put_json(client, path, body):
    return post_json(client, path, body, "PUT")
