"""What planned events do to alerts: known while within them, ringing once where not."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from central.db.models import Alert
from central.ledger.book import LEDGERS, broken_at
from protocol.messages import AlertKind, AlertLevel, AlertMode, AlertOp
from protocol.topics import BoxTopic, Leaf
from tests.support.activities import enter_cameras, file, file_approved, wedding, words
from tests.support.browser import listening
from tests.support.xiacun import BOX, GRID, NOW, REGION, alert_data, alert_message, received

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def cameras(centre):
    enter_cameras(centre)


class Gathering:
    """One alert as its box tells it."""

    def __init__(self, centre, clock, **changes) -> None:
        self.id, self._centre, self._clock = uuid4(), centre, clock
        self._changes, self._sequence = changes, uuid4().int % 10**9
        self.started_at = changes.pop("started_at", clock.now())

    def say(self, op: AlertOp = AlertOp.UPDATE, count: int = 40, **changes) -> "Gathering":
        self._sequence += 1
        at = changes.pop("at", self._clock.now())
        facts = {"started_at": self.started_at, "at": at, "count": count, "peak": count}
        data = alert_data(self.id, op=op, **(facts | self._changes | changes))
        now = self._clock.now()
        message = received(alert_message(data, self._sequence), at=now)
        if now - data.at > timedelta(minutes=1):
            message = replace(message, topic=str(BoxTopic(REGION, BOX, Leaf.HISTORICAL)))
        self._centre.take(message)
        return self

    def shown(self) -> dict:
        with self._centre.client("duty") as duty:
            return duty.get(f"/alerts/{self.id}").json()

    def actions(self) -> list[tuple[str, str | None]]:
        return [(entry["action"], entry["to_state"]) for entry in self.shown()["ledger"]]


@pytest.fixture
def gathering(centre, clock):
    def begin(count: int = 40, **changes) -> Gathering:
        return Gathering(centre, clock, **changes).say(AlertOp.START, count)

    return begin


def test_a_gathering_at_a_wedding_is_known_at_once_and_logged(centre, gathering):
    activity_id = file_approved(centre)
    alert = gathering().shown()
    assert (alert["state"], alert["acked_by"], alert["incident_id"]) == ("KNOWN", None, None)
    assert alert["activity"] == {
        "id": activity_id,
        "title": "王家婚宴",
        "kind": "wedding",
        "expected": 200,
        "start": "2026-11-22T05:00:00Z",
        "end": "2026-11-22T09:00:00Z",
        "left": None,
        "left_at": None,
    }
    assert [
        (entry["action"], entry["actor"], entry["from_state"], entry["to_state"], entry["note"])
        for entry in alert["ledger"]
    ] == [
        ("raised", None, None, "NEW", ""),
        ("activity", None, "NEW", "KNOWN", "报备:婚宴 200人 13:00–17:00"),
    ]


def test_it_stands_on_the_wall_and_nobody_can_sign_or_verify_it(centre, gathering):
    file_approved(centre)
    alert = gathering()
    with centre.client("wall", pin="2222") as wall:
        (shown,) = wall.get("/wall").json()["alerts"]
        assert (shown["id"], shown["state"]) == (str(alert.id), "KNOWN")
        for action, body in (
            ("ack", {"device": "wall"}),
            ("confirm", {}),
            ("known", {"note": "x"}),
        ):
            assert wall.post(f"/alerts/{alert.id}/{action}", json=body).status_code == 409


def test_one_that_nobody_approved_or_that_is_elsewhere_or_at_another_time_excuses_nothing(
    centre, gathering
):
    with centre.client("duty") as duty:
        file(duty)
    file_approved(centre, cameras=["xiacun-1.cam2"])
    later = words(NOW + timedelta(hours=4))
    file_approved(centre, start=later, end=words(NOW + timedelta(hours=6)))
    alert = gathering().shown()
    assert (alert["state"], alert["activity"]) == ("NEW", None)


def test_an_activity_of_a_grid_covers_each_of_its_cameras(centre, gathering):
    file_approved(centre, cameras=[], grids=[GRID])
    assert gathering(camera_id="cam2").shown()["state"] == "KNOWN"


@pytest.mark.parametrize("kind", [kind for kind in AlertKind if kind is not AlertKind.GATHERING])
def test_fire_smoke_cameras_and_boxes_ring_whatever_is_filed(centre, gathering, kind):
    file_approved(centre)
    alert = gathering(count=0, threshold=0, peak=0, kind=kind).shown()
    assert (alert["state"], alert["activity"]) == ("NEW", None)


def test_a_drill_rings_too(centre, gathering):
    file_approved(centre)
    assert gathering(mode=AlertMode.DRILL).shown()["state"] == "NEW"


def test_more_than_filed_rings_at_once_and_says_what_it_exceeds(centre, gathering):
    file_approved(centre, expected=30)
    alert = gathering(count=37).shown()
    assert (alert["state"], alert["activity"]["left"]) == ("NEW", "exceeded")
    assert [entry["action"] for entry in alert["ledger"]] == ["raised", "exceeded"]


def test_one_that_grows_beyond_its_filing_rings_exactly_once(centre, gathering, clock):
    file_approved(centre, expected=40)
    alert = gathering(count=45)
    with centre.client("duty") as duty:
        cursor = duty.get("/wall").json()["cursor"]
        clock.advance(600)
        with listening(duty, cursor) as stream:
            alert.say(count=49)
            assert stream.next().data["state"] == "NEW"
    shown = alert.shown()
    assert (shown["state"], shown["activity"]["left"]) == ("NEW", "exceeded")
    # its deadlines begin when people could first act
    assert shown["activity"]["left_at"] == "2026-11-22T06:10:00Z"
    assert (shown["sign_by"], shown["verify_by"]) == (
        "2026-11-22T06:13:00Z",
        "2026-11-22T06:20:00Z",
    )
    clock.advance(60)
    alert.say(count=80)
    with centre.client("duty") as duty:
        duty.post(f"/alerts/{alert.id}/ack", json={"device": "pc"})
        activity_id = shown["activity"]["id"]
        linked = duty.post(f"/alerts/{alert.id}/known", json={"activity_id": activity_id}).json()
        assert (linked["state"], linked["activity"]["left"]) == ("KNOWN", "exceeded")
    clock.advance(60)
    alert.say(count=95)  # a person has said that it is the wedding all the same
    assert alert.actions() == [
        ("raised", "NEW"),
        ("activity", "KNOWN"),
        ("exceeded", "NEW"),
        ("ack", "ACKED"),
        ("known", "KNOWN"),
    ]


def test_twice_the_extra_urgent_threshold_rings_whatever_was_filed(centre, gathering):
    file_approved(centre, expected=2000)
    red = {"level": AlertLevel.EXTRA_URGENT, "threshold": 60}
    assert gathering(count=119, region_id="a", **red).shown()["state"] == "KNOWN"
    assert gathering(count=120, region_id="b", **red).shown()["state"] == "NEW"


def test_events_in_any_order_leave_the_same_alert(centre, gathering, clock, database):
    file_approved(centre, expected=40)
    steps = [(AlertOp.START, 45, 0), (AlertOp.UPDATE, 70, 5), (AlertOp.END, 3, 9)]
    states = []
    for order in (steps, steps[::-1], [steps[1], steps[0], steps[2]]):
        alert = Gathering(centre, clock)
        first = alert._sequence
        for op, count, at in order:
            alert._sequence = first + at
            moment = clock.now() + timedelta(seconds=at)
            ended = {"ended_at": moment} if op is AlertOp.END else {}
            alert.say(op, count, at=moment, **ended)
        shown = alert.shown()
        states.append((shown["state"], shown["activity"]["left"], shown["peak"]))
    assert set(states) == {("NEW", "exceeded", 70)}


def test_one_still_open_half_an_hour_after_the_end_rings_and_an_ended_one_does_not(
    centre, gathering, clock
):
    file_approved(centre)
    stays, goes = gathering(region_id="a"), gathering(region_id="b")
    clock.advance(3 * 3600 + 29 * 60)
    goes.say(AlertOp.END, 5, ended_at=clock.now())
    assert centre.centre.known.look() == 0
    clock.advance(61)
    centre.centre.known.look()
    assert centre.centre.known.look() == 0
    shown = stays.shown()
    assert (shown["state"], shown["activity"]["left"]) == ("NEW", "over")
    assert shown["sign_by"] == "2026-11-22T09:33:01Z"
    assert goes.shown()["state"] == "KNOWN"


def test_a_cancelled_one_rings_at_once_and_a_smaller_one_where_it_is_exceeded(centre, gathering):
    first = file_approved(centre)
    second = file_approved(centre, cameras=["xiacun-1.cam2"])
    here, there = gathering(), gathering(camera_id="cam2")
    with centre.client("duty") as duty:
        duty.post(f"/activities/{first}/cancel", json={"note": "雨大,不办了"})
        assert (here.shown()["state"], here.shown()["activity"]["left"]) == ("NEW", "over")
        terms = wedding(cameras=["xiacun-1.cam2"], title="李家婚宴", note="改名")
        duty.put(f"/activities/{second}", json=terms)
        assert there.shown()["state"] == "KNOWN"
        duty.put(f"/activities/{second}", json=terms | {"expected": 30})
    # not approved anew: it has no effect until it is
    assert (there.shown()["state"], there.shown()["activity"]["left"]) == ("NEW", "over")


def test_another_event_that_goes_on_takes_the_alert_over(centre, gathering, clock):
    wedding_id = file_approved(centre)
    market = file_approved(
        centre,
        title="集市",
        kind="market",
        expected=100,
        end=words(NOW + timedelta(hours=8)),
        overlap="东西两侧",
    )
    alert = gathering()
    assert alert.shown()["activity"]["id"] == wedding_id
    clock.advance(3 * 3600 + 31 * 60)
    centre.centre.known.look()
    shown = alert.shown()
    assert (shown["state"], shown["activity"]["id"]) == ("KNOWN", market)
    clock.advance(5 * 3600)
    centre.centre.known.look()
    assert alert.shown()["state"] == "NEW"


def test_an_alert_that_was_open_before_the_filing_is_put_to_it_by_a_person(
    centre, gathering, clock
):
    alert = gathering(started_at=NOW - 2 * timedelta(hours=1))
    with centre.client("duty") as duty, centre.client("admin") as admin:
        duty.post(f"/alerts/{alert.id}/ack", json={"device": "phone"})
        activity_id = file(duty)
        path, body = f"/alerts/{alert.id}/known", {"activity_id": activity_id}
        assert duty.post(path, json=body).json()["error"] == "conflict"  # nobody approved it yet
        admin.post(f"/activities/{activity_id}/approve")
        assert alert.shown()["state"] == "ACKED"  # a filing does nothing to it by itself
        shown = duty.post(path, json=body | {"note": "已去看过"}).json()
        assert (shown["state"], shown["verified_by"]["id"], shown["activity"]["id"]) == (
            "KNOWN",
            "zhang",
            activity_id,
        )
        assert alert.shown()["ledger"][-1]["note"] == "报备:婚宴 200人 13:00–17:00 已去看过"
        clock.advance(3 * 3600 + 31 * 60)
        centre.centre.known.look()
        shown = alert.shown()
    assert (shown["state"], shown["acked_by"], shown["verified_by"]) == ("NEW", None, None)


def test_an_alert_is_not_put_to_an_event_of_another_place_time_or_kind(centre, gathering):
    elsewhere = file_approved(centre, cameras=["xiacun-1.cam2"])
    tomorrow = words(NOW + timedelta(days=1))
    later = file_approved(centre, start=tomorrow, end=words(NOW + timedelta(days=1, hours=3)))
    here = file_approved(centre, start=words(NOW + MINUTE))
    crowd, fire = gathering(), gathering(kind=AlertKind.FLAME, region_id="b")
    with centre.client("duty") as duty:
        for alert in (crowd, fire):
            duty.post(f"/alerts/{alert.id}/ack", json={"device": "pc"})
        for alert, activity_id, status in (
            (crowd, elsewhere, 422),
            (crowd, later, 422),
            (crowd, here, 422),
            (fire, here, 422),
            (crowd, str(uuid4()), 404),
        ):
            answer = duty.post(f"/alerts/{alert.id}/known", json={"activity_id": activity_id})
            assert answer.status_code == status, answer.text
        assert duty.post(f"/alerts/{crowd.id}/known", json={}).status_code == 422
        assert crowd.shown()["state"] == "ACKED"
        plain = duty.post(f"/alerts/{crowd.id}/known", json={"note": "村民会议"}).json()
        assert (plain["state"], plain["activity"]) == ("KNOWN", None)


def test_a_late_alert_is_judged_by_the_time_of_the_alert(centre, gathering, clock):
    file_approved(centre)
    clock.advance(24 * 3600)
    within = gathering(started_at=NOW, at=NOW)
    outside = gathering(started_at=NOW - timedelta(hours=2), at=NOW, region_id="b")
    assert (within.shown()["state"], within.shown()["late"]) == ("KNOWN", True)
    assert outside.shown()["state"] == "NEW"
    within.say(AlertOp.END, 4, at=NOW + 40 * MINUTE, ended_at=NOW + 40 * MINUTE)
    clock.advance(3600)
    assert centre.centre.known.look() == 0
    assert within.shown()["state"] == "KNOWN"


def test_a_late_alert_that_outlasted_its_event_is_to_be_signed(centre, gathering, clock):
    file_approved(centre)
    clock.advance(24 * 3600)
    ended = gathering(started_at=NOW, at=NOW, region_id="a")
    open_still = gathering(started_at=NOW, at=NOW, region_id="b")
    late_end = NOW + timedelta(hours=4)
    ended.say(AlertOp.END, 4, at=late_end, ended_at=late_end)
    assert (ended.shown()["state"], ended.shown()["activity"]["left"]) == ("NEW", "over")
    assert centre.centre.known.look() == 0  # its END may be on the way
    clock.advance(30 * 60 + 1)
    centre.centre.known.look()
    assert open_still.shown()["state"] == "NEW"


def test_a_trial_alert_is_known_and_told_to_nobody(centre, gathering):
    file_approved(centre)
    with centre.client("duty") as duty:
        trial = gathering(mode=AlertMode.TRIAL)
        assert trial.shown()["state"] == "KNOWN"
        assert duty.get("/wall").json()["alerts"] == []


def test_the_database_wants_a_person_or_an_event_behind_every_known_alert(
    centre, gathering, database
):
    file_approved(centre)
    gathering()
    with database.read() as session:
        assert session.scalars(select(Alert)).one().verified_by is None
        assert [broken_at(session, table) for table in LEDGERS] == [None] * len(LEDGERS)
    with pytest.raises(DBAPIError), database.write() as session:
        session.execute(update(Alert).values(activity_id=None))
