"""A centre whose evidence lies on S3: what boxes and people notice of it, and what they do not."""

import contextlib
import hashlib
import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import URL, func, select

from central.codes import EvidencePlace
from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import Evidence
from central.errors import StoreUnavailableError
from central.evidence.store import EvidenceStore
from central.ingest.inbox import DatabaseInbox
from protocol.clock import FakeClock, SystemClock
from tests.support.bringing import evidence_headers
from tests.support.cutting_link import CuttingLink
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, S3Server, running_seaweed
from tests.support.tools import ROOT
from tests.support.web_centre import WebCentre, enter_accounts, running_centre
from tests.support.xiacun import (
    BOX,
    BOX_TOKEN,
    DEADLINES,
    NOW,
    alert_data,
    alert_message,
    enter_village,
    received,
)

CONFIG = """
[village]
name = "下村"
region_code = "532324001002"
[database]
url = "sqlite:///central.db"
[http]
port = 0
[mqtt]
password = {{ env = "NOT_USED" }}
[evidence]
folder = "evidence"
store = "s3"
[evidence.s3]
endpoint = "{endpoint}"
bucket = "tanshao-evidence"
access_key = {{ file = "access-key" }}
secret_key = {{ file = "secret-key" }}
"""
CLIP = random.Random(5).randbytes(700_000)


@dataclass(frozen=True)
class At:
    """A centre of which only the address is known."""

    url: str


@pytest.fixture
def clock():
    return FakeClock(NOW)


@pytest.fixture
def database(tmp_path) -> Iterator[Database]:
    made = Database(URL.create("sqlite", database=str(tmp_path / "central.db")))
    migrate(made, FakeClock(NOW))
    enter_village(made)
    enter_accounts(made)
    yield made
    made.close()


@contextlib.contextmanager
def centre_on(server: S3Server, database, clock, folder: Path, **changes) -> Iterator[WebCentre]:
    evidence = {"store": "s3", "s3": server.section(folder) | changes}
    with running_centre(database, clock, folder, evidence=evidence) as running:
        yield running


def new_alert(centre, number=1):
    new = uuid4()
    centre.take(received(alert_message(alert_data(new), number)))
    return new


def send(centre, alert_id, content=CLIP, offset=0, *, of=CLIP):
    said = evidence_headers(of, "2026-11-22T05:59:50Z", "2026-11-22T06:00:20Z", BOX_TOKEN)
    sent = said | {"upload-offset": str(offset), "upload-length": str(len(of))}
    url = f"{centre.url}/api/v1/boxes/{BOX}/evidence/{alert_id}/clip"
    return httpx.patch(url, content=content, headers=sent, timeout=60, verify=False)


def ask(centre, alert_id, of=CLIP):
    said = evidence_headers(of, "2026-11-22T05:59:50Z", "2026-11-22T06:00:20Z", BOX_TOKEN)
    url = f"{centre.url}/api/v1/boxes/{BOX}/evidence/{alert_id}/clip"
    return httpx.head(url, headers=said, timeout=60, verify=False)


def rows(database):
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Evidence))


def on_disk(folder):
    return [path for path in (folder / "evidence").rglob("*") if path.is_file()]


def test_a_piece_comes_in_parts_to_the_disk_and_lies_whole_on_s3(s3, database, clock, tmp_path):
    with centre_on(s3, database, clock, tmp_path) as centre:
        alert = new_alert(centre)
        assert send(centre, alert, CLIP[:300_000]).status_code == 204
        assert (len(on_disk(tmp_path)), s3.keys()) == (1, [])
        assert send(centre, alert, CLIP[300_000:], 300_000).status_code == 201
        assert ask(centre, alert).headers["upload-complete"] == "?1"
        (key,) = s3.keys()
        assert key.startswith(f"532324001002/{BOX}/2026-11/{alert}-clip-")
        stored = s3.client().get_object(Bucket="tanshao-evidence", Key=key)["Body"].read()
        assert hashlib.sha256(stored).digest() == hashlib.sha256(CLIP).digest()
        assert on_disk(tmp_path) == []


