"""The filing of a village's system: due, filed, and what changed since (article 14)."""

from datetime import timedelta

import pytest

from tests.support.points import CAMERA, OTHER, go, take_in_use, terms
from tests.support.xiacun import NOW, birth, camera_state, heartbeat, received

DAY_S = 86_400
FILED = {"filed_on": "2026-11-22", "number": "楚公视备〔2026〕12号"}


@pytest.fixture(autouse=True)
def cameras(centre):
    square = camera_state(retention_days=30)
    centre.take(received(birth(square, camera_state("cam2", name="村口", place=""))))


def filing(client):
    return client.get("/filing").json()


def test_a_system_is_due_30_days_after_its_first_point_is_in_use(centre, clock):
    with centre.client("admin") as admin:
        found = filing(admin)
        assert (found["state"], found["due_on"], found["unregistered"]) == ("not_filed", None, 2)
        take_in_use(admin)
        found = filing(admin)
        assert (found["due_on"], found["days_left"]) == ("2026-12-22", 30)
    clock.advance(33 * DAY_S)
    with centre.client("duty") as duty:
        assert filing(duty)["days_left"] == -3
        due = duty.get("/points/due").json()
        assert (due["filing"], due["filing_days_left"]) == ("not_filed", -3)


def test_a_filing_keeps_the_four_facts_and_who_entered_it(centre):
    with centre.client("admin") as admin:
        take_in_use(admin)
        answer = admin.post("/filing", json=FILED)
        assert answer.status_code == 201
        found = answer.json()
    assert (found["state"], found["changes"], found["due_on"]) == ("filed", [], None)
    assert found["last"]["number"] == FILED["number"]
    assert found["last"]["entered_by"]["name"] == "李秀英"
    assert (
        found["last"]["cameras"]
        == found["cameras"]
        == [
            {
                "uid": CAMERA,
                "name": "文化广场",
                "place": "村委会门口",
                "device_type": "fixed",
                "unit": "下村村民委员会",
                "retention_days": 30,
            }
        ]
    )
    assert [entry["action"] for entry in found["ledger"]] == ["file"]


def test_a_camera_more_is_a_change_to_be_filed_and_filing_it_settles_that(centre, clock):
    with centre.client("admin") as admin:
        take_in_use(admin)
        admin.post("/filing", json=FILED)
        take_in_use(admin, OTHER)
    clock.advance(3 * DAY_S)
    with centre.client("admin") as admin:
        found = filing(admin)
        assert found["state"] == "change_needed"
        assert found["changes"] == [
            {"fact": "added", "uid": OTHER, "name": "村口", "before": "", "now": "村口"}
        ]
        assert (found["changed_since"], found["changed_days"]) == ("2026-11-22T06:00:00Z", 3)
        again = admin.post("/filing", json=FILED | {"filed_on": "2026-11-25"}).json()
        assert (again["state"], again["changed_since"]) == ("filed", None)


def test_a_change_that_is_taken_back_is_none(centre):
    with centre.client("admin") as admin:
        take_in_use(admin)
        admin.post("/filing", json=FILED)
        admin.put(f"/points/{CAMERA}", json=terms(manager_unit="派出所"))
        assert [each["fact"] for each in filing(admin)["changes"]] == ["unit"]
        admin.put(f"/points/{CAMERA}", json=terms())
        found = filing(admin)
        assert (found["state"], found["changed_since"]) == ("filed", None)


def test_what_a_box_changes_is_seen_at_once_and_since_when_within_the_hour(centre, clock):
    with centre.client("admin") as admin:
        take_in_use(admin)
        admin.post("/filing", json=FILED)
    clock.advance(60)
    at = NOW + timedelta(seconds=60)
    centre.take(received(heartbeat(camera_state(retention_days=90), at=at), at))
    centre.centre.filing.look()
    clock.advance(5 * DAY_S)
    centre.centre.filing.look()
    with centre.client("admin") as admin:
        found = filing(admin)
    assert [(each["fact"], each["before"], each["now"]) for each in found["changes"]] == [
        ("retention", "30", "90")
    ]
    assert (found["changed_since"], found["changed_days"]) == ("2026-11-22T06:01:00Z", 5)


def test_a_system_of_article_9_is_exempt_and_shown(centre):
    with centre.client("admin") as admin:
        take_in_use(admin, legal_basis="art9")
        found = filing(admin)
        assert (found["state"], found["exempt"], found["due_on"]) == ("exempt", 1, None)
        assert found["unregistered"] == 1
        assert admin.post("/filing", json=FILED).status_code == 409


def test_what_a_trial_or_a_retired_point_is_is_not_filed(centre):
    with centre.client("admin") as admin:
        take_in_use(admin)
        admin.post("/filing", json=FILED)
        go(admin, "retired")
        found = filing(admin)
    assert [each["fact"] for each in found["changes"]] == ["removed"]


@pytest.mark.parametrize(
    "body", [FILED | {"filed_on": "2026-11-23"}, FILED | {"number": " "}, {"number": "1"}]
)
def test_a_filing_of_tomorrow_or_without_a_number_is_refused(centre, body):
    with centre.client("admin") as admin:
        take_in_use(admin)
        assert admin.post("/filing", json=body).status_code == 422
        assert filing(admin)["last"] is None


def test_the_ledger_names_the_system_by_its_region(centre):
    with centre.client("admin") as admin:
        take_in_use(admin)
        admin.post("/filing", json=FILED)
        assert filing(admin)["ledger"][0]["note"] == "2026-11-22 楚公视备〔2026〕12号 1个点位"
        own = admin.get(f"/points/{CAMERA}").json()["ledger"]
    assert "file" not in {entry["action"] for entry in own}
