from datetime import UTC, datetime, timedelta

import pytest

from bench.centre import Alert, Evidence
from bench.clip import Decoded
from bench.evidence import clip_fault

T0 = datetime(2026, 11, 22, tzinfo=UTC)


def at(seconds):
    return T0 + timedelta(seconds=seconds)


ALERT = Alert(
    alert_id="a",
    kind="gathering",
    state="NEW",
    camera_uid="box-1.cam-01",
    started_at=at(10),
    received_at=at(10),
    late=False,
    sequence=1,
    on_duty=(),
    acked_by=None,
    verified_by=None,
    incident_id=None,
    evidence=(),
)


@pytest.mark.parametrize(
    ("start", "end", "decoded", "fault"),
    [
        (0, 30, Decoded(210, 30.0, None), None),
        (0, 30, Decoded(189, 27.0, None), None),
        (0, 30, Decoded(188, 26.9, None), "26.9 s of 30.0 s"),
        (0, 30, Decoded(0, 0.0, "InvalidDataError"), "InvalidDataError"),
        (11, 30, Decoded(133, 19.0, None), "does not show the alert's start"),
        (-30, 9, Decoded(273, 39.0, None), "does not show the alert's start"),
    ],
)
def test_a_clip_is_judged_by_what_it_says_and_what_it_holds(start, end, decoded, fault):
    clip = Evidence("e", "clip", at(start), at(end))
    assert clip_fault(ALERT, clip, decoded) == fault