def test_people_get_it_from_the_centre_whole_or_in_ranges(s3, database, clock, tmp_path):
    with centre_on(s3, database, clock, tmp_path) as centre, centre.client("wall") as wall:
        alert = new_alert(centre)
        send(centre, alert)
        (piece,) = wall.get(f"/alerts/{alert}").json()["evidence"]
        path = f"/evidence/{piece['id']}"
        answer = wall.get(path)
        etag = answer.headers["etag"]
        assert (answer.status_code, answer.content) == (200, CLIP)
        assert answer.headers["content-type"] == "video/mp4"
        assert ACCESS_KEY not in f"{answer.headers}{piece}"
        for asked, start, end in (
            ("bytes=0-0", 0, 1),
            ("bytes=600000-", 600_000, len(CLIP)),
            ("bytes=-10", len(CLIP) - 10, len(CLIP)),
            ("bytes=300000-300999", 300_000, 301_000),
        ):
            some = wall.get(path, headers={"range": asked, "if-range": etag})
            assert (some.status_code, some.content) == (206, CLIP[start:end])
            assert some.headers["content-range"] == f"bytes {start}-{end - 1}/{len(CLIP)}"
        changed = wall.get(path, headers={"range": "bytes=0-0", "if-range": '"another"'})
        assert (changed.status_code, changed.content) == (200, CLIP)
        beyond = wall.get(path, headers={"range": f"bytes={len(CLIP)}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (
            416,
            f"bytes */{len(CLIP)}",
        )
        with httpx.Client(base_url=f"{centre.url}/api/v1") as nobody:
            assert nobody.get(path).status_code == 401


def test_while_s3_is_away_boxes_wait_and_nothing_is_sent_again(database, clock, tmp_path, caplog):
    home = tmp_path / "seaweed"
    home.mkdir()
    with running_seaweed(home) as server, centre_on(server, database, clock, tmp_path) as centre:
        alert = new_alert(centre)
        send(centre, alert, CLIP[:300_000])
        server.kill()
        answer = send(centre, alert, CLIP[300_000:], 300_000)
        assert (answer.status_code, answer.json()["error"]) == (503, "evidence_away")
        assert int(answer.headers["retry-after"]) > 0
        assert rows(database) == 0
        with centre.client() as anyone:
            health = anyone.get("/health").json()
        assert (health["status"], health["evidence"]) == ("degraded", False)
        # Another piece is told before it sends anything.
        second = new_alert(centre, 2)
        assert ask(centre, second).status_code == 503
        assert send(centre, second).status_code == 503
        server.start()
        clock.advance(10)
        centre.centre.caretaker.look()
        with centre.client() as anyone:
            assert anyone.get("/health").json()["evidence"] is True
        assert ask(centre, alert).headers["upload-offset"] == str(len(CLIP))
        assert send(centre, alert, b"", len(CLIP)).status_code == 201
        assert send(centre, second).status_code == 201
        assert (rows(database), len(server.keys())) == (2, 2)
        for secret in (SECRET_KEY, ACCESS_KEY):
            assert secret not in caplog.text


def test_a_clip_can_not_be_seen_while_s3_is_away_and_that_is_said(database, clock, tmp_path):
    home = tmp_path / "seaweed"
    home.mkdir()
    with running_seaweed(home) as server, centre_on(server, database, clock, tmp_path) as centre:
        alert = new_alert(centre)
        send(centre, alert)
        with centre.client("wall") as wall:
            (piece,) = wall.get(f"/alerts/{alert}").json()["evidence"]
            server.kill()
            answer = wall.get(f"/evidence/{piece['id']}")
            assert (answer.status_code, answer.json()["error"]) == (503, "evidence_away")
            assert "图片和视频的存储" in answer.json()["message_zh"]
            server.start()
            clock.advance(10)
            assert wall.get(f"/evidence/{piece['id']}").content == CLIP


def test_no_row_is_written_where_the_line_to_s3_breaks(s3, database, clock, tmp_path):
    link = CuttingLink(int(s3.endpoint.rsplit(":", 1)[1]), [400_000])
    # The caretaker asks once at the start; what follows goes up in one put.
    try:
        with centre_on(s3, database, clock, tmp_path, endpoint=link.url) as centre:
            alert = new_alert(centre)
            assert send(centre, alert).status_code == 503
            assert (rows(database), link.cuts) == (0, 1)
            clock.advance(10)
            assert send(centre, alert, b"", len(CLIP)).status_code == 201
            assert (rows(database), len(s3.keys())) == (1, 1)
    finally:
        link.close()


def test_where_the_row_fails_the_object_is_put_once(s3, database, clock, tmp_path, monkeypatch):
    def away(*_given: object) -> None:
        raise StoreUnavailableError("database: away")

    with centre_on(s3, database, clock, tmp_path) as centre:
        alert = new_alert(centre)
        with monkeypatch.context() as broken:
            broken.setattr(EvidenceStore, "_enter", away)
            assert [send(centre, alert).status_code for _ in range(2)] == [503, 409]
            assert send(centre, alert, b"", len(CLIP)).status_code == 503
        before = s3.keys()
        assert send(centre, alert, b"", len(CLIP)).status_code == 201
        assert len(before) == 1
        assert s3.keys() == before
        assert rows(database) == 1


def test_an_object_that_waited_too_long_for_its_row_is_not_counted_on(
    s3, database, clock, tmp_path, monkeypatch
):
    def away(*_given: object) -> None:
        raise StoreUnavailableError("database: away")

    with centre_on(s3, database, clock, tmp_path) as centre:
        alert = new_alert(centre)
        with monkeypatch.context() as broken:
            broken.setattr(EvidenceStore, "_enter", away)
            assert send(centre, alert).status_code == 503
        s3.empty()  # as the caretaker does, in the end
        clock.advance(40 * 86_400)
        assert send(centre, alert).status_code == 201
        with database.read() as session:
            (row,) = session.scalars(select(Evidence)).all()
        assert centre.centre.evidence.read(row.id) == CLIP


def test_a_centre_that_is_killed_between_object_and_row_leaves_no_row_and_no_byte_goes_twice(
    seaweed, database, tmp_path
):
    alert = uuid4()
    first = received(alert_message(alert_data(alert), 1))
    DatabaseInbox(database, FakeClock(NOW), DEADLINES).commit([first])
    told = tmp_path / "central.toml"
    told.write_text(CONFIG.format(endpoint=seaweed.endpoint), encoding="utf-8")
    seaweed.section(tmp_path)  # writes the secrets
    command = ["tests.support.dying_centre_child", "1", "serve", "--config", str(told)]
    with subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as dying:
        ready = next(line for line in dying.stderr if "serve.ready" in line)
        url = f"http://127.0.0.1:{json.loads(ready)['port']}"
        with pytest.raises(httpx.TransportError):
            send(At(url), alert)
        dying.stderr.read()
        assert dying.wait() == -signal.SIGKILL
    assert (rows(database), len(seaweed.keys())) == (0, 1)
    clock = FakeClock(SystemClock().now())
    with centre_on(seaweed, database, clock, tmp_path) as centre:
        assert ask(centre, alert).headers["upload-offset"] == str(len(CLIP))
        assert send(centre, alert, b"", len(CLIP)).status_code == 201
        assert (rows(database), len(seaweed.keys())) == (1, 2)
        clock.advance(31 * 86_400)
        centre.centre.caretaker.look()
        assert len(seaweed.keys()) == 1
        with database.read() as session:
            (row,) = session.scalars(select(Evidence)).all()
        assert centre.centre.evidence.read(row.id) == CLIP


def test_what_lay_on_the_disk_before_is_still_shown(s3, database, clock, tmp_path):
    with running_centre(database, clock, tmp_path) as before:
        first = new_alert(before)
        assert send(before, first).status_code == 201
    with centre_on(s3, database, clock, tmp_path) as centre, centre.client("wall") as wall:
        second = new_alert(centre, 2)
        assert send(centre, second).status_code == 201
        for alert in (first, second):
            (piece,) = wall.get(f"/alerts/{alert}").json()["evidence"]
            assert wall.get(f"/evidence/{piece['id']}").content == CLIP
    with database.read() as session:
        places = session.scalars(select(Evidence.place).order_by(Evidence.stored_at)).all()
    assert set(places) == {EvidencePlace.DISK, EvidencePlace.S3}


def test_where_s3_is_no_longer_configured_its_pieces_are_said_to_be_away(
    s3, database, clock, tmp_path
):
    with centre_on(s3, database, clock, tmp_path) as centre:
        alert = new_alert(centre)
        send(centre, alert)
    with running_centre(database, clock, tmp_path) as without, without.client("wall") as wall:
        (piece,) = wall.get(f"/alerts/{alert}").json()["evidence"]
        answer = wall.get(f"/evidence/{piece['id']}")
        assert (answer.status_code, "not configured" in answer.json()["message"]) == (503, True)


def test_an_object_that_somebody_deleted_is_404(s3, database, clock, tmp_path):
    with centre_on(s3, database, clock, tmp_path) as centre, centre.client("wall") as wall:
        alert = new_alert(centre)
        send(centre, alert)
        s3.empty()
        (piece,) = wall.get(f"/alerts/{alert}").json()["evidence"]
        assert wall.get(f"/evidence/{piece['id']}").status_code == 404
