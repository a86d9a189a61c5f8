import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import FileIO
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from central.codes import FeedKind
from central.db.models import Evidence, FeedRow
from central.errors import StoreUnavailableError
from central.evidence import disk
from central.evidence.leftover import Allowance
from central.evidence.partial import PARTIAL, Partials
from central.evidence.store import EvidenceStore
from tests.support.bringing import evidence_headers
from tests.support.waiting import wait_until
from tests.support.xiacun import BOX, BOX_TOKEN, alert_data, alert_message, received

CLIP = b"mp4 " * 50_000


@pytest.fixture
def alert_id(centre):
    new = uuid4()
    centre.take(received(alert_message(alert_data(new), 1)))
    return new


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "evidence"


def said(body=CLIP, token=BOX_TOKEN):
    return evidence_headers(body, "2026-11-22T05:59:50Z", "2026-11-22T06:00:20Z", token)


def url_of(centre, alert_id, kind="clip", box=BOX):
    return f"{centre.url}/api/v1/boxes/{box}/evidence/{alert_id}/{kind}"


def part(centre, alert_id, content, offset=0, *, of=CLIP, **headers):
    """Send some bytes of a clip."""
    sent = said(of) | {"upload-offset": str(offset), "upload-length": str(len(of))} | headers
    return httpx.patch(
        url_of(centre, alert_id), content=content, headers=sent, timeout=30, verify=False
    )


def whole(centre, alert_id, body=CLIP, kind="clip", box=BOX, token=BOX_TOKEN, **headers):
    """Send a piece at once."""
    sent = said(body, token) | {"upload-offset": "0", "upload-length": str(len(body))} | headers
    url = url_of(centre, alert_id, kind, box)
    return httpx.patch(url, content=body, headers=sent, timeout=30, verify=False)


def head(centre, alert_id, body=CLIP):
    """Ask how much is here: offset, whether it is stored, and how long a piece may be."""
    answer = httpx.head(url_of(centre, alert_id), headers=said(body), timeout=30, verify=False)
    assert answer.status_code == 200
    names = ("upload-offset", "upload-complete", "upload-limit")
    return tuple(answer.headers[name] for name in names)


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_evidence_is_stored_once_and_served_in_ranges(centre, alert_id, database):
    assert [whole(centre, alert_id).status_code for _ in range(2)] == [201, 200]
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
        answer = wall.get(path)
        assert (answer.content, answer.headers["content-type"]) == (CLIP, "video/mp4")
        some = wall.get(path, headers={"range": "bytes=4-11"})
        assert (some.status_code, some.content) == (206, CLIP[4:12])
        assert wall.get(path, headers={"range": "bytes=999999999-"}).status_code == 416
    with database.read() as session:
        kinds = session.scalars(select(FeedRow.kind).order_by(FeedRow.id)).all()
    assert kinds == [FeedKind.ALERT, FeedKind.EVIDENCE]


def test_a_piece_comes_in_parts_and_is_stored_with_the_last(centre, alert_id, folder):
    assert head(centre, alert_id) == ("0", "?0", "max-size=1000000")
    first = part(centre, alert_id, CLIP[:70_000])
    assert (first.status_code, first.headers["upload-offset"]) == (204, "70000")
    assert head(centre, alert_id)[:2] == ("70000", "?0")
    assert part(centre, alert_id, CLIP[70_000:190_000], 70_000).status_code == 204
    assert part(centre, alert_id, CLIP[190_000:], 190_000).status_code == 201
    assert head(centre, alert_id)[:2] == (str(len(CLIP)), "?1")
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    assert (path.suffix, path.read_bytes()) == (".mp4", CLIP)


@pytest.mark.parametrize("offset", [0, 69_999, 70_001])
def test_a_part_that_does_not_fit_is_told_where_to_go_on(centre, alert_id, offset):
    part(centre, alert_id, CLIP[:70_000])
    answer = part(centre, alert_id, CLIP[offset:], offset)
    assert (answer.status_code, answer.headers["upload-offset"]) == (409, "70000")
    assert answer.json()["error"] == "offset"
    assert head(centre, alert_id)[0] == "70000"


