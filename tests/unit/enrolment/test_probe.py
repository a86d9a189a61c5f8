"""In which order a camera's streams are looked at, and when one is not."""

import pytest

from edge.cameras.codec_report import CodecReport
from edge.doctor.camera import Step, StreamFacts
from edge.doctor.probes.camera import Target
from edge.doctor.rtsp_hint import Status
from edge.enrolment import probe
from edge.enrolment.errand import Examining, ProbeSaid, Space
from edge.errors import CameraTimeout, CameraUnreachable, CameraUnsupported
from edge.media.sample import Codec
from protocol.clock import SystemClock
from protocol.relay import StreamName

REPORT = CodecReport(
    codec=Codec.H264,
    mime_codec="avc1.64001f",
    width=640,
    height=360,
    fps=10,
    claimed_fps=None,
    bit_rate_bps=500_000,
    gop_s=2,
    has_b_frames=False,
    pace=None,
)
ORDER = Examining(
    rtsp_url="rtsp://192.0.2.10/main",
    rtsp_sub_url="rtsp://192.0.2.10/sub",
    username="camera",
    password="hunter22",
    space=Space(room_bytes=None, cameras=1, days=30),
)


def facts(stream: StreamName, *, failed: Step | None = None, status: int = 200) -> StreamFacts:
    report = REPORT if failed is None else None
    return StreamFacts(
        stream, "192.0.2.10", 554, has_login=True, failed=failed, status=status, report=report
    )


@pytest.fixture
def examined(monkeypatch):
    """Examine a camera whose streams turn out as given, one after another."""

    def examine(*outcomes: StreamFacts) -> tuple[ProbeSaid, list[StreamName]]:
        left, looked = list(outcomes), []

        def look_at(target: Target, _readers, _clock) -> StreamFacts:
            looked.append(target.stream)
            return left.pop(0)

        monkeypatch.setattr(probe, "look_at", look_at)
        return probe.Probe(ORDER, SystemClock(), lambda _step: None).run(), looked

    return examine


MAIN, SUB = StreamName.MAIN, StreamName.SUB


def test_what_sends_nothing_by_tcp_is_tried_by_udp(examined):
    silent = facts(MAIN, failed=Step.PICTURE)
    said, looked = examined(silent, facts(MAIN), facts(SUB))
    assert looked == [MAIN, MAIN, SUB]
    assert said.pulled is not None
    assert said.pulled.transport == "udp"
    assert {stream.transport for stream in said.streams} == {"udp"}


def test_what_sends_nothing_at_all_has_no_sub_stream_looked_at(examined):
    silent = facts(MAIN, failed=Step.PICTURE)
    said, looked = examined(silent, silent)
    assert looked == [MAIN, MAIN]
    assert said.problem is not None
    assert said.problem.kind == "no_picture"
    assert said.pulled is None


def test_a_login_that_is_refused_is_not_sent_again(examined):
    said, looked = examined(facts(MAIN, failed=Step.ANSWER, status=Status.UNAUTHORIZED))
    assert looked == [MAIN]
    assert said.problem is not None
    assert said.problem.kind == "password_wrong"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CameraTimeout("no connection within 3 s"), "unreachable"),
        (CameraTimeout("the camera was silent for 8 s"), "timeout"),
        (CameraUnreachable("no connection: Connection refused"), "unreachable"),
        (CameraUnsupported("HTTP 404"), "no_onvif"),
    ],
)
def test_an_address_where_nobody_is_is_told_from_a_camera_that_is_slow(monkeypatch, error, kind):
    def nobody(*_given: object, **_named: object) -> None:
        raise error

    monkeypatch.setattr(probe, "Camera", nobody)
    monkeypatch.setattr(probe, "_is_open", lambda _host, _port: False)
    order = Examining(address="192.0.2.10", space=ORDER.space)
    said = probe.Probe(order, SystemClock(), lambda _step: None).run()
    assert said.problem is not None
    assert said.problem.kind == kind
