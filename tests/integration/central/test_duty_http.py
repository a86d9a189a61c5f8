from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from central.codes import BoxState, FeedKind
from central.db.models import Box, FeedRow, Quarantine, Session, Viewing
from central.ports import Received
from tests.support.waiting import wait_until
from tests.support.xiacun import (
    NOW,
    alert_data,
    alert_message,
    birth,
    camera_state,
    heartbeat,
    received,
)

DAY = {"from": "2026-11-30", "to": "2026-11-30"}


def shift(name="白班", start="2026-11-30T08:00:00+08:00", end="2026-11-30T17:30:00+08:00", **more):
    people = [{"person_id": "zhang", "post": "lead"}, {"person_id": "wang", "post": "standby"}]
    return {"name": name, "start": start, "end": end, "people": people, **more}


def test_who_is_on_duty_now_and_then(centre):
    with centre.client("wall") as wall:
        now = wall.get("/duty").json()
        assert (now["shift"]["name"], [one["person"]["name"] for one in now["people"]]) == (
            "24小时班",
            ["张建国", "李秀英"],
        )
        later = wall.get("/duty", params={"at": "2026-12-01T00:00:00Z"}).json()
        assert later["shift"]["held_over"] is True  # nobody relieved them
        before = wall.get("/duty", params={"at": "2020-01-01T00:00:00Z"}).json()
        assert before == {"shift": None, "people": []}


def test_the_roster_is_replaced_day_by_day(centre):
    with centre.client("admin") as admin:
        first = admin.put("/duty/roster", json={**DAY, "shifts": [shift(), shift("夜班")]})
        assert [one["name"] for one in first.json()["shifts"]] == ["白班", "夜班"]
        admin.put("/duty/roster", json={**DAY, "shifts": [shift("24小时班")]})
        shifts = admin.get("/duty/roster", params=DAY).json()["shifts"]
        assert [(one["name"], one["start"]) for one in shifts] == [
            ("24小时班", "2026-11-30T00:00:00Z")
        ]
        assert [one["post"] for one in shifts[0]["people"]] == ["lead", "standby"]
        today = admin.get("/duty/roster", params={"from": "2026-11-22", "to": "2026-11-22"})
        assert len(today.json()["shifts"]) == 1  # other days are as they were


@pytest.mark.parametrize("names", [["甲", "乙"], ["甲", "甲"]])
def test_of_rosters_that_are_put_at_once_one_is_left_whole(centre, names):
    """On PostgreSQL both once took away what had been there, and both added theirs."""
    bodies = [
        {**DAY, "shifts": [shift(f"{name}{number}", people=[]) for number in range(5)]}
        for name in names * 3
    ]
    with centre.client("admin") as admin, ThreadPoolExecutor(len(bodies)) as pool:
        for _ in range(3):
            answers = pool.map(lambda body: admin.put("/duty/roster", json=body), bodies)
            assert {answer.status_code for answer in answers} == {200}
            left = [one["name"] for one in admin.get("/duty/roster", params=DAY).json()["shifts"]]
            assert left in [[one["name"] for one in body["shifts"]] for body in bodies]


@pytest.mark.parametrize(
    "body",
    [
        {**DAY, "shifts": [shift(start="2026-12-01T08:00:00+08:00", end="2026-12-01T09:00:00Z")]},
        {**DAY, "shifts": [shift(end="2026-11-30T07:00:00+08:00")]},  # ends before its start
        {**DAY, "shifts": [shift(people=[{"person_id": "nobody", "post": "lead"}])]},
        {**DAY, "shifts": [shift(people=[{"person_id": "li", "post": "lead"}] * 2)]},
        {**DAY, "shifts": [shift(), shift()]},  # two of one name begin at once
        {"from": "2026-11-30", "to": "2026-11-29", "shifts": []},
        {"from": "2026-11-30", "to": "2030-11-29", "shifts": []},
    ],
)
def test_a_roster_that_makes_no_sense_is_refused(centre, body):
    with centre.client("admin") as admin:
        assert admin.put("/duty/roster", json=body).status_code == 422


def test_an_alert_keeps_who_was_on_duty_when_people_and_roster_change(centre, database):
    alert_id = uuid4()
    centre.take(received(alert_message(alert_data(alert_id), 1)))
    with database.write() as session:
        session.execute(text("update person set name = '改名' where id = 'li'"))
        session.execute(text("delete from shift_assignment"))
    with centre.client("duty") as duty:
        on_duty = duty.get(f"/alerts/{alert_id}").json()["on_duty"]
        people = duty.get("/people").json()
    assert [one["person"]["name"] for one in on_duty] == ["张建国", "李秀英"]
    assert {one["name"] for one in people} == {"张建国", "改名", "王强"}