def test_what_came_before_the_connection_broke_stays(centre, alert_id):
    def breaking():
        yield CLIP[:123_457]
        wait_until(lambda: int(head(centre, alert_id)[0]) >= 0)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        part(centre, alert_id, breaking(), **{"content-length": str(len(CLIP))})
    wait_until(lambda: head(centre, alert_id)[0] == "123457")
    assert part(centre, alert_id, CLIP[123_457:], 123_457).status_code == 201


def test_a_centre_that_starts_again_has_what_was_there_in_part(
    centre, alert_id, database, clock, folder
):
    part(centre, alert_id, CLIP[:70_000])
    Partials(folder / PARTIAL, Allowance(3600, 10_000_000), clock).open()
    assert head(centre, alert_id)[0] == "70000"


def test_bytes_that_are_not_what_was_named_are_thrown_away_and_may_come_again(
    centre, alert_id, folder
):
    part(centre, alert_id, b"\0" * 70_000)
    answer = part(centre, alert_id, CLIP[70_000:], 70_000)
    assert (answer.status_code, answer.json()["error"]) == (422, "damaged")
    assert files(folder) == []
    assert whole(centre, alert_id).status_code == 201


def test_a_piece_whose_row_could_not_be_written_is_not_sent_again(
    centre, alert_id, folder, monkeypatch
):
    def away(*_given: object) -> None:
        raise StoreUnavailableError("database: away")

    monkeypatch.setattr(EvidenceStore, "_enter", away)
    assert whole(centre, alert_id).status_code == 503
    monkeypatch.undo()
    assert head(centre, alert_id)[:2] == (str(len(CLIP)), "?0")
    assert part(centre, alert_id, b"", len(CLIP)).status_code == 201
    assert [Path(name).suffix for name in files(folder)] == [".mp4"]


def test_other_bytes_for_the_same_piece_are_a_conflict(centre, alert_id):
    whole(centre, alert_id)
    answer = whole(centre, alert_id, b"other")
    assert (answer.status_code, "upload-offset" in answer.headers) == (409, False)
    assert whole(centre, alert_id, b"jpeg", "snapshot").status_code == 201


def test_the_same_piece_many_times_at_once_is_stored_once(centre, alert_id, database, folder):
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda _: whole(centre, alert_id).status_code, range(4)))
    # 503: a newer one of the same piece took over; 409: it found what that one had written.
    assert set(codes) <= {200, 201, 409, 503}
    offset, stored, _ = head(centre, alert_id)
    if stored == "?0":
        assert part(centre, alert_id, CLIP[int(offset) :], int(offset)).status_code == 201
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Evidence)) == 1
    assert [Path(name).suffix for name in files(folder)] == [".mp4"]


def test_a_newer_upload_of_a_piece_takes_over_from_one_that_hangs(centre, alert_id):
    hung, answers = threading.Event(), []

    def hanging():
        yield CLIP[:150_000]
        hung.wait(60)  # as over a link that was cut without a word

    older = threading.Thread(target=lambda: answers.append(part(centre, alert_id, hanging())))
    older.start()
    wait_until(lambda: centre.centre.uploads._under_way)
    newer = part(centre, alert_id, b"", 0)  # which does not know how far the older one came
    offset = int(newer.headers["upload-offset"])
    assert newer.status_code in {204, 409}
    assert part(centre, alert_id, CLIP[offset:], offset).status_code == 201
    hung.set()
    older.join()
    assert [answer.status_code for answer in answers] == [503]
    assert whole(centre, alert_id, b"jpeg", "snapshot").status_code == 201


def test_an_upload_of_which_nothing_comes_ends_and_leaves_what_it_brought(centre, alert_id):
    centre.centre.uploads.idle_s = 0.2
    hung = threading.Event()

    def hanging():
        yield CLIP[:150_000]
        hung.wait(60)

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(part, centre, alert_id, hanging())
        wait_until(lambda: head(centre, alert_id)[0] == "150000")
        hung.set()
        assert answer.result().status_code == 408


