"""Which reader a stream is read with."""

import logging
from datetime import timedelta

import pytest

from edge.config import CameraSection
from edge.errors import RtspError, StreamError, StreamUnsuited
from edge.ingest.choice import ChosenOpener
from edge.ingest.ffmpeg import FfmpegOpener
from edge.ingest.own import OwnOpener
from edge.ingest.reader import Reader
from edge.rtsp.flaws import Flaws
from edge.rtsp.sender_clock import FEWEST
from protocol.clock import SystemClock
from protocol.relay import StreamName
from tests.support.packets import ScriptedSource

WHO = {"camera_id": "gate", "stream": "main"}


class Scripted:
    """Opens, or fails as told."""

    flaws = Flaws(lost=7, torn=2)

    def clock_offset(self, fewest: int = FEWEST) -> timedelta | None:
        return timedelta(seconds=fewest)

    def __init__(self, error: StreamError | None = None) -> None:
        self.error = error
        self.asked: list[bool] = []

    def open(self, *, watched: bool = False) -> ScriptedSource:
        self.asked.append(watched)
        if self.error is not None:
            raise self.error
        return ScriptedSource([])


def camera(**changes) -> CameraSection:
    fields = {
        "id": "gate",
        "name": "村口",
        "grid_code": "533102105203001",
        "main_url": "rtsp://192.0.2.7/main",
    }
    return CameraSection.model_validate(fields | changes)


def chosen(**changes) -> ChosenOpener:
    clock = SystemClock()
    return ChosenOpener.of_camera(camera(**changes), StreamName.MAIN, Reader(clock), clock)


def test_our_own_reader_is_the_one_that_is_used():
    own = Scripted()
    opener = ChosenOpener(own, Scripted, WHO)
    opener.open(watched=True)
    assert own.asked == [True]
    assert not opener.is_ffmpeg
    assert opener.clock_offset(3) == timedelta(seconds=3)


def test_a_camera_that_it_is_not_suited_for_is_read_by_ffmpeg_and_that_is_said_once(caplog):
    own, ffmpeg = Scripted(StreamUnsuited("the camera answers 461")), Scripted()
    opener = ChosenOpener(own, lambda: ffmpeg, WHO)
    with caplog.at_level(logging.WARNING):
        opener.open()
        opener.open(watched=True)
    assert (own.asked, ffmpeg.asked) == ([False], [False, True])
    assert opener.is_ffmpeg
    said = [record for record in caplog.records if record.msg == "stream.read_by_ffmpeg"]
    assert [record.reason for record in said] == ["the camera answers 461"]


def test_what_our_reader_counted_is_still_told_when_ffmpeg_reads():
    opener = ChosenOpener(Scripted(StreamUnsuited("the camera answers 461")), Scripted, WHO)
    opener.open()
    assert opener.flaws == Flaws(lost=7, torn=2)
    assert opener.clock_offset(3) is None
    assert ChosenOpener(None, Scripted, WHO).flaws == Flaws()


def test_what_is_wrong_with_the_camera_itself_changes_no_reader():
    own = Scripted(StreamError("no connection"))
    opener = ChosenOpener(own, Scripted, WHO)
    for _ in range(2):
        with pytest.raises(StreamError):
            opener.open()
    assert len(own.asked) == 2


def failures(opener: ChosenOpener, own: Scripted, errors: list[StreamError]) -> list[type]:
    """Open once for each error that our own reader is to end with; return what was raised."""
    raised = []
    for own.error in errors:
        with pytest.raises(StreamError) as caught:
            opener.open()
        raised.append(caught.type)
    return raised


def test_a_camera_that_ours_makes_no_sense_of_twice_is_read_by_ffmpeg_and_that_is_said_once(caplog):
    own, ffmpeg = Scripted(RtspError("a head of a mile")), Scripted()
    opener = ChosenOpener(own, lambda: ffmpeg, WHO)
    assert failures(opener, own, [RtspError("a head of a mile")]) == [RtspError]
    assert not opener.is_ffmpeg
    with caplog.at_level(logging.WARNING):
        opener.open(watched=True)
        opener.open()
    assert (len(own.asked), ffmpeg.asked) == (2, [True, False])
    assert opener.is_ffmpeg
    said = [record for record in caplog.records if record.msg == "stream.read_by_ffmpeg"]
    assert [record.reason for record in said] == ["a head of a mile"]


def test_where_ffmpeg_makes_no_sense_of_it_either_ours_is_asked_again(caplog):
    own, ffmpeg = Scripted(), Scripted(StreamError("Invalid data"))
    opener = ChosenOpener(own, lambda: ffmpeg, WHO)
    nonsense = RtspError("not RTSP")
    with caplog.at_level(logging.WARNING):
        raised = failures(opener, own, [nonsense] * 5)
    assert raised == [RtspError, StreamError, RtspError, StreamError, RtspError]
    assert not opener.is_ffmpeg
    assert caplog.records == []
    own.error = None
    opener.open()
    assert len(ffmpeg.asked) == 2


def test_nonsense_counts_in_a_row_only():
    own = Scripted()
    opener = ChosenOpener(own, lambda: pytest.fail("asked for FFmpeg"), WHO)
    away, nonsense = StreamError("no connection"), RtspError("not RTSP")
    failures(opener, own, [nonsense, away, nonsense])
    own.error = None
    opener.open()
    assert failures(opener, own, [nonsense]) == [RtspError]


def test_own_means_no_other_whatever_it_makes_of_the_camera():
    own = Scripted()
    opener = ChosenOpener(own, None, WHO)
    assert failures(opener, own, [RtspError("not RTSP")] * 4) == [RtspError] * 4


def test_own_means_no_other():
    opener = ChosenOpener(Scripted(StreamUnsuited("no")), None, WHO)
    with pytest.raises(StreamUnsuited):
        opener.open()
    assert not opener.is_ffmpeg


def test_the_configuration_chooses():
    assert isinstance(chosen()._own, OwnOpener)
    assert chosen(reader="own")._new_ffmpeg is None
    assert chosen(reader="ffmpeg").is_ffmpeg
    assert isinstance(chosen(transport="udp")._new_ffmpeg(), FfmpegOpener)
    assert chosen(transport="udp").is_ffmpeg


def test_our_own_reader_can_not_be_asked_for_udp():
    with pytest.raises(ValueError, match="'reader' own can't take 'transport' udp"):
        camera(reader="own", transport="udp")