def test_sites_and_codes_are_told(centre):
    centre.take(received(birth(camera_state())))
    with centre.client("wall") as wall:
        sites, codes = wall.get("/sites").json(), wall.get("/codes").json()
    assert (sites["regions"], sites["grids"]) == (
        [{"code": "532324001002", "name": "下村"}],
        [{"code": "532324001002001", "name": "第一网格"}],
    )
    assert [one["uid"] for one in sites["cameras"]] == ["xiacun-1.cam1"]
    assert set(codes) == {
        "kinds",
        "levels",
        "modes",
        "alert_states",
        "false_reasons",
        "categories",
        "incident_states",
        "posts",
        "gap_reasons",
        "activity_kinds",
        "activity_states",
    }
    assert codes["alert_states"][0] == {"code": "NEW", "zh": "待签收", "en": "to be signed"}


def feed_kinds(database) -> list[tuple[FeedKind, str]]:
    with database.read() as session:
        rows = session.execute(select(FeedRow.kind, FeedRow.ref).order_by(FeedRow.id))
        return [tuple(row) for row in rows]


def test_a_box_that_falls_silent_is_late_then_lost_with_its_cameras(centre, database, clock):
    watch = centre.centre.watch
    watch.close()  # the test looks itself
    centre.take(received(birth(camera_state())), received(heartbeat(camera_state())))
    told = len(feed_kinds(database))
    clock.advance(91)
    watch.look()
    watch.look()  # says nothing twice
    assert feed_kinds(database)[told:] == [(FeedKind.BOX, "xiacun-1")]
    clock.advance(90)
    watch.look()
    assert feed_kinds(database)[told + 1 :] == [
        (FeedKind.BOX, "xiacun-1"),
        (FeedKind.CAMERA, "xiacun-1.cam1"),
    ]
    with database.read() as session:
        assert session.scalars(select(Box.state)).one() is BoxState.LOST
    with centre.client("wall") as wall:
        (camera,) = wall.get("/wall").json()["cameras"]
    assert camera["state"] == "unknown"


def test_a_shift_that_ends_is_told_and_old_rows_go(centre, database, clock):
    watch = centre.centre.watch
    watch.close()
    watch.look()
    told = len(feed_kinds(database))
    with centre.client("duty"):
        clock.advance(12 * 3600 + 1)
        watch.look()
        assert feed_kinds(database)[told:] == [(FeedKind.DUTY, "532324001002")]
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(Session)) == 0
        clock.advance(24 * 3600 + 1)
        watch.look()
        assert feed_kinds(database) == []


def test_the_watch_prunes_the_quarantine(centre, database, clock):
    centre.take(Received("x", b"y", clock.now()))
    watch = centre.centre.watch
    watch.look()
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Quarantine)) == 1
    clock.advance(120 * 86_400)
    watch.look()

    def is_gone():
        with database.read() as session:
            return session.scalar(select(func.count()).select_from(Quarantine)) == 0

    wait_until(is_gone)  # the watch's own thread may have begun to look first


def test_who_asks_for_recorded_video_is_entered_before_it_goes_out(centre, database):
    with centre.client("duty") as duty:
        base = "/boxes/xiacun-1/edge/v1"
        query = {"from": "2026-11-22T05:00:00Z", "to": "2026-11-22T05:10:00Z", "reason": "核查"}
        # the box is not connected: the wish is entered all the same
        for path in ("cameras/cam1/playlist.m3u8", "cameras/cam1/clip.mp4"):
            assert duty.get(f"{base}/{path}", params=query).status_code == 503
        # the parts of a playlist that was entered are not entered again
        for path in ("segments/7.mp4", "cameras/cam1/timeline", "health"):
            assert duty.get(f"{base}/{path}").status_code == 503
        bad = duty.get(f"{base}/cameras/cam1/clip.mp4", params={"from": "yesterday"})
        assert bad.status_code == 422
    with database.read() as session:
        rows = session.scalars(select(Viewing).order_by(Viewing.id)).all()
    assert [
        (row.username, row.person_id, row.camera_id, row.what, row.start, row.reason)
        for row in rows
    ] == [
        ("duty", "zhang", "cam1", what, NOW - timedelta(hours=1), "核查")
        for what in ("playlist", "clip")
    ]


