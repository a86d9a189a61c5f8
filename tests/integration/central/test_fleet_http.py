"""The boxes over HTTP: which version each is to run."""

import pytest

from tests.support.xiacun import BOX, birth, received

PLAN = {"upgrade_ring": "pilot", "target_version": "0.2.0"}


def box(client):
    (found,) = client.get("/boxes").json()
    return found["upgrade_ring"], found["target_version"], found["software"]


def test_an_upgrade_is_planned_and_shown_beside_what_the_box_runs(centre):
    centre.take(received(birth()))
    with centre.client("admin") as admin, centre.client("duty") as duty:
        runs = box(duty)[2]
        assert box(duty) == ("general", "", runs)
        assert admin.put(f"/boxes/{BOX}/upgrade", json=PLAN).status_code == 204
        assert box(duty) == ("pilot", "0.2.0", runs)
        centre.take(received(birth()))
        assert box(duty) == ("pilot", "0.2.0", runs)


@pytest.mark.parametrize(
    "changes", [{"upgrade_ring": "last"}, {"target_version": "; rm"}, {"more": 1}]
)
def test_what_is_no_plan_is_refused(centre, changes):
    with centre.client("admin") as admin:
        assert admin.put(f"/boxes/{BOX}/upgrade", json=PLAN | changes).status_code == 422
        assert admin.put("/boxes/nobody/upgrade", json=PLAN).status_code == 404
