import io
import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.clock import FakeClock
from village.testcam.clip import Clip, Coding, Unit
from village.testcam.programme import Credentials, Mount, Programme, Report, parse_options

CLIP = Clip(Coding.H264, (Unit((b"\x65",), is_key=True),) * 10, ())
NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)


def programme(fps="7", started=1_000):
    return Programme(Mount("/cam", Path("a.h264"), Fraction(fps)), CLIP, started)


def test_a_mount_is_read_and_written_in_one_form():
    text = "/cam-01/main=/tmp/a=b@c.h264@30000/1001"
    mount = Mount.parse(text)
    assert mount == Mount("/cam-01/main", Path("/tmp/a=b@c.h264"), Fraction(30000, 1001))
    assert str(mount) == text


@pytest.mark.parametrize(
    "text", ["", "/cam", "cam=a@7", "/cam=a", "/cam=a@0", "/cam=a@1/0", "/c=@7"]
)
def test_a_mount_of_another_form_is_refused(text):
    with pytest.raises(ValueError, match="a mount is /path=file@fps"):
        Mount.parse(text)


@given(st.integers(0, 10**7), st.sampled_from(["7", "25", "30000/1001"]))
def test_frames_are_due_without_drift(frame, fps):
    it = programme(fps)
    assert it.frame_at(it.due_ns(frame)) == frame
    assert it.frame_at(it.due_ns(frame) + 1) in (frame, frame + 1)
    assert it.due_ns(frame + 1) > it.due_ns(frame)


def test_a_short_delay_is_caught_up_and_a_long_one_skipped():
    it = programme("10", started=0)
    assert it.catch_up(5, it.due_ns(25)) == 5
    assert it.catch_up(5, it.due_ns(25) + 1) == 26


def test_the_report_says_when_each_turn_is_due():
    out = io.StringIO()
    clock = FakeClock(NOW, 1_000)
    report = Report(clock, out)
    clock.advance(99)
    report.ready("gst", "127.0.0.1", 8554)
    report.loop(programme("10", started=report.started_mono_ns), 30)
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {
            "event": "ready",
            "server": "gst",
            "host": "127.0.0.1",
            "port": 8554,
            "mono_ns": 1_000,
            "utc": "2026-11-22T01:02:03+00:00",
        },
        {
            "event": "loop",
            "mount": "/cam",
            "loop": 3,
            "mono_ns": 3_000_001_000,
            "utc": "2026-11-22T01:02:06+00:00",
        },
    ]


def test_the_password_is_read_from_a_file_and_never_shown(tmp_path):
    secret = tmp_path / "p"
    secret.write_text("geheim\nmore\n")
    options = parse_options(
        ["--mount", "/a=b.h264@7", "--auth", "digest", "--password-file", str(secret)]
    )
    assert options.credentials == Credentials("digest", "camera", "geheim")
    assert "geheim" not in repr(options)


def test_the_password_may_come_on_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("geheim\n"))
    options = parse_options(["--mount", "/a=b.h264@7", "--auth", "basic", "--password-file", "-"])
    assert options.credentials == Credentials("basic", "camera", "geheim")


@pytest.mark.parametrize("line", [["--mount", "x"], ["--mount", "/a=b@7", "--auth", "basic"]])
def test_a_wrong_command_line_ends_with_status_2(line, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_options(line)
    assert ended.value.code == 2
    capsys.readouterr()