def test_what_another_replica_receives_is_left_to_it(centre, alert_id, clock, folder):
    other = Partials(folder / ".partial", Allowance(0, 0), clock)
    name = f"{BOX}.{alert_id}.clip.{hashlib.sha256(CLIP).hexdigest()}"
    theirs = other.begin(name, 0, len(CLIP))
    theirs.write(CLIP[:70_000])
    assert part(centre, alert_id, CLIP[70_000:], 70_000).status_code == 503
    clock.advance(3600)
    other.open()  # it would remove all that is not being received
    assert head(centre, alert_id)[0] == "70000"
    theirs.close()
    assert part(centre, alert_id, CLIP[70_000:], 70_000).status_code == 201


def test_what_waits_too_long_for_its_rest_is_removed_and_sent_anew(centre, alert_id, clock, folder):
    part(centre, alert_id, CLIP[:70_000])
    (left,) = (folder / ".partial").iterdir()
    long_ago = (clock.now() - timedelta(days=8)).timestamp()
    os.utime(left, (long_ago, long_ago))
    clock.advance(3600)
    second = uuid4()
    centre.take(received(alert_message(alert_data(second), 2)))
    assert whole(centre, second).status_code == 201
    assert head(centre, alert_id)[0] == "0"
    assert whole(centre, alert_id).status_code == 201


def test_a_disk_that_is_nearly_full_is_left_to_the_database(centre, alert_id, folder, monkeypatch):
    monkeypatch.setattr(disk, "FREE_FLOOR_BYTES", 10**18)
    answer = whole(centre, alert_id)
    assert (answer.status_code, answer.json()["error"]) == (503, "evidence_away")
    assert files(folder) == []
    monkeypatch.undo()
    assert whole(centre, alert_id).status_code == 201


def test_a_disk_that_fills_up_on_the_way_is_503_and_keeps_what_it_took(
    centre, alert_id, monkeypatch
):
    body = CLIP * 4
    asked = []

    def shrinking(_folder: Path) -> int:
        asked.append(True)
        return 10**12 if len(asked) <= 3 else 0

    monkeypatch.setattr(disk, "free_bytes", shrinking)
    assert whole(centre, alert_id, body).status_code == 503
    monkeypatch.undo()
    offset = int(head(centre, alert_id, body)[0])
    assert 0 < offset < len(body)
    assert part(centre, alert_id, body[offset:], offset, of=body).status_code == 201


@pytest.mark.parametrize("body", [CLIP, b"small"])
def test_a_full_disk_is_503_and_leaves_nothing(centre, alert_id, folder, monkeypatch, body):
    begin = Partials.begin

    def begin_on_a_full_disk(*given):
        partial = begin(*given)
        with FileIO("/dev/full", "wb") as full:
            os.dup2(full.fileno(), partial._file.fileno())  # it refuses every byte
        return partial

    monkeypatch.setattr(Partials, "begin", begin_on_a_full_disk)
    answer = whole(centre, alert_id, body)
    assert (answer.status_code, answer.json()["error"]) == (503, "evidence_away")
    assert files(folder) == []


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
        ({"upload-offset": "-1"}, 422),
        ({"upload-offset": "1"}, 409),
        ({"upload-length": "0"}, 422),
        ({"body": b"x" * 1_000_001}, 413),  # longer than max_mb
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(centre, alert_id, folder, changes, status):
    assert whole(centre, alert_id, **changes).status_code == status
    assert files(folder) == []


def test_more_bytes_than_were_named_are_refused(centre, alert_id):
    answer = whole(centre, alert_id, **{"upload-length": str(len(CLIP) - 1)})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid")


def test_a_box_is_told_how_long_a_piece_may_be(centre, alert_id):
    answer = whole(centre, alert_id, b"x" * 1_000_001)
    assert (answer.json()["error"], answer.headers["upload-limit"]) == (
        "too_long",
        "max-size=1000000",
    )


def test_evidence_of_an_alert_that_is_not_known_yet_may_come_again_later(centre):
    assert whole(centre, uuid4()).status_code == 404
    assert httpx.head(url_of(centre, uuid4()), headers=said()).status_code == 404


def test_a_file_that_is_gone_is_404(centre, alert_id, folder):
    whole(centre, alert_id)
    for path in folder.rglob("*.mp4"):
        path.unlink()
    with centre.client("duty") as duty:
        (piece,) = duty.get(f"/alerts/{alert_id}").json()["evidence"]
        assert duty.get(f"/evidence/{piece['id']}").status_code == 404
