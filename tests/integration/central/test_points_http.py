"""Points: what is written of a camera, who signs for it, and what it may then do."""

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from central.db.models import PointLedger
from central.ledger.book import broken_at
from central.points.picture import MAX_BYTES
from tests.support.jpeg import jpeg, with_segment
from tests.support.points import CAMERA, CLEAR, OTHER, go, hang_sign, register, take_in_use, terms
from tests.support.xiacun import birth, camera_state, received

MONTH_S = 30 * 86_400


@pytest.fixture(autouse=True)
def cameras(centre):
    told = camera_state(retention_days=90, legal_basis="art7_2")
    centre.take(received(birth(told, camera_state("cam2", name="村口", place=""))))


def of(client, uid=CAMERA):
    answer = client.get(f"/points/{uid}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_camera_without_a_file_is_listed_as_such_with_all_that_lacks(centre):
    with centre.client("duty") as duty:
        square, gate = duty.get("/points").json()
        due = duty.get("/points/due").json()
    assert (square["uid"], square["name"], square["state"]) == (CAMERA, "文化广场", "unregistered")
    assert (square["retention_days"], square["box_legal_basis"]) == (90, "art7_2")
    assert (gate["uid"], gate["retention_days"], gate["known"]) == (OTHER, None, True)
    assert "checklist" in square["lacks"]
    assert due == {
        "filing": "not_filed",
        "filing_days_left": None,
        "unregistered": 2,
        "trials_long": 0,
        "signs_due": 0,
    }


def test_a_point_is_registered_signed_photographed_and_taken_in_use(centre, clock):
    with centre.client("admin") as admin:
        register(admin)
        clock.advance(60)
        hang_sign(admin)
        assert go(admin, "in_use").status_code == 200
        shown = of(admin)
    assert (shown["state"], shown["lacks"], shown["manager_unit"]) == (
        "in_use",
        [],
        "下村村民委员会",
    )
    assert shown["checklist"]["clear"]
    assert shown["checklist"]["by"]["name"] == "李秀英"
    assert shown["sign"]["whole"]
    assert [entry["action"] for entry in shown["ledger"]] == ["make", "sign", "photo", "state"]
    assert [entry["actor"]["name"] for entry in shown["ledger"]] == ["李秀英"] * 4
    assert shown["ledger"][0]["note"].startswith("广场;第七条第一款")


def test_a_point_may_be_made_before_its_camera_was_heard_of(centre):
    with centre.client("admin") as admin:
        register(admin, "xiacun-1.cam9")
        shown = of(admin, "xiacun-1.cam9")
        assert (shown["known"], shown["present"], shown["name"]) == (False, False, "")
        centre.take(received(birth(camera_state("cam9", name="水库"))))
        shown = of(admin, "xiacun-1.cam9")
    assert (shown["known"], shown["present"], shown["name"]) == (True, True, "水库")


@pytest.mark.parametrize("uid", ["xiacun-1", "xiacun-1.", "Xiacun-1.cam1", "xiacun-1.cam1.x"])
def test_a_uid_is_a_box_and_a_camera(centre, uid):
    with centre.client("admin") as admin:
        assert admin.put(f"/points/{uid}", json=terms()).status_code == 422


def test_nothing_goes_into_use_without_its_papers_and_the_answer_names_them(centre):
    with centre.client("admin") as admin:
        admin.put(f"/points/{CAMERA}", json=terms(installed_on=None))
        answer = go(admin, "in_use")
        assert answer.status_code == 422
        assert answer.json()["message"].endswith("checklist, installed_on, sign_photo")
        assert go(admin, "trial").json()["message"].endswith("needs: checklist")
        assert of(admin)["state"] == "draft"


def test_what_a_point_in_use_needs_can_not_be_taken_from_it(centre):
    with centre.client("admin") as admin:
        take_in_use(admin)
        answer = admin.put(f"/points/{CAMERA}", json=terms(installed_on=None))
        assert answer.status_code == 422
        assert of(admin)["installed_on"] == "2026-11-20"
        bad = {"answers": CLEAR | {"toilets": False}}
        answer = admin.post(f"/points/{CAMERA}/checklist", json=bad)
        assert answer.status_code == 409
        assert of(admin)["checklist"]["clear"]


def test_a_forbidden_place_is_written_down_and_goes_no_further(centre):
    with centre.client("admin") as admin:
        register(admin)
        bad = {"answers": CLEAR | {"toilets": False}, "note": "对着公厕"}
        shown = admin.post(f"/points/{CAMERA}/checklist", json=bad).json()
        assert not shown["checklist"]["clear"]
        assert shown["ledger"][-1]["note"] == "不符合:不在卫生间内 对着公厕"
        assert go(admin, "trial").status_code == 422


@pytest.mark.parametrize("answers", [{}, {"toilets": True}, CLEAR | {"roof": True}])
def test_a_checklist_answers_every_item_and_no_other(centre, answers):
    with centre.client("admin") as admin:
        register(admin)
        answer = admin.post(f"/points/{CAMERA}/checklist", json={"answers": answers})
        assert answer.status_code == 422


def test_a_retired_point_begins_anew_without_its_old_papers(centre):
    with centre.client("admin") as admin:
        take_in_use(admin)
        assert go(admin, "retired").status_code == 200
        assert go(admin, "in_use").status_code == 409
        assert go(admin, "draft").status_code == 200
        shown = of(admin)
        assert (shown["checklist"], shown["sign"], shown["in_use_since"]) == (None, None, None)
        assert admin.get(f"/points/{CAMERA}/sign-photo").status_code == 404


def test_a_place_of_another_kind_says_which_and_a_device_stays_what_it_was(centre):
    with centre.client("admin") as admin:
        other = terms(place_type="other")
        assert admin.put(f"/points/{CAMERA}", json=other).status_code == 422
        said = other | {"note": "晒谷场", "device_type": "ptz", "manager_phone": "0878-1234567"}
        assert admin.put(f"/points/{CAMERA}", json=said).status_code == 200
        kept = admin.put(f"/points/{CAMERA}", json=terms()).json()
        assert (kept["device_type"], kept["manager_phone"]) == ("ptz", "0878-1234567")


def test_a_photo_is_kept_without_what_its_telephone_wrote_and_given_back(centre, tmp_path):
    with centre.client("admin") as admin:
        register(admin)
        hang_sign(admin, picture=with_segment(jpeg(7), 0xE1, b"Exif\0\0 25.1 N 101.2 E"))
        answer = admin.get(f"/points/{CAMERA}/sign-photo")
        shown = of(admin)["sign"]
    assert (answer.content, answer.headers["content-type"]) == (jpeg(7), "image/jpeg")
    assert answer.headers["etag"] == f'"{shown["photo_sha256"]}"'
    assert (shown["width"], shown["height"]) == (160, 90)
    (file,) = (tmp_path / "evidence" / "xiacun-1" / "signs").iterdir()
    assert file.read_bytes() == jpeg(7)
    assert list((tmp_path / "evidence" / ".moving").iterdir()) == []


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 422), (b"GIF89a", 422), (bytes(MAX_BYTES + 1), 413)]
)
def test_what_is_no_photo_is_refused_and_changes_nothing(centre, body, status):
    with centre.client("admin") as admin:
        register(admin)
        assert admin.put(f"/points/{CAMERA}/sign-photo", content=body).status_code == status
        assert of(admin)["sign"] is None