def test_recorded_files_that_no_playlist_was_asked_for_are_entered_once_an_hour(
    centre, database, clock
):
    base = "/boxes/xiacun-1/edge/v1"

    def entered() -> list[tuple[str, str, str]]:
        with database.read() as session:
            rows = session.scalars(select(Viewing).order_by(Viewing.id)).all()
        return [(row.username, row.box_id, row.what) for row in rows]

    with centre.client("duty") as duty, centre.client("admin") as admin:
        for number in range(1, 4):  # counted through, without a playlist
            assert duty.get(f"{base}/segments/{number}.mp4").status_code == 503
        assert entered() == [("duty", "xiacun-1", "segment")]
        # what somebody else, or what was asked of another box, covers nothing
        admin.get(f"{base}/cameras/cam1/playlist.m3u8")
        duty.get("/boxes/xiacun-2/edge/v1/segments/1.mp4")
        assert entered()[1:] == [
            ("admin", "xiacun-1", "playlist"),
            ("duty", "xiacun-2", "segment"),
        ]
        told = len(entered())
        admin.get(f"{base}/segments/1.mp4")
        assert len(entered()) == told
        clock.advance(3601)
        duty.get(f"{base}/segments/4.mp4")
        assert entered()[told:] == [("duty", "xiacun-1", "segment")]


def test_a_playlist_covers_its_parts_for_a_sitting_and_no_longer(centre, database, clock):
    base = "/boxes/xiacun-1/edge/v1"
    with centre.client("duty") as duty:
        duty.get(f"{base}/cameras/cam1/playlist.m3u8")
        for hours in (3, 2):
            clock.advance(hours * 3600)
            duty.get(f"{base}/segments/7.mp4")
    with database.read() as session:
        words = session.scalars(select(Viewing.what).order_by(Viewing.id)).all()
    assert words == ["playlist", "segment"]


def test_a_clip_covers_no_recorded_file_but_itself(centre, database):
    base = "/boxes/xiacun-1/edge/v1"
    with centre.client("duty") as duty:
        duty.get(f"{base}/cameras/cam1/clip.mp4")
        duty.get(f"{base}/segments/7.mp4")
    with database.read() as session:
        words = session.scalars(select(Viewing.what).order_by(Viewing.id)).all()
    assert words == ["clip", "segment"]


def test_many_files_asked_for_at_once_are_one_entry(centre, database):
    with centre.client("duty") as duty, ThreadPoolExecutor(6) as pool:
        base = "/boxes/xiacun-1/edge/v1"
        paths = [f"{base}/segments/{number}.mp4" for number in range(12)]
        assert {answer.status_code for answer in pool.map(duty.get, paths)} == {503}
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Viewing)) == 1


def test_previews_are_entered_with_camera_and_time_and_cover_what_is_around_them(
    centre, database, clock
):
    base = "/boxes/xiacun-1/edge/v1/cameras"

    def entered() -> list[tuple[str, str, timedelta, timedelta]]:
        with database.read() as session:
            rows = session.scalars(select(Viewing).order_by(Viewing.id)).all()
        return [(row.what, row.camera_id, row.start - NOW, row.end - NOW) for row in rows]

    hour, none = timedelta(hours=1), timedelta()
    with centre.client("duty") as duty:

        def at(hours: float, camera: str = "cam1") -> None:
            moment = (NOW + hours * hour).isoformat()
            assert (
                duty.get(f"{base}/{camera}/preview.jpg", params={"at": moment}).status_code == 503
            )

        def sheet(start: float, end: float) -> None:
            params = {
                "from": (NOW + start * hour).isoformat(),
                "to": (NOW + end * hour).isoformat(),
                "at": (NOW - 10 * hour).isoformat(),  # the box doesn't read it, nor may we
            }
            assert duty.get(f"{base}/cam1/previews", params=params).status_code == 503

        at(-10)
        for hours in (-10.4, -9.6):
            at(hours)
        assert entered() == [("preview", "cam1", -10 * hour, -10 * hour)]
        at(-9)  # another time
        at(-9, "cam2")  # another camera
        assert entered()[1:] == [
            ("preview", "cam1", -9 * hour, -9 * hour),
            ("preview", "cam2", -9 * hour, -9 * hour),
        ]
        sheet(-24, 0)
        told = len(entered())
        assert entered()[-1] == ("preview", "cam1", -24 * hour, none)
        for hours in (-23, -12, -0.1):
            at(hours)
        sheet(-12, -6)
        assert len(entered()) == told
        clock.advance(3601)
        sheet(-12, -6)
        assert entered()[told:] == [("preview", "cam1", -12 * hour, -6 * hour)]
        assert duty.get(f"{base}/cam1/preview.jpg", params={"at": "noon"}).status_code == 422


