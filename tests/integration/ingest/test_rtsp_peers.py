"""RTSP servers that nobody here wrote; what is not installed is skipped (make onvif-peers)."""

import shutil

import pytest

from bench import rtsp_peers
from edge.media.sample import Codec
from protocol.clock import SystemClock
from tests.support.doctor import box_file, camera_table, examined

CLOCK = SystemClock()

pytestmark = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="needs ffmpeg for a clip (apt-get install ffmpeg)"
)
needs_vlc = pytest.mark.skipif(
    rtsp_peers.vlc() is None, reason="needs VLC (apt-get install vlc-bin vlc-plugin-base)"
)
needs_aio_rtsp = pytest.mark.skipif(
    rtsp_peers.aio_rtsp() is None, reason="needs aio-rtsp-toolkit (a package for development)"
)


@needs_vlc
@pytest.mark.parametrize("codec", Codec)
def test_a_camera_that_refuses_tcp_is_recorded_by_udp_with_nothing_configured(tmp_path, codec):
    clip = rtsp_peers.draw_clip(tmp_path / "clip.mp4", codec, seconds=30)
    box = tmp_path / "box"
    box.mkdir()
    with rtsp_peers.vlc_camera(clip, tmp_path, CLOCK) as url:
        kept = rtsp_peers.recorded({"main_url": url}, box, CLOCK)
    assert (kept.codec, kept.width, kept.height) == (codec, 640, 360)
    assert kept.frames >= 15
    assert (kept.figures["only_by_udp"], kept.figures["read_by_ffmpeg"]) == (1, 1)
    assert kept.detail is not None
    assert "by UDP only" in kept.detail


@needs_vlc
def test_the_doctor_says_that_a_camera_sends_by_udp_only_and_what_it_sends(tmp_path, capsys):
    clip = rtsp_peers.draw_clip(tmp_path / "clip.mp4", Codec.H264)
    with rtsp_peers.vlc_camera(clip, tmp_path, CLOCK) as url:
        cameras = camera_table(url, url, login=False)
        path = box_file(tmp_path, cameras=cameras, rest="[detect]\nenabled = false")
        found = examined(path, capsys)
    assert "camera.only_udp" in found.ids("gate")
    assert "camera.no_picture" not in found.ids("gate")
    assert "只支持 UDP" in found.one("camera.only_udp")["seen"]


@needs_vlc
def test_pictures_over_http_by_vlc_are_recorded_as_video(tmp_path):
    clip = rtsp_peers.draw_pictures(tmp_path / "clip.avi")
    box = tmp_path / "box"
    box.mkdir()
    with rtsp_peers.vlc_pictures(clip, tmp_path, CLOCK) as url:
        kept = rtsp_peers.recorded({"main_url": url}, box, CLOCK)
    assert (kept.codec, kept.width, kept.height) == ("h264", 640, 360)
    assert kept.frames >= 3
    assert kept.figures["recoded_pictures"] >= kept.frames


@pytest.mark.gstreamer
def test_pictures_over_rtsp_by_gstreamer_are_recorded_as_video(tmp_path):
    box = tmp_path / "box"
    box.mkdir()
    with rtsp_peers.gst_pictures(tmp_path, CLOCK) as url:
        kept = rtsp_peers.recorded({"main_url": url}, box, CLOCK)
    assert (kept.codec, kept.width, kept.height) == ("h264", 640, 360)
    assert kept.frames >= 8
    assert kept.figures["read_by_ffmpeg"] == 1


@needs_aio_rtsp
@pytest.mark.parametrize("codec", Codec)
def test_a_server_in_pure_python_is_recorded_by_our_own_reader(tmp_path, codec):
    folder = tmp_path / "clips"
    folder.mkdir()
    clip = rtsp_peers.draw_clip(folder / "clip.mp4", codec, seconds=30)
    box = tmp_path / "box"
    box.mkdir()
    with rtsp_peers.aio_rtsp_camera(clip, tmp_path, CLOCK) as url:
        kept = rtsp_peers.recorded({"main_url": url}, box, CLOCK)
    assert (kept.codec, kept.width, kept.height) == (codec, 640, 360)
    assert kept.frames >= 15
    assert kept.figures["read_by_ffmpeg"] == 0
