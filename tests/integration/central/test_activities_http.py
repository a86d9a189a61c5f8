"""Planned events: filing, changing, approving, cancelling, and who may."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from central.db.models import Activity, ActivityLedger
from central.ledger.book import LEDGERS, broken_at
from tests.support.activities import CAMERA, enter_cameras, file, file_approved, wedding, words
from tests.support.browser import listening
from tests.support.xiacun import GRID, NOW

LI = {
    "id": "li",
    "name": "李秀英",
    "post": "网格信息管理员",
    "phone": "13800000000",
    "has_pin": True,
}
ZHANG = LI | {"id": "zhang", "name": "张建国", "post": "村支书"}


@pytest.fixture(autouse=True)
def cameras(centre):
    enter_cameras(centre)


def test_an_activity_is_filed_approved_by_another_and_shown_whole(centre, clock):
    with centre.client("duty") as duty, centre.client("admin") as admin:
        filed = duty.post("/activities", json=wedding()).json()
        assert (filed["state"], filed["approved_by"]) == ("waiting", None)
        clock.advance(60)
        shown = admin.post(f"/activities/{filed['id']}/approve").json()
    assert shown == {
        "id": filed["id"],
        "title": "王家婚宴",
        "kind": "wedding",
        "state": "on",
        "cameras": [{"uid": CAMERA, "name": "文化广场"}],
        "grids": [],
        "start": "2026-11-22T05:00:00Z",
        "end": "2026-11-22T09:00:00Z",
        "weekly": None,
        "current": {"start": "2026-11-22T05:00:00Z", "end": "2026-11-22T09:00:00Z"},
        "over_at": "2026-11-22T09:00:00Z",
        "expected": 200,
        "contact": "村红白理事会 13800000000",
        "safety": "灭火器2个,留出消防通道",
        "filed_by": ZHANG,
        "filed_at": "2026-11-22T06:00:00Z",
        "terms_by": ZHANG,
        "approved_by": LI,
        "approved_at": "2026-11-22T06:01:00Z",
        "cancelled_at": None,
        "ledger": [
            {
                "at": "2026-11-22T06:00:00Z",
                "action": "file",
                "actor": ZHANG,
                "device": None,
                "from_state": None,
                "to_state": "waiting",
                "note": "婚宴《王家婚宴》 200人 2026-11-22 13:00–17:00 xiacun-1.cam1 "
                "村红白理事会 13800000000",
            },
            {
                "at": "2026-11-22T06:01:00Z",
                "action": "approve",
                "actor": LI,
                "device": None,
                "from_state": None,
                "to_state": "on",
                "note": "",
            },
        ],
    }


def test_nobody_approves_what_he_filed_or_changed_himself(centre, database):
    with centre.client("duty") as duty, centre.client("duty2") as other:
        activity_id = file(duty)
        own = duty.post(f"/activities/{activity_id}/approve")
        assert (own.status_code, own.json()["error"]) == (403, "forbidden")
        changed = wedding(expected=100, note="少请几桌")
        assert other.put(f"/activities/{activity_id}", json=changed).status_code == 200
        assert other.post(f"/activities/{activity_id}/approve").status_code == 403
        assert duty.post(f"/activities/{activity_id}/approve").status_code == 200
        again = other.post(f"/activities/{activity_id}/approve")
        assert (again.status_code, again.json()["error"]) == (409, "conflict")
    with pytest.raises(DBAPIError, match="approved_by_another"), database.write() as session:
        session.execute(update(Activity).values(approved_by="wang"))


def test_a_change_of_number_place_or_time_needs_approval_again_and_one_of_words_does_not(centre):
    activity_id = file_approved(centre)
    with centre.client("duty2") as other:
        path = f"/activities/{activity_id}"
        renamed = other.put(path, json=wedding(title="王李两家婚宴", note="写全")).json()
        assert (renamed["state"], renamed["approved_by"], renamed["terms_by"]) == (
            "on",
            LI,
            ZHANG,
        )
        larger = other.put(path, json=wedding(expected=300, note="加了十桌")).json()
        assert (larger["state"], larger["approved_by"], larger["terms_by"]["id"]) == (
            "waiting",
            None,
            "wang",
        )
        assert other.put(path, json=wedding(expected=300)).status_code == 422  # no reason
        notes = [entry["note"] for entry in larger["ledger"]]
    assert notes[2].startswith("写全;婚宴《王李两家婚宴》 200人")
    assert notes[3].startswith("加了十桌;婚宴《王家婚宴》 300人")


def test_what_is_over_or_cancelled_is_not_changed_any_more(centre, clock):
    activity_id = file_approved(centre)
    with centre.client("duty") as duty:
        path = f"/activities/{activity_id}"
        assert duty.post(f"{path}/cancel", json={"note": " "}).status_code == 422
        cancelled = duty.post(f"{path}/cancel", json={"note": "改期"}).json()
        assert (cancelled["state"], cancelled["over_at"]) == ("cancelled", "2026-11-22T06:00:00Z")
        assert cancelled["ledger"][-1]["note"] == "改期"
        second = file(duty, expected=50)
        clock.advance(4 * 3600)
        for refused in (
            duty.post(f"{path}/cancel", json={"note": "再取消"}),
            duty.put(path, json=wedding(note="恢复")),
            duty.post(f"{path}/approve"),
            duty.put(f"/activities/{second}", json=wedding(note="补")),
        ):
            assert (refused.status_code, refused.json()["error"]) == (409, "conflict")
        missing = f"/activities/{'0' * 8}-0000-0000-0000-{'0' * 12}"
        assert duty.get(missing).status_code == 404
        assert duty.post(f"{missing}/approve").status_code == 404
        past = duty.get("/activities", params={"scope": "past"}).json()
    assert [one["state"] for one in past["items"]] == ["over", "cancelled"]


@pytest.mark.parametrize(
    "change",
    [
        {"end": words(NOW - timedelta(hours=2))},
        {"end": words(NOW + timedelta(days=3))},
        {"start": words(NOW + timedelta(days=400)), "end": words(NOW + timedelta(days=401))},
        {"weekly": {"weekdays": [], "last_day": "2026-12-31"}},
        {"weekly": {"weekdays": [8], "last_day": "2026-12-31"}},
        {"weekly": {"weekdays": [7], "last_day": "2026-11-01"}},
        {"expected": 0},
        {"title": " "},
        {"contact": ""},
        {"kind": "party"},
        {"cameras": []},
        {"cameras": ["xiacun-1.cam9"]},
        {"grids": ["532324001002009"]},
        {"title": "a\x00b"},
        {"start": "9999-12-31T23:59:59-08:00"},
        {"guests": ["张三"]},
    ],
)
def test_what_is_no_activity_is_refused_with_nothing_kept(centre, change):
    with centre.client("duty") as duty:
        answer = duty.post("/activities", json=wedding(**change))
        assert (answer.status_code, answer.json()["error"]) == (422, "invalid"), answer.text
        assert duty.get("/activities").json() == {"items": [], "next": None}


def test_two_at_one_camera_and_time_need_a_word_that_is_kept(centre):
    later = {
        "start": words(NOW + timedelta(hours=2)),
        "end": words(NOW + timedelta(hours=5)),
        "title": "集市",
        "kind": "market",
    }
    with centre.client("duty") as duty:
        file(duty)
        for places in ({}, {"cameras": [], "grids": [GRID]}):
            refused = duty.post("/activities", json=wedding(**later, **places))
            assert (refused.status_code, refused.json()["error"]) == (409, "overlap")
            assert "王家婚宴" in refused.json()["message"]
            assert "重叠" in refused.json()["message_zh"]
        elsewhere = wedding(**later, cameras=["xiacun-1.cam2"])
        assert duty.post("/activities", json=elsewhere).status_code == 201
        kept = duty.post("/activities", json=wedding(**later, overlap="集市在广场东侧"))
        assert kept.status_code == 201
        assert kept.json()["ledger"][0]["note"].endswith("与其他活动重叠:集市在广场东侧")


def test_of_two_filed_at_once_for_one_camera_one_is_refused(centre):
    with centre.client("duty") as duty, centre.client("duty2") as other, ThreadPoolExecutor(2) as p:
        answers = list(p.map(lambda one: one.post("/activities", json=wedding()), (duty, other)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


def test_a_weekly_one_tells_its_next_time(centre, clock):
    terms = {
        "title": "广场舞",
        "kind": "dance",
        "start": "2026-11-22T19:30:00+08:00",
        "end": "2026-11-22T21:00:00+08:00",
        "weekly": {"weekdays": [5, 1, 3], "last_day": "2026-12-31"},
    }
    activity_id = file_approved(centre, **terms)
    with centre.client("duty") as duty:
        first = duty.get(f"/activities/{activity_id}").json()
        assert (first["state"], first["current"]["start"]) == ("planned", "2026-11-23T11:30:00Z")
        assert first["weekly"] == {"weekdays": [1, 3, 5], "last_day": "2026-12-31"}
        assert first["ledger"][0]["note"].startswith(
            "广场舞《广场舞》 200人 每周一三五 19:30–21:00,2026-11-22至2026-12-31"
        )
    clock.advance(30 * 3600)
    with centre.client("duty") as duty:
        assert duty.get(f"/activities/{activity_id}").json()["state"] == "on"


def test_the_wall_knows_what_is_on_and_the_feed_tells_what_changes(centre):
    with centre.client("wall") as wall, centre.client("duty") as duty:
        before = wall.get("/wall").json()
        assert before["activities"] == []
        with listening(wall, before["cursor"]) as stream:
            activity_id = file(duty)
            event = stream.next()
            assert (event.event, event.data["id"], event.data["state"]) == (
                "activity",
                activity_id,
                "waiting",
            )
        assert wall.get("/wall").json()["activities"] == []  # nobody has approved it
        with centre.client("admin") as admin:
            admin.post(f"/activities/{activity_id}/approve")
        (shown,) = wall.get("/wall").json()["activities"]
        assert (shown["id"], shown["state"]) == (activity_id, "on")


def test_the_wall_alone_files_nothing_whoever_stands_there(centre):
    with centre.client("wall", pin="2222") as wall:
        assert wall.post("/activities", json=wedding()).status_code == 403
        assert wall.get("/activities").status_code == 200


def test_past_ones_are_paged_from_the_newest(centre):
    starts = [NOW - timedelta(days=day) for day in range(1, 6)]
    with centre.client("duty") as duty:
        ids = [
            file(duty, start=words(start), end=words(start + timedelta(hours=2)))
            for start in starts
        ]
        seen, before = [], None
        while before is not None or not seen:
            params = {"scope": "past", "limit": 2, **({"before": before} if before else {})}
            page = duty.get("/activities", params=params).json()
            seen += [one["id"] for one in page["items"]]
            before = page["next"]
    assert seen == ids


def test_its_history_can_not_be_changed_and_is_chained(centre, database):
    file_approved(centre)
    with database.read() as session:
        assert [broken_at(session, table) for table in LEDGERS] == [None] * len(LEDGERS)
    for change in (update(ActivityLedger).values(note=""), delete(ActivityLedger)):
        with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
            session.execute(change)
