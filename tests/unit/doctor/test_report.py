import json
import threading
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.doctor.examination import Patient, examine_all
from edge.doctor.finding import Finding, Kind
from edge.doctor.redaction import HIDDEN, Redaction
from edge.doctor.report import Head, Report
from protocol.clock import FakeClock

AT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
HEAD = Head("box-1", "0.1", AT, {"gate": "村口主路"})
FINE = Finding(Kind.BOX_FINE, values={"version": "0.1"})
NOTE = Finding(Kind.CAMERA_OFF, "gate")
WARN = Finding(Kind.CLOCK_OFF, values={"offset_s": 9})
FAIL = Finding(Kind.BOX_CONFIG_INVALID, values={"detail": "'box.id': wrong"})


def report(*findings, secrets=()):
    return Report(HEAD, findings, Redaction(secrets))


@pytest.mark.parametrize(
    ("findings", "status"),
    [((), 0), ((FINE, NOTE), 0), ((FINE, WARN), 1), ((WARN, FAIL, NOTE), 2)],
)
def test_the_exit_status_is_that_of_the_worst(findings, status):
    assert report(*findings).exit_status == status


def test_the_worst_comes_first_and_a_camera_has_its_name():
    text = report(FINE, NOTE, WARN, FAIL).text("zh", ZONE)
    order = [text.index(word) for word in ("✕ 故障", "▲ 注意", "· 提示 gate 村口主路", "✓ 正常")]
    assert order == sorted(order)
    assert "2026-11-26 16:00:00" in text
    assert "合计:故障 1,注意 1,提示 1,正常 1。" in text


def test_what_came_from_outside_is_cleaned_in_every_form_of_the_report():
    secret = "p@ss word"
    leaking = Finding(
        Kind.BOX_PART_DOWN,
        "rtsp://u:p@192.0.2.1/x",
        {"detail": f"open rtsp://me:{secret}@192.0.2.10:554/h264?pwd=1 failed, p%40ss%20word"},
    )
    made = report(leaking, secrets=[secret])
    for said in (made.text("zh", ZONE), json.dumps(made.document("en"))):
        assert secret not in said
        assert "p%40ss" not in said
        assert "pwd=1" not in said
    assert "rtsp://192.0.2.10:554" in made.text("en", ZONE)


@given(
    secret=st.text(min_size=4, max_size=20),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_no_secret_survives(secret, before, after):
    cleaned = Redaction([secret]).clean(before + secret + after)
    if secret not in HIDDEN:
        assert secret not in cleaned.replace(HIDDEN, "\n")


def test_a_password_of_three_letters_is_not_hidden_for_that_would_show_it():
    assert Redaction(["box"]).clean("the box runs") == "the box runs"


def test_a_sick_probe_hides_no_other_and_says_nothing_but_its_errors_name():
    def sick():
        raise ValueError("hunter2")

    patients = [Patient("sick", 5.0, sick), Patient("well", 5.0, lambda: [FINE])]
    failed, fine = examine_all(patients, FakeClock(AT))
    assert (failed.kind, failed.values) == (Kind.EXAMINATION_FAILED, {"error": "ValueError"})
    assert fine is FINE


def test_a_probe_that_does_not_end_is_left_behind():
    never = threading.Event()
    patients = [
        Patient("stuck", 0.01, lambda: [FINE] if never.wait(60) else []),
        Patient("/nas", 0.01, lambda: [FINE] if never.wait(60) else [], late=Kind.DISK_HANGS),
        Patient("well", 5.0, lambda: [FINE]),
    ]
    late, hung, fine = examine_all(patients, FakeClock(AT))
    never.set()
    assert (late.kind, late.subject) == (Kind.EXAMINATION_LATE, "stuck")
    assert (hung.kind, hung.subject) == (Kind.DISK_HANGS, "/nas")
    assert fine is FINE