def test_a_playlist_covers_the_previews_of_its_stretch_and_a_preview_no_file(centre, database):
    base = "/boxes/xiacun-1/edge/v1"
    stretch = {"from": "2026-11-22T04:00:00Z", "to": "2026-11-22T04:30:00Z"}
    with centre.client("duty") as duty:
        duty.get(f"{base}/cameras/cam1/preview.jpg", params={"at": "2026-11-22T04:10:00Z"})
        duty.get(f"{base}/segments/7.mp4")
        duty.get(f"{base}/cameras/cam1/playlist.m3u8", params=stretch)
        duty.get(f"{base}/cameras/cam1/preview.jpg", params={"at": "2026-11-22T04:50:00Z"})
        duty.get(f"{base}/cameras/cam1/preview.jpg", params={"at": "2026-11-22T06:00:00Z"})
    with database.read() as session:
        words = session.scalars(select(Viewing.what).order_by(Viewing.id)).all()
    assert words == ["preview", "segment", "playlist", "preview"]


def test_a_wall_has_no_previews(centre, database):
    with centre.client("wall") as wall:
        path = "/boxes/xiacun-1/edge/v1/cameras/cam1/preview.jpg"
        assert wall.get(path, params={"at": "2026-11-22T04:10:00Z"}).status_code == 403
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Viewing)) == 0


EXPORT = {
    "camera_id": "cam1",
    "start": "2026-11-22T04:00:00Z",
    "end": "2026-11-22T05:00:00Z",
    "kind": "copy",
    "reason": "事件处置",
}


def test_an_export_is_entered_with_its_reason_before_the_box_is_asked(centre, database):
    with centre.client("duty") as duty:
        assert duty.post("/boxes/xiacun-1/edge/v1/exports", json=EXPORT).status_code == 503
    with database.read() as session:
        (row,) = session.scalars(select(Viewing)).all()
    assert (row.what, row.camera_id, row.reason) == ("export", "cam1", "事件处置")
    assert row.end - row.start == timedelta(hours=1)
    assert (row.username, row.person_id) == ("duty", "zhang")


@pytest.mark.parametrize(
    "changes", [{"reason": " "}, {"reason": None}, {"start": "noon"}, {"camera_id": "../x"}]
)
def test_an_export_that_the_register_can_not_enter_does_not_reach_the_box(
    centre, database, changes
):
    with centre.client("duty") as duty:
        asked = duty.post("/boxes/xiacun-1/edge/v1/exports", json=EXPORT | changes)
        assert asked.status_code == 422
    with database.read() as session:
        assert session.scalars(select(Viewing)).all() == []


def test_an_export_of_a_wall_is_neither_entered_nor_asked_for(centre, database):
    with centre.client("wall", pin="1111") as wall:
        assert wall.post("/boxes/xiacun-1/edge/v1/exports", json=EXPORT).status_code == 403
    with database.read() as session:
        assert session.scalars(select(Viewing)).all() == []


def test_each_result_of_an_export_is_entered_once_an_hour_and_its_hashes_are_not(
    centre, database, clock
):
    base = "/boxes/xiacun-1/edge/v1/exports"
    with centre.client("duty") as duty:
        for path in (
            "",
            "/0a",
            "/0a/manifest.json",
            "/0a/SHA256SUMS",
            "/0a/all.zip",
            "/0a/all.zip",
            "/0a/cam1_1.mp4",
            "/0b/all.zip",
        ):
            assert duty.get(base + path).status_code == 503
        clock.advance(3601)
        duty.get(f"{base}/0a/all.zip")
    with database.read() as session:
        rows = session.scalars(select(Viewing).order_by(Viewing.id)).all()
    assert {row.what for row in rows} == {"exported"}
    expected = ["0a/all.zip", "0a/cam1_1.mp4", "0b/all.zip", "0a/all.zip"]
    assert [row.reason for row in rows] == expected
