from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from edge.alerts.ledger import ask_evidence
from edge.db.instant import to_us
from edge.media.sample import Sample
from edge.recording.holds import add_hold
from edge.recording.stock import Stock, Stocktaker
from protocol.messages import EvidenceKind
from protocol.relay import StreamName
from tests.support.box import DISK, NOW, Box, running_box
from tests.support.footage import STARTED, encoded, run

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


@pytest.fixture
async def box(tmp_path):
    async with running_box(tmp_path) as box:
        yield box


@pytest.fixture
async def http(box):
    async with httpx.AsyncClient(base_url=box.server.url, trust_env=False, verify=False) as client:
        yield client


def main_footage() -> list[Sample]:
    footage = encoded(frames=50)
    of = run("a" * 32, footage[0].run.parameters, stream=StreamName.MAIN)
    return [replace(sample, run=of) for sample in footage]


async def test_storage_says_what_is_promised_what_is_there_and_what_will_fit(box: Box, http):
    segment = box.record(main_footage())
    with box.index._database.transaction() as connection:
        # an hour of it: what is asked for is a rate
        connection.execute("update segment set duration = 90000 * 3600, size_bytes = 500000000")

    answer = (await http.get("/v1/storage")).json()

    assert answer["total_bytes"] == DISK.total_bytes
    assert answer["kept_free_bytes"] == 20_000_000_000
    gate, road = answer["cameras"]
    assert (gate["camera_id"], gate["days"], gate["bytes"]) == ("gate", 30, segment.size_bytes)
    assert gate["daily_bytes"] == 12_000_000_000
    assert gate["fits_days"] == 25.0
    assert gate["earliest"] == segment.start.isoformat().replace("+00:00", "Z")
    assert (road["days"], road["daily_bytes"], road["fits_days"]) == (90, None, None)
    assert answer["full_in_days"] == 25.0
    assert answer["trouble"] is None


async def test_storage_counts_what_is_held_what_waits_and_what_was_deleted(box: Box, http):
    segment = box.record(main_footage())
    with box.index._database.transaction() as connection:
        add_hold(connection, "gate", segment.start, segment.end, "alert:1", NOW + DAY)
        ask_evidence(connection, UUID(int=1), EvidenceKind.CLIP, (segment.start, segment.end), NOW)
        connection.execute("update evidence set path = 'a.clip.mp4', size_bytes = 77")
        connection.execute(
            "insert into deletion (camera_id, day, reason, segments, bytes, first_us, last_us,"
            " at_us) values ('old', '2026-10-20', 'age', 3, 12, ?, ?, ?)",
            (to_us(STARTED), to_us(STARTED + DAY), to_us(NOW)),
        )

    answer = (await http.get("/v1/storage")).json()

    assert answer["held_bytes"] == segment.size_bytes
    assert (answer["waiting_evidence"], answer["waiting_evidence_bytes"]) == (1, 77)
    (record,) = answer["deletions"]
    assert (record["camera_id"], record["day"], record["reason"]) == ("old", "2026-10-20", "age")
    assert (record["segments"], record["bytes"]) == (3, 12)


async def test_footage_of_a_camera_that_is_no_more_is_told_with_the_boxs_days(box: Box, http):
    box.record(main_footage())
    with box.index._database.transaction() as connection:
        connection.execute("update segment set camera_id = 'well'")
        connection.execute("update footprint set camera_id = 'well'")

    cameras = (await http.get("/v1/storage")).json()["cameras"]

    assert [(each["camera_id"], each["is_configured"], each["days"]) for each in cameras] == [
        ("gate", True, 30),
        ("road", True, 90),
        ("well", False, 30),
    ]


async def test_a_disk_that_does_not_answer_is_told_as_one(http, monkeypatch):
    def gone(_: Stocktaker) -> Stock:
        raise FileNotFoundError(2, "No such file or directory", "/recordings")

    monkeypatch.setattr(Stocktaker, "take", gone)

    answer = await http.get("/v1/storage")

    assert (answer.status_code, answer.json()["error"]) == (503, "storage")
