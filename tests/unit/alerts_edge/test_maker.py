"""Which stream a clip is of, and how long it may be."""

from dataclasses import replace
from datetime import timedelta

import pytest

from edge.alerts.maker import Maker
from edge.alerts.piece import Piece
from edge.errors import NotFoundError
from edge.recording.fitting import Fit
from protocol.messages import AlertLevel, EvidenceKind
from protocol.relay import StreamName
from tests.support.desk_box import AT, box_config

SUB, MAIN = StreamName.SUB, StreamName.MAIN
PIECE = Piece(
    alert_id="a",
    camera_id="square",
    kind=EvidenceKind.CLIP,
    level=AlertLevel.ORDINARY,
    began=AT,
    due=AT,
    start=AT - timedelta(seconds=10),
    end=AT + timedelta(seconds=20),
    path=None,
    sha256=None,
    size_bytes=None,
    tries=0,
)


class Recorder:
    """Has footage of some streams, from a time on, and tells what was asked of it."""

    def __init__(self, **begins):
        self._begins = begins
        self.asked = []

    def clip(self, camera_id, start, end, target, stream, fit):
        self.asked.append((stream, fit))
        if stream.value not in self._begins:
            raise NotFoundError("not recorded")
        target.write_bytes(b"clip")
        return max(start, self._begins[stream.value]), end


def maker(folder, recorder, *, record_sub=True, **evidence):
    camera = {
        "id": "square",
        "name": "文化广场",
        "grid_code": "533102105203004",
        "main_url": "rtsp://192.0.2.1/main",
        "sub_url": "rtsp://192.0.2.1/sub",
        "record_sub": record_sub,
    }
    return Maker(box_config(folder, cameras=[camera], evidence=evidence), None, recorder)


def test_a_clip_is_of_the_sub_stream_and_short_where_that_is_recorded(tmp_path):
    recorder = Recorder(sub=AT - timedelta(hours=1), main=AT - timedelta(hours=1))
    made = maker(tmp_path, recorder).make(PIECE, tmp_path / "a.mp4")
    assert recorder.asked == [(SUB, Fit(2_000_000, AT))]
    assert (made.start, made.end) == (PIECE.start, PIECE.end)


@pytest.mark.parametrize(
    "settings", [{"record_sub": False}, {"clip_from": "main"}], ids=["not recorded", "not wanted"]
)
def test_a_clip_is_of_the_main_stream_where_the_sub_stream_is_not(tmp_path, settings):
    recorder = Recorder(sub=AT - timedelta(hours=1), main=AT - timedelta(hours=1))
    maker(tmp_path, recorder, **settings).make(PIECE, tmp_path / "a.mp4")
    assert recorder.asked == [(MAIN, None)]


def test_what_a_person_asked_for_is_of_the_main_stream_whatever_is_recorded_beside_it(tmp_path):
    recorder = Recorder(sub=AT - timedelta(hours=1), main=AT - timedelta(hours=1))
    asked = replace(PIECE, is_asked=True)
    maker(tmp_path, recorder).make(asked, tmp_path / "a.mp4")
    assert recorder.asked == [(MAIN, None)]


@pytest.mark.parametrize("begins", [{}, {"sub": AT + timedelta(seconds=1)}])
def test_where_the_sub_stream_was_not_there_then_the_clip_is_of_the_main_stream(tmp_path, begins):
    recorder = Recorder(main=AT - timedelta(seconds=5), **begins)
    made = maker(tmp_path, recorder).make(PIECE, tmp_path / "a.mp4")
    assert [stream for stream, _ in recorder.asked] == [SUB, MAIN]
    assert made.start == AT - timedelta(seconds=5)


def test_where_neither_was_there_it_is_not_made(tmp_path):
    with pytest.raises(NotFoundError):
        maker(tmp_path, Recorder()).make(PIECE, tmp_path / "a.mp4")


def test_no_clip_is_longer_than_the_centre_takes(tmp_path):
    recorder = Recorder(main=AT - timedelta(hours=1))
    made = maker(tmp_path, recorder)
    assert not made.is_too_long(10**12)
    made.limit_bytes = 1_000_000
    made.make(PIECE, tmp_path / "a.mp4")
    assert recorder.asked == [(SUB, Fit(1_000_000, AT)), (MAIN, Fit(1_000_000, AT))]
    assert [made.is_too_long(size) for size in (1_000_000, 1_000_001)] == [False, True]
