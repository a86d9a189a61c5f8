import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from central.codes import FeedKind
from central.db.models import Evidence, FeedRow
from central.evidence import store
from tests.support.waiting import wait_until
from tests.support.xiacun import BOX, BOX_TOKEN, alert_data, alert_message, received

CLIP = b"mp4 " * 50_000


@pytest.fixture
def alert_id(centre):
    new = uuid4()
    centre.take(received(alert_message(alert_data(new), 1)))
    return new


def put(centre, alert_id, body=CLIP, kind="clip", box=BOX, token=BOX_TOKEN, sha256=None, **headers):
    sent = {
        "authorization": f"Bearer {token}",
        "x-content-sha256": sha256 or hashlib.sha256(body).hexdigest(),
        "x-evidence-start": "2026-11-22T05:59:50Z",
        "x-evidence-end": "2026-11-22T06:00:20Z",
        **headers,
    }
    url = f"{centre.url}/api/v1/boxes/{box}/evidence/{alert_id}/{kind}"
    return httpx.put(url, content=body, headers=sent, timeout=30)


def test_evidence_is_stored_once_and_served_in_ranges(centre, alert_id, database):
    assert [put(centre, alert_id).status_code for _ in range(2)] == [201, 200]
    with centre.client("wall") as wall:
        (piece,) = wall.get(f"/alerts/{alert_id}").json()["evidence"]
        assert {key: value for key, value in piece.items() if key != "id"} == {
            "kind": "clip",
            "start": "2026-11-22T05:59:50Z",
            "end": "2026-11-22T06:00:20Z",
            "size_bytes": len(CLIP),
            "sha256": hashlib.sha256(CLIP).hexdigest(),
        }
        path = f"/evidence/{piece['id']}"
        whole = wall.get(path)
        assert (whole.content, whole.headers["content-type"]) == (CLIP, "video/mp4")
        part = wall.get(path, headers={"range": "bytes=4-11"})
        assert (part.status_code, part.content) == (206, CLIP[4:12])
        assert wall.get(path, headers={"range": "bytes=999999999-"}).status_code == 416
    with database.read() as session:
        kinds = session.scalars(select(FeedRow.kind).order_by(FeedRow.id)).all()
    assert kinds == [FeedKind.ALERT, FeedKind.EVIDENCE]


def test_other_bytes_for_the_same_piece_are_a_conflict(centre, alert_id):
    put(centre, alert_id)
    assert put(centre, alert_id, b"other").status_code == 409
    assert put(centre, alert_id, b"jpeg", "snapshot").status_code == 201


def test_the_same_piece_many_times_at_once_is_stored_once(centre, alert_id, database, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda _: put(centre, alert_id).status_code, range(4)))
    assert set(codes) <= {200, 201, 503}  # 503: a newer one of the same piece took over
    assert 201 in codes
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Evidence)) == 1
    assert [path.name for path in (tmp_path / "evidence").glob("incoming-*")] == []
    assert len(list((tmp_path / "evidence").rglob("*.mp4"))) == 1


def test_a_newer_upload_of_a_piece_takes_over_from_one_that_hangs(centre, alert_id, tmp_path):
    folder, hung, answers = tmp_path / "evidence", threading.Event(), []

    def hanging():
        yield CLIP[:500_000]
        hung.wait(60)  # as over a link that was cut without a word

    def send() -> None:
        answers.append(put(centre, alert_id, hanging(), sha256=hashlib.sha256(CLIP).hexdigest()))

    older = threading.Thread(target=send)
    older.start()
    wait_until(lambda: list(folder.glob("incoming-*")))
    assert put(centre, alert_id).status_code == 201
    wait_until(lambda: not list(folder.glob("incoming-*")))
    hung.set()
    older.join()
    assert [answer.status_code for answer in answers] == [503]
    assert put(centre, alert_id, b"jpeg", "snapshot").status_code == 201


def test_a_disk_that_is_nearly_full_is_left_to_the_database(
    centre, alert_id, tmp_path, monkeypatch
):
    monkeypatch.setattr(store, "FREE_FLOOR_BYTES", 10**18)
    answer = put(centre, alert_id)
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()] == []
    monkeypatch.undo()
    assert put(centre, alert_id).status_code == 201


def test_a_disk_that_fills_up_on_the_way_is_503_too(centre, alert_id, tmp_path, monkeypatch):
    asked = []

    def shrinking(_folder: Path) -> int:
        asked.append(True)
        return 10**12 if len(asked) == 1 else 0

    monkeypatch.setattr(store, "free_bytes", shrinking)
    assert put(centre, alert_id).status_code == 503
    assert [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("body", [CLIP, b"small"])
def test_a_full_disk_is_503_and_leaves_nothing(centre, alert_id, tmp_path, monkeypatch, body):
    evidence, receive = centre.centre.evidence, type(centre.centre.evidence).receive

    def receive_onto_a_full_disk(self):
        incoming = receive(self)
        incoming._file.close()
        incoming._file = open("/dev/full", "wb")  # noqa: PTH123, SIM115 - it refuses every byte
        return incoming

    monkeypatch.setattr(type(evidence), "receive", receive_onto_a_full_disk)
    answer = put(centre, alert_id, body)
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"token": "wrong"}, 401),
        ({"box": "other-box"}, 401),
        ({"authorization": ""}, 401),
        ({"x-content-sha256": "0" * 64}, 422),  # the bytes have another
        ({"x-content-sha256": "short"}, 422),
        ({"x-evidence-end": "2026-11-22T05:00:00Z"}, 422),  # before its start
        ({"x-evidence-start": "2026-11-22T05:59:50"}, 422),  # of no zone
        ({"kind": "film"}, 422),
        ({"body": b"x" * 1_000_001}, 422),  # longer than max_mb
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(
    centre, alert_id, tmp_path, changes, status
):
    assert put(centre, alert_id, **changes).status_code == status
    assert [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()] == []


def test_evidence_of_an_alert_that_is_not_known_yet_may_come_again_later(centre):
    assert put(centre, uuid4()).status_code == 404


def test_a_file_that_is_gone_is_404(centre, alert_id, tmp_path):
    put(centre, alert_id)
    for path in (tmp_path / "evidence").rglob("*.mp4"):
        path.unlink()
    with centre.client("duty") as duty:
        (piece,) = duty.get(f"/alerts/{alert_id}").json()["evidence"]
        assert duty.get(f"/evidence/{piece['id']}").status_code == 404
