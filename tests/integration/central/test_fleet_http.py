"""The boxes over HTTP: which version each is to run."""

import pytest

from tests.support.xiacun import BOX, birth, camera_state, heartbeat, received

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


def test_cameras_whose_clocks_are_off_are_named_with_their_box(centre):
    wrong = camera_state("cam1", clock={"state": "wrong", "offset_ms": -754_000})
    right = camera_state("cam2", clock={"state": "right", "offset_ms": 300})
    centre.take(received(birth(wrong, right, camera_state("cam3"))), received(heartbeat(wrong)))
    with centre.client("duty") as duty:
        (found,) = duty.get("/boxes").json()
        assert found["camera_clocks"] == [
            {"camera_id": "cam1", "name": wrong.name, "state": "wrong", "offset_ms": -754_000}
        ]
        assert found["warnings"] == ["camera_clock"]
        shown = {each["camera_id"]: each for each in duty.get("/sites").json()["cameras"]}
        assert (shown["cam1"]["clock_state"], shown["cam1"]["clock_offset_ms"]) == (
            "wrong",
            -754_000,
        )
        assert [shown[each]["clock_state"] for each in ("cam2", "cam3")] == ["right", None]

        centre.take(received(heartbeat(camera_state("cam1"))))  # its box does not know any more
        (found,) = duty.get("/boxes").json()
        assert (found["camera_clocks"], found["warnings"]) == ([], [])
