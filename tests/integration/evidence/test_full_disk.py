"""A centre whose disk is full: its boxes wait, and lose nothing."""

import logging

from central.evidence import disk
from edge.alerts.evidence import CourierTiming
from edge.bus.backoff import Backoff
from protocol.clock import FakeClock
from protocol.messages import EvidenceKind
from tests.support.evidence_line import Camera, evidence_line
from tests.support.waiting import wait_until
from tests.support.xiacun import NOW

ALERTS = 12
PICTURE = b"\xff\xd8" + b"p" * 20_000
CLIP = b"clip" * 200_000
#: Room for the pictures and some clips, and for a part of the next.
QUOTA_BYTES = ALERTS * len(PICTURE) + 3 * len(CLIP) + len(CLIP) // 2
#: Each kind has a thread of its own, so two may find out at the same time.
AT_ONCE = 2

PATIENT = CourierTiming(
    retry=Backoff(2.0, 300.0), not_yet=Backoff(2.0, 15.0), away=Backoff(60.0, 60.0)
)


class Quota:
    """A disk of so many bytes, filled by what is really in the folder."""

    def __init__(self, size_bytes):
        self.size_bytes = size_bytes

    def free_bytes(self, folder):
        root = folder.parent if folder.name == ".partial" else folder
        files = (path for path in root.rglob("*") if path.is_file())
        used_bytes = sum(path.stat().st_size for path in files)
        return disk.FREE_FLOOR_BYTES + self.size_bytes - used_bytes


def test_a_full_disk_at_the_centre_pauses_the_box_and_loses_nothing(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.WARNING, "central.http.problems")
    quota = Quota(QUOTA_BYTES)
    monkeypatch.setattr(disk, "free_bytes", quota.free_bytes)

    def refusals():
        return sum(record.message == "http.failed" for record in caplog.records)

    clock = FakeClock(NOW)
    with evidence_line(tmp_path) as line, line.box(line.centre.url, clock) as box:
        alerts = [box.alert(ago_s=60) for _ in range(ALERTS)]
        courier = box.courier(Camera(PICTURE, CLIP), PATIENT)
        courier.start()
        wait_until(lambda: courier.component().figures["paused_s"])
        wait_until(lambda: box.rows_made() == 2 * ALERTS)
        before, waiting = refusals(), box.store.pending()
        assert before <= AT_ONCE < waiting
        assert courier.component().detail == "HTTP 503"
        courier.wake()  # an alert that is committed does not open the gate
        for pauses in range(1, 6):
            clock.advance(90)
            courier.wake()
            wait_until(lambda: courier.component().figures["paused_s"])
            assert refusals() <= AT_ONCE * (pauses + 1)
        assert box.store.pending() >= waiting - AT_ONCE
        quota.size_bytes = 10**9
        clock.advance(400)
        courier.wake()
        wait_until(lambda: box.store.pending() == 0, 30)
        assert courier.component().detail is None
        stored = line.stored()
    assert set(stored) == {(alert, kind) for alert in alerts for kind in EvidenceKind}
    for (_, kind), data in stored.items():
        assert data.startswith(CLIP if kind is EvidenceKind.CLIP else PICTURE)
