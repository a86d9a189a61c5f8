"""From 误报 to the ZIP that training reads, on both databases."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import DBAPIError

from bench.footage import pictures_in, read_truth
from central.codes import ExampleAct
from central.db.models import Example, ExampleDue, ExampleEntry
from central.errors import StoreUnavailableError
from central.examples import shelf
from models.evaluation.labelled import negatives
from protocol.messages import AlertKind, AlertMode
from tests.support.jpeg import jpeg, with_segment
from tests.support.web_centre import WebCentre, enter_accounts, running_centre
from tests.support.xiacun import (
    BOX,
    BOX_TOKEN,
    NOW,
    alert_data,
    alert_message,
    enter_village,
    received,
)

LIMITS = {"keep_days": 30, "max_pictures": 3, "max_mb": 1}


@pytest.fixture
def keeping(database, clock, tmp_path) -> Iterator[WebCentre]:
    """A centre whose village chose to keep examples."""
    enter_village(database)
    enter_accounts(database)
    examples = {"keep": True, **LIMITS}
    with running_centre(database, clock, tmp_path, examples) as running:
        yield running


class Staff:
    """An alert comes, and staff call it false; each in its own words."""

    def __init__(self, centre: WebCentre) -> None:
        self._centre, self._sequence = centre, 0

    def alert(self, **changes: object) -> UUID:
        self._sequence += 1
        new = uuid4()
        data = alert_data(new, model="person 1.0", **changes)
        self._centre.take(received(alert_message(data, self._sequence)))
        return new

    def reject(self, alert_id: UUID, reason: str = "headlights", note: str = "") -> None:
        with self._centre.client("duty") as duty:
            assert duty.post(f"/alerts/{alert_id}/ack", json={"device": "pc"}).status_code == 200
            said = {"reason": reason, "note": note}
            assert duty.post(f"/alerts/{alert_id}/false", json=said).status_code == 200

    def send(self, alert_id: UUID, body: bytes, kind: str = "snapshot") -> None:
        headers = {
            "authorization": f"Bearer {BOX_TOKEN}",
            "x-content-sha256": hashlib.sha256(body).hexdigest(),
            "x-evidence-start": "2026-11-22T06:00:00Z",
            "x-evidence-end": "2026-11-22T06:00:00Z",
        }
        url = f"{self._centre.url}/api/v1/boxes/{BOX}/evidence/{alert_id}/{kind}"
        assert httpx.put(url, content=body, headers=headers, timeout=30).status_code == 201

    def false_alarm(self, seed: int = 0, reason: str = "headlights", **changes: object) -> UUID:
        alert_id = self.alert(**changes)
        self.send(alert_id, jpeg(seed))
        self.reject(alert_id, reason, "看错了" if reason == "other" else "")
        self._centre.centre.keeper.look()
        return alert_id


@pytest.fixture
def staff(keeping) -> Staff:
    return Staff(keeping)


def summary(centre: WebCentre) -> dict:
    with centre.client("admin") as admin:
        return admin.get("/examples/summary").json()


def items(centre: WebCentre) -> list[dict]:
    with centre.client("admin") as admin:
        return admin.get("/examples").json()["items"]


def files(centre: WebCentre) -> list[str]:
    return sorted(path.name for path in centre.centre.examples.folder.glob("*"))


def taken_away(centre: WebCentre, reason: str = "下次训练") -> zipfile.ZipFile:
    with centre.client("admin") as admin:
        answer = admin.get("/examples/archive.zip", params={"reason": reason})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    return zipfile.ZipFile(io.BytesIO(answer.content))


def test_without_the_choice_nothing_is_kept(centre, database):
    staff = Staff(centre)
    staff.false_alarm()
    assert (summary(centre)["keeps"], summary(centre)["pictures"]) == (False, 0)
    assert files(centre) == []
    with database.read() as session:
        assert session.scalars(select(ExampleDue)).all() == []


def test_a_false_alarm_is_kept_as_a_picture_with_its_label(keeping, staff):
    staff.false_alarm(seed=7)
    (shown,) = items(keeping)
    camera = shown.pop("camera")
    assert len(camera) == 8
    assert {key: shown[key] for key in shown if key != "id"} == {
        "kind": "gathering",
        "reason": "headlights",
        "model": "person 1.0",
        "day": "2026-11-22",
        "size_bytes": shown["size_bytes"],
    }
    with keeping.client("admin") as admin:
        answer = admin.get(f"/examples/{shown['id']}/picture")
    assert (answer.content, answer.headers["content-type"]) == (jpeg(7), "image/jpeg")


def test_a_picture_that_comes_after_the_press_is_kept_then(keeping, staff):
    late = staff.alert()
    staff.reject(late)
    keeping.centre.keeper.look()
    assert (summary(keeping)["pictures"], summary(keeping)["waiting"]) == (0, 1)
    staff.send(late, jpeg())
    keeping.centre.keeper.look()
    assert (summary(keeping)["pictures"], summary(keeping)["waiting"]) == (1, 0)


def test_the_same_press_is_kept_once(keeping, staff):
    staff.false_alarm()
    for _ in range(3):
        keeping.centre.keeper.look()
    assert len(items(keeping)) == len(files(keeping)) == 1


def test_several_replicas_that_look_at_once_keep_one_picture(keeping, staff):
    alert_id = staff.alert()
    staff.send(alert_id, jpeg())
    staff.reject(alert_id)
    with ThreadPoolExecutor(4) as pool:  # each makes a file, one enters it
        for done in [pool.submit(keeping.centre.keeper.look) for _ in range(4)]:
            done.result()
    assert len(items(keeping)) == len(files(keeping)) == 1


def test_a_clip_is_never_kept(keeping, staff):
    alert_id = staff.alert()
    staff.send(alert_id, b"mp4 " * 100, "clip")
    staff.reject(alert_id)
    keeping.centre.keeper.look()
    assert (files(keeping), summary(keeping)["waiting"]) == ([], 1)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"kind": AlertKind.FLAME}, 1),
        ({"kind": AlertKind.SMOKE}, 1),
        ({"mode": AlertMode.TRIAL}, 1),
        ({"mode": AlertMode.DRILL}, 0),
        ({"kind": AlertKind.LENS_COVERED}, 0),
        ({"kind": AlertKind.CAMERA_LOST}, 0),
    ],
)
def test_only_what_a_model_found_is_kept(keeping, staff, changes, kept):
    staff.false_alarm(**changes)
    assert summary(keeping)["pictures"] == kept


def test_true_and_known_alerts_are_not_kept(keeping, staff):
    with keeping.client("duty") as duty:
        for act, said in (("confirm", {}), ("known", {"note": "村里办酒席"})):
            alert_id = staff.alert()
            staff.send(alert_id, jpeg())
            duty.post(f"/alerts/{alert_id}/ack", json={"device": "pc"})
            assert duty.post(f"/alerts/{alert_id}/{act}", json=said).status_code == 200
    keeping.centre.keeper.look()
    assert (files(keeping), summary(keeping)["waiting"]) == ([], 0)


def test_nothing_in_or_beside_the_picture_says_who_where_or_at_what_hour(keeping, staff, database):
    """examples I1, I2, I3: the frame, and of its label no more than six words."""
    told = {
        "文化广场",
        "xiacun",
        "下村",
        "cam1",
        "张建国",
        "zhang",
        "李秀英",
        "王大爷",
        "06:00",
        "14:00",
    }
    alert_id = staff.alert()
    exif = b"Exif\0\0 2026:11:22 14:00:00 N25.1 E101.2 " + "文化广场 王大爷".encode()
    staff.send(alert_id, with_segment(jpeg(), 0xE1, exif))
    staff.reject(alert_id, "other", "王大爷路过")
    keeping.centre.keeper.look()
    made = taken_away(keeping)
    for name in made.namelist():
        content = name.encode() + made.read(name)
        assert [word for word in (*told, str(alert_id)) if word.encode() in content] == []
        assert made.getinfo(name).date_time == (1980, 1, 1, 0, 0, 0)
    (said,) = json.loads(made.read("examples.json"))["pictures"]
    assert set(said) == {"file", "kind", "reason", "model", "camera", "day"}
    (on_disk,) = keeping.centre.examples.folder.glob("*")
    assert on_disk.read_bytes() == jpeg()
    with database.read() as session:
        columns = {column.name for column in inspect(Example).columns}
        assert session.scalars(select(ExampleDue)).all() == []
    assert columns == {"id", "kind", "reason", "model", "camera", "day", "path", "size_bytes"}


def test_the_archive_is_read_as_negatives_by_evaluation_and_training(keeping, staff, tmp_path):
    staff.false_alarm(1, "headlights", kind=AlertKind.FLAME)
    staff.false_alarm(2, "permitted_burning", kind=AlertKind.SMOKE)  # it does burn there
    staff.false_alarm(3, "miscount")
    taken_away(keeping).extractall(tmp_path / "taken")
    folder = tmp_path / "taken"
    lost: list[str] = []
    judged = pictures_in(folder, read_truth(folder / "fire.toml").pictures, lost)
    assert lost == []
    taught = negatives(folder)
    camera = items(keeping)[0]["camera"]
    assert [each.path.stem for each in judged] == [f"{camera}-000001", f"{camera}-000003"]
    assert [each.path for each in taught] == [each.path for each in judged]
    assert [each.marks for each in taught] == [(), ()]
    assert {each.clip for each in taught} == {f"example-{camera}"}
    assert [path.stem for path in (folder / "unlabelled").iterdir()] == [f"{camera}-000002"]


def test_who_takes_them_away_and_what_for_is_in_the_record_before_the_first_byte(
    keeping, staff, database
):
    staff.false_alarm()
    taken_away(keeping, " 市里训练模型 ")
    (entry, *_) = summary(keeping)["entries"]
    assert (entry["act"], entry["pictures"], entry["reason"]) == ("exported", 1, "市里训练模型")
    assert entry["person"]["name"] == "李秀英"
    for statement in ("update example_entry set pictures = 0", "delete from example_entry"):
        with pytest.raises(DBAPIError), database.write() as session:
            session.execute(text(statement))


@pytest.mark.parametrize("reason", ["", "  ", "\0", "x" * 201])
def test_nothing_is_taken_away_without_saying_what_for(keeping, staff, database, reason):
    staff.false_alarm()
    with keeping.client("admin") as admin:
        answer = admin.get("/examples/archive.zip", params={"reason": reason})
    assert answer.status_code == 422
    with database.read() as session:
        assert session.scalars(select(ExampleEntry)).all() == []


def test_an_administrator_deletes_one_and_all_and_it_stays_deleted(keeping, staff):
    for seed in range(3):
        staff.false_alarm(seed)
    first = items(keeping)[0]["id"]
    with keeping.client("admin") as admin:
        assert admin.delete(f"/examples/{first}").status_code == 204
        assert admin.delete(f"/examples/{first}").status_code == 404
        assert admin.get(f"/examples/{first}/picture").status_code == 404
        keeping.centre.keeper.look()
        assert len(files(keeping)) == 2
        assert admin.delete("/examples").json() == {"pictures": 2}
    keeping.centre.keeper.look()
    assert (files(keeping), items(keeping)) == ([], [])
    assert summary(keeping)["gone"]["deleted"] == 3


def test_beyond_the_limit_the_oldest_goes_and_is_counted(keeping, staff):
    for seed in range(5):
        staff.false_alarm(seed)
    assert [item["id"] for item in items(keeping)] == [5, 4, 3]
    assert len(files(keeping)) == 3
    assert summary(keeping)["gone"]["dropped"] == 2


def test_what_is_too_old_goes_and_is_counted(keeping, staff, clock):
    staff.false_alarm()
    clock.advance(timedelta(days=31).total_seconds())
    keeping.centre.keeper.look()
    assert (files(keeping), summary(keeping)["gone"]["expired"]) == ([], 1)


def test_a_picture_that_never_comes_is_waited_for_as_long_as_one_would_be_kept(
    keeping, staff, clock
):
    staff.reject(staff.alert())
    clock.advance(timedelta(days=29).total_seconds())
    keeping.centre.keeper.look()
    assert summary(keeping)["waiting"] == 1
    clock.advance(timedelta(days=2).total_seconds())
    keeping.centre.keeper.look()
    assert summary(keeping)["waiting"] == 0


@pytest.mark.parametrize("body", [b"no picture", jpeg()[:-40]])
def test_what_is_no_whole_picture_is_not_kept_but_counted(keeping, staff, body):
    alert_id = staff.alert()
    staff.send(alert_id, body)
    staff.reject(alert_id)
    keeping.centre.keeper.look()
    shown = summary(keeping)
    assert (shown["waiting"], shown["pictures"], shown["gone"]["refused"]) == (0, 0, 1)
    assert files(keeping) == []


def test_a_nearly_full_disk_keeps_nobody_from_pressing_and_it_is_kept_later(
    keeping, staff, monkeypatch
):
    alert_id = staff.alert()
    staff.send(alert_id, jpeg())
    monkeypatch.setattr(shelf, "FREE_FLOOR_BYTES", 10**18)
    staff.reject(alert_id)
    with pytest.raises(StoreUnavailableError):
        keeping.centre.keeper.look()
    assert (files(keeping), summary(keeping)["waiting"]) == ([], 1)
    monkeypatch.undo()
    keeping.centre.keeper.look()
    assert summary(keeping)["pictures"] == 1


def test_a_file_that_no_row_vouches_for_goes_with_the_second_sweep(keeping, staff):
    staff.false_alarm()
    examples = keeping.centre.examples
    (examples.folder / "left-by-a-crash.jpg").write_bytes(jpeg())
    (examples.folder / "half-written.jpg.part").write_bytes(b"")
    assert [examples.sweep() for _ in range(3)] == [0, 2, 0]
    assert len(files(keeping)) == 1


def test_turned_off_again_nothing_more_is_kept_and_what_there_is_stays(database, clock, tmp_path):
    enter_village(database)
    enter_accounts(database)
    with running_centre(database, clock, tmp_path, {"keep": True}) as centre:
        staff = Staff(centre)
        staff.false_alarm()
        waiting = staff.alert()
        staff.reject(waiting)
    clock.advance(1)
    with running_centre(database, clock, tmp_path) as centre:
        Staff(centre).send(waiting, jpeg())
        centre.centre.keeper.look()
        shown = summary(centre)
    assert (shown["keeps"], shown["pictures"], shown["waiting"]) == (False, 1, 0)


def test_pages_go_on_where_the_one_before_ended(keeping, staff):
    for seed in range(3):
        staff.false_alarm(seed)
    with keeping.client("admin") as admin:
        first = admin.get("/examples", params={"limit": 2}).json()
        second = admin.get("/examples", params={"limit": 2, "before": first["next"]}).json()
    assert [item["id"] for item in first["items"] + second["items"]] == [3, 2, 1]
    assert second["next"] is None


def test_the_summary_counts_by_kind_and_reason(keeping, staff):
    for seed, reason in enumerate(("fog", "fog", "ritual_burning")):
        staff.false_alarm(seed, reason, kind=AlertKind.SMOKE, started_at=NOW - timedelta(days=1))
    shown = summary(keeping)
    assert shown["counts"] == [
        {"kind": "smoke", "reason": "fog", "pictures": 2, "negative": True},
        {"kind": "smoke", "reason": "ritual_burning", "pictures": 1, "negative": False},
    ]
    assert (shown["cameras"], shown["keep_days"], shown["max_bytes"]) == (1, 30, 1_000_000)
    assert set(shown["gone"]) == {act.value for act in ExampleAct}