def test_a_photo_of_more_than_a_megabyte_is_taken(centre):
    noise = jpeg(1, 1600, 1200)
    assert 1_000_000 < len(noise) < MAX_BYTES
    with centre.client("admin") as admin:
        register(admin)
        hang_sign(admin, picture=noise)


def test_a_photo_for_no_point_leaves_no_file(centre, tmp_path):
    with centre.client("admin") as admin:
        answer = admin.put(f"/points/{CAMERA}/sign-photo", content=jpeg())
    assert answer.status_code == 404
    assert not (tmp_path / "evidence" / "xiacun-1").exists()


def test_a_sign_is_to_be_looked_at_every_month(centre, clock):
    with centre.client("admin") as admin:
        take_in_use(admin)
        assert not of(admin)["sign"]["is_due"]
    clock.advance(MONTH_S)
    with centre.client("duty") as duty:
        assert duty.get("/points/due").json()["signs_due"] == 1
        looked = duty.post(f"/points/{CAMERA}/sign-check", json={"whole": True}).json()
        assert (looked["sign"]["is_due"], looked["ledger"][-1]["note"]) == (False, "完好")
        broken = {"whole": False, "note": "被风吹落"}
        looked = duty.post(f"/points/{CAMERA}/sign-check", json=broken).json()
        assert looked["sign"]["is_due"]
        assert looked["ledger"][-1]["note"] == "损坏或缺失 被风吹落"
        assert duty.get("/points/due").json()["signs_due"] == 1


def test_nobody_finds_a_sign_whole_that_was_never_photographed(centre):
    with centre.client("admin") as admin:
        register(admin)
        looked = admin.post(f"/points/{CAMERA}/sign-check", json={"whole": True})
        assert looked.status_code == 409


def test_a_trial_run_of_30_days_is_remembered_and_ends_by_nobody_but_a_person(centre, clock):
    with centre.client("admin") as admin:
        register(admin)
        assert go(admin, "trial").status_code == 200
    clock.advance(MONTH_S)
    with centre.client("admin") as admin:
        assert admin.get("/points/due").json()["trials_long"] == 1
        shown = of(admin)
        assert (shown["state"], shown["trial_is_long"]) == ("trial", True)


def test_every_code_comes_with_its_words(centre):
    with centre.client("duty") as duty:
        codes = duty.get("/points/codes").json()
    assert {"code": "toilets", "zh": "不在卫生间内", "en": "not inside toilets"} in codes[
        "checklist"
    ]
    assert len(codes["checklist"]) == len(CLEAR)


def test_the_ledger_of_points_holds_and_can_only_grow(centre, database):
    with centre.client("admin") as admin:
        take_in_use(admin)
    with database.read() as session:
        assert broken_at(session, PointLedger) is None
    for change in (update(PointLedger).values(note="x"), delete(PointLedger)):
        with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
            session.execute(change)
