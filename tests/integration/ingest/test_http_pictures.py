"""Cameras that have JPEG pictures and no video: by HTTP, one by one or without an end."""

import itertools

import av
import pytest

from bench import rtsp_peers
from edge.config import CameraSection
from edge.errors import (
    StreamError,
    StreamMissing,
    StreamRefused,
    StreamStalled,
    StreamUntrusted,
)
from edge.ingest import http_pictures
from edge.ingest.choice import ChosenOpener
from edge.ingest.reader import Reader
from edge.media.sample import TICKS_PER_S, Codec, Packet
from edge.rtsp.challenge import Credentials
from protocol.clock import SystemClock
from protocol.relay import StreamName
from tests.support.doctor import box_file, camera_table, examined
from tests.support.http_camera import PASSWORD, USER, HttpCamera, drawn
from tests.support.town_broker import make_camera_certificate

CLOCK = SystemClock()
LOGIN = Credentials(USER, PASSWORD)


@pytest.fixture(autouse=True)
def password(monkeypatch) -> None:
    monkeypatch.setenv("GATE_PASSWORD", PASSWORD)


def opener(url: str, *, login: bool = False, **changes) -> ChosenOpener:
    fields = {"id": "gate", "name": "村口", "grid_code": "533102105203001", "main_url": url}
    if login:
        fields |= {"username": USER, "password": {"env": "GATE_PASSWORD"}}
    section = CameraSection.model_validate({"snapshot_every_s": 0.2} | fields | changes)
    return ChosenOpener.of_camera(section, StreamName.MAIN, Reader(CLOCK), CLOCK)


def pulled(chosen: ChosenOpener, most: int = 4) -> list[Packet]:
    source, packets = chosen.open(), []
    assert source.codec is Codec.H264

    def take(packet: Packet) -> bool:
        packets.append(packet)
        return len(packets) < most

    try:
        source.deliver(take)
    finally:
        source.close()
    return packets


@pytest.mark.parametrize("path", ["/snapshot.jpg", "/video.mjpg"])
def test_pictures_become_video_that_begins_with_a_key_frame(path):
    with HttpCamera() as camera:
        packets = pulled(opener(camera.url(path)), 13)
    assert [packet.is_key for packet in packets].count(True) == 2
    assert packets[0].is_key
    decoder = av.CodecContext.create("h264", "r")
    data = b"".join(b"\0\0\0\1" + unit for packet in packets for unit in packet.units)
    frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    assert {(frame.width, frame.height) for frame in frames} == {(320, 240)}
    steps = [b.pts_90k - a.pts_90k for a, b in itertools.pairwise(packets)]
    assert min(steps) >= TICKS_PER_S * 0.18


def test_no_more_than_five_pictures_a_second_are_made_into_video_and_all_are_counted():
    with HttpCamera(fps=50) as camera:
        chosen = opener(camera.url("/video.mjpg"))
        packets = pulled(chosen, 5)
        assert camera.asked > 20
    assert chosen.recoded.pictures == len(packets) == 5
    assert chosen.recoded.busy_ns > 0
    assert not chosen.is_ffmpeg


def test_a_picture_of_another_size_is_another_video_and_one_of_odd_size_is_cut_even():
    sizes = {1: (320, 240), 2: (321, 241), 3: (640, 480)}
    with HttpCamera(picture=lambda number: drawn(number, *sizes[min(number, 3)])) as camera:
        packets = pulled(opener(camera.url("/snapshot.jpg")), 3)
    assert [packet.is_key for packet in packets] == [True, False, True]


@pytest.mark.parametrize("path", ["/snapshot.jpg", "/video.mjpg"])
def test_a_camera_that_wants_a_digest_gets_it_on_its_challenge_and_never_the_password(path):
    with HttpCamera(login="digest") as camera:
        assert len(pulled(opener(camera.url(path), login=True), 2)) == 2
        assert all(each.startswith("Digest ") for each in camera.logins)
        assert not any(PASSWORD in each for each in camera.logins)


def test_a_wrong_password_is_sent_once(monkeypatch):
    monkeypatch.setenv("GATE_PASSWORD", "wrong")
    with HttpCamera(login="digest") as camera:
        with pytest.raises(StreamRefused, match="401"):
            opener(camera.url("/snapshot.jpg"), login=True).open()
        assert len(camera.logins) == 1


