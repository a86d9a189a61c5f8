"""What our own reader's opener knows before it connects."""

from urllib.parse import urlsplit

import pytest

from edge.config import CameraSection
from edge.errors import StreamRefused
from edge.ingest.own import OwnOpener, bare
from edge.ingest.reader import Reader
from protocol.clock import SystemClock
from protocol.relay import StreamName

PASSWORD = "p@ss:w/rd%?#"


def opener(**changes) -> OwnOpener:
    fields = {
        "id": "gate",
        "name": "村口",
        "grid_code": "533102105203001",
        "main_url": "rtsp://192.0.2.7/main",
        "sub_url": "rtsp://192.0.2.7/sub",
        "username": "admin",
        "password": {"env": "GATE_PASSWORD"},
    }
    clock = SystemClock()
    camera = CameraSection.model_validate(fields | changes)
    return OwnOpener.of_camera(camera, StreamName.SUB, Reader(clock), clock)


def test_a_password_that_can_not_be_read_refuses_the_stream_and_is_read_again(monkeypatch):
    monkeypatch.delenv("GATE_PASSWORD", raising=False)
    ours = opener()
    with pytest.raises(StreamRefused, match="secret GATE_PASSWORD: empty or not set"):
        ours.open()

    monkeypatch.setenv("GATE_PASSWORD", PASSWORD)
    assert ours._credentials().password == PASSWORD


def test_a_camera_without_a_user_has_no_password():
    assert opener(username=None, password=None)._credentials() is None


def test_the_sub_stream_is_the_main_one_where_there_is_no_other():
    assert opener()._url == "rtsp://192.0.2.7/sub"
    assert opener(sub_url=None)._url == "rtsp://192.0.2.7/main"


def test_an_address_is_asked_for_without_names_and_fragments():
    asked = bare(urlsplit("rtsp://user:secret@192.0.2.7:8554/a?b=c#d"))
    assert asked == "rtsp://192.0.2.7:8554/a?b=c"
