"""Leaving the staff: nobody signs in any more, and nothing that waits for them is forgotten."""

from uuid import uuid4

import pytest
from sqlalchemy import delete, select

from central.db.models import Account, Person, ShiftAssignment
from central.errors import ConfigError
from central.people.retirement import reinstate, retire_account, retire_person
from tests.support.xiacun import alert_data, alert_message, received


def take_off_the_roster(database) -> None:
    with database.write() as session:
        session.execute(delete(ShiftAssignment))


def test_a_retired_person_is_signed_out_everywhere_and_cannot_sign_in(centre, database, clock):
    take_off_the_roster(database)
    with centre.client("duty") as duty, centre.client("wall", pin="1111") as wall:
        with database.write() as session:
            retire_person(session, "zhang", clock.now())
        assert duty.get("/session").status_code == 401
        assert wall.get("/session").json()["operator"] is None
        assert wall.post("/session/operator", json={"pin": "1111"}).status_code == 401
        right = {"username": "duty", "password": "a-good-password"}
        assert duty.post("/session", json=right).status_code == 401
    with centre.client("admin") as admin:
        assert "zhang" not in [person["id"] for person in admin.get("/people").json()]


def test_a_retired_account_is_signed_out_and_its_person_stays(centre, database, clock):
    with centre.client("duty") as duty, centre.client("admin") as admin:
        with database.write() as session:
            retire_account(session, "duty")
        assert duty.get("/session").status_code == 401
        assert "zhang" in [person["id"] for person in admin.get("/people").json()]


def test_who_is_on_a_roster_ahead_is_not_retired_and_the_shifts_are_named(centre, database, clock):
    with (
        pytest.raises(ConfigError, match=r"shifts still name 'zhang': 24小时班 2026-11-21T18:00"),
        database.write() as session,
    ):
        retire_person(session, "zhang", clock.now())
    with database.read() as session:
        assert session.get_one(Person, "zhang").active
    clock.advance(13 * 3600)  # nobody has relieved the shift: it is still responsible
    with pytest.raises(ConfigError, match="shifts still name"), database.write() as session:
        retire_person(session, "zhang", clock.now())


def test_who_still_owns_an_open_incident_is_not_retired_and_the_incident_is_named(
    centre, database, clock
):
    alert_id = uuid4()
    centre.take(received(alert_message(alert_data(alert_id), 1)))
    with centre.client("admin") as admin:
        admin.post(f"/alerts/{alert_id}/ack", json={"device": "pc"})
        incident = admin.post(f"/alerts/{alert_id}/confirm", json={}).json()["incident"]
        admin.post(f"/incidents/{incident['id']}/handle", json={"owner_id": "wang"})
        with (
            pytest.raises(ConfigError, match="532324001002-20261122-0001"),
            database.write() as session,
        ):
            retire_person(session, "wang", clock.now())
        admin.post(f"/incidents/{incident['id']}/handle", json={"owner_id": "zhang"})
    with database.write() as session:
        retire_person(session, "wang", clock.now())


def test_a_person_who_comes_back_gets_a_new_pin_and_account_password(centre, database, clock):
    with database.write() as session:
        retire_person(session, "wang", clock.now())
        reinstate(session, "wang")
    with database.read() as session:
        wang = session.get_one(Person, "wang")
        active = session.scalars(select(Account.active).where(Account.person_id == "wang")).all()
    assert (wang.active, wang.pin_hash, active) == (True, None, [False])