def test_a_password_goes_out_as_it_is_only_where_that_is_configured():
    with HttpCamera(login="basic") as camera:
        with pytest.raises(StreamRefused, match="basic_over_http"):
            opener(camera.url("/snapshot.jpg"), login=True).open()
        assert camera.logins == []
        allowed = opener(camera.url("/snapshot.jpg"), login=True, basic_over_http=True)
        assert len(pulled(allowed, 1)) == 1
        assert all(each.startswith("Basic ") for each in camera.logins)


def test_over_tls_only_a_trusted_camera_is_asked_and_there_the_password_may_go_out(tmp_path):
    _, with_key, sha256 = make_camera_certificate(tmp_path)
    with HttpCamera(login="basic", certificate=with_key) as camera:
        url = camera.url("/snapshot.jpg")
        with pytest.raises(StreamUntrusted, match=sha256):
            opener(url, login=True).open()
        assert camera.logins == []
        assert len(pulled(opener(url, login=True, certificate_sha256=sha256), 1)) == 1


def test_what_the_camera_says_no_to_is_told_apart():
    with HttpCamera() as camera:
        with pytest.raises(StreamMissing, match="404"):
            opener(camera.url("/other")).open()
        url = camera.url("/snapshot.jpg")
    with pytest.raises(StreamError, match="no connection"):
        opener(url).open()


@pytest.mark.parametrize(
    "picture",
    [b"<html>", b"\xff\xd8 no picture", b"\xff\xd8" + bytes(3 << 20), b""],
    ids=["a page", "nonsense", "3 MB", "nothing"],
)
def test_what_is_no_picture_ends_the_stream_with_our_error(picture):
    with HttpCamera(picture=lambda _: picture) as camera, pytest.raises(StreamError):
        pulled(opener(camera.url("/snapshot.jpg")))


def test_a_small_file_that_claims_to_be_a_huge_picture_is_not_unpacked():
    jpeg = bytearray(drawn(1))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = b"\xff\xdc\xff\xdc"  # 65500 pixels each way
    with HttpCamera(picture=lambda _: bytes(jpeg)) as camera, pytest.raises(StreamError):
        pulled(opener(camera.url("/snapshot.jpg")))


def test_a_camera_that_goes_on_sending_but_no_picture_is_given_up(monkeypatch):
    monkeypatch.setattr(http_pictures, "SILENT_S", 0.5)
    with (
        HttpCamera(fps=0.01) as camera,
        pytest.raises(StreamStalled, match=r"no picture for 0\.5 s"),
    ):
        opener(camera.url("/video.mjpg")).open()


def test_a_box_records_it_and_says_that_it_is_made_into_video(tmp_path):
    with HttpCamera(login="digest") as camera:
        section = {"main_url": camera.url("/snapshot.jpg"), "snapshot_every_s": 0.5}
        kept = rtsp_peers.recorded(section, tmp_path, CLOCK, LOGIN)
    assert (kept.codec, kept.width, kept.height) == ("h264", 320, 240)
    assert kept.frames >= 3
    assert kept.detail is not None
    assert "single pictures" in kept.detail


def test_the_doctor_says_what_such_a_camera_costs(tmp_path, capsys):
    with HttpCamera() as camera:
        table = camera_table(camera.url("/video.mjpg"), login=False)
        path = box_file(tmp_path, cameras=table, rest="[detect]\nenabled = false")
        found = examined(path, capsys)
    assert "camera.pictures" in found.ids("gate")
    figures = found.one("camera.pictures")["values"]
    assert (figures["width"], figures["height"]) == (320, 240)
    assert 1 <= figures["percent"] <= 100


def test_the_doctor_tells_a_wrong_password_of_it_and_tries_it_once(tmp_path, capsys):
    with HttpCamera(login="digest") as camera:
        table = camera_table(camera.url("/snapshot.jpg"))
        path = box_file(tmp_path, cameras=table, rest="[detect]\nenabled = false")
        found = examined(path, capsys)
        assert found.ids("gate") == {"camera.password_wrong"}
        assert len(camera.logins) == 1
