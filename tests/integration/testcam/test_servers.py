"""Both test cameras, looked at by PyAV as the edge does."""

import itertools

import av
import av.error
import pytest

from tests.support.rtsp import TestCamera, make_clip, read_index
from tests.support.tools import gstreamer_is_here

KINDS = [
    pytest.param("gst", marks=pytest.mark.gstreamer),
    "python",
]


@pytest.fixture(params=KINDS)
def kind(request):
    if request.param == "gst" and not gstreamer_is_here():
        pytest.skip("needs gst-rtsp-server for the system's python3")
    return request.param


def frames(url, count, **options):
    options = {"rtsp_transport": "tcp", "allowed_media_types": "video", **options}
    with av.open(url, options=options, timeout=(5, 5)) as container:
        for frame in itertools.islice(container.decode(video=0), count):
            yield frame.pts, read_index(frame.to_ndarray(format="gray"))


@pytest.mark.parametrize("suffix", ["h264", "h265"])
def test_a_loop_has_no_seam_in_picture_order_or_time(kind, suffix, tmp_path):
    clip = make_clip(tmp_path / f"a.{suffix}", frames=20, fps=25, gop=10)
    with TestCamera({"/cam": (clip, 25)}, kind=kind) as camera:
        seen = list(frames(camera.url("/cam"), 50))
    first = seen[0][1]
    assert [index for _, index in seen] == [(first + n) % 20 for n in range(50)]
    # FFmpeg knows no time for the packet before the first sender report
    steps = {b[0] - a[0] for a, b in itertools.pairwise(seen) if a[0] is not None}
    assert steps == {3600}


def test_the_first_picture_is_a_key_frame_and_the_pump_does_not_wait_for_a_client(kind, tmp_path):
    clip = make_clip(tmp_path / "a.h264", frames=50, fps=25, gop=10)
    with TestCamera({"/cam": (clip, 25)}, kind=kind) as camera:
        assert camera.wait_event("loop", timeout_s=5)["loop"] == 0
        assert camera.wait_event("loop", timeout_s=5)["loop"] == 1
        (seen,) = frames(camera.url("/cam"), 1)
    assert seen[1] % 10 == 0


def test_all_mounts_begin_at_one_instant_and_say_so(kind, tmp_path):
    clip = make_clip(tmp_path / "a.h264", frames=25, fps=25)
    with TestCamera({"/a": (clip, 25), "/b": (clip, 25)}, kind=kind) as camera:
        lines = [camera.wait_event("loop", timeout_s=5) for _ in range(4)]
    begun = {line["mono_ns"] for line in lines if line["loop"] == 0}
    again = {line["mono_ns"] for line in lines if line["loop"] == 1}
    assert len(begun) == len(again) == 1
    assert again.pop() - begun.pop() == 1_000_000_000


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_a_password_opens_the_camera_and_a_wrong_one_does_not(kind, auth, tmp_path):
    clip = make_clip(tmp_path / "a.h264", frames=25, fps=25, gop=5)
    with TestCamera({"/cam": (clip, 25)}, kind=kind, auth=auth, password="geheim") as camera:
        url = camera.url("/cam")
        assert len(list(frames(url.replace("//", "//camera:geheim@"), 3))) == 3
        with pytest.raises(av.error.HTTPUnauthorizedError):
            list(frames(url.replace("//", "//camera:falsch@"), 1))
        with pytest.raises(av.error.HTTPUnauthorizedError):
            list(frames(url, 1))


def test_an_unknown_path_is_refused(kind, tmp_path):
    clip = make_clip(tmp_path / "a.h264", frames=25, fps=25)
    with (
        TestCamera({"/cam": (clip, 25)}, kind=kind) as camera,
        pytest.raises(av.error.HTTPNotFoundError),
    ):
        list(frames(camera.url("/other"), 1))


def test_a_killed_camera_comes_back_on_its_port(kind, tmp_path):
    clip = make_clip(tmp_path / "a.h264", frames=25, fps=25, gop=5)
    with TestCamera({"/cam": (clip, 25)}, kind=kind) as camera:
        url = camera.url("/cam")
        assert len(list(frames(url, 2))) == 2
        camera.restart()
        assert camera.url("/cam") == url
        assert len(list(frames(url, 2))) == 2


def test_a_frozen_camera_goes_on_where_the_clock_is(kind, tmp_path):
    clip = make_clip(tmp_path / "a.h264", frames=50, fps=25, gop=5)
    with TestCamera({"/cam": (clip, 25)}, kind=kind) as camera:
        before = camera.wait_event("loop", timeout_s=5)
        camera.freeze()
        camera.thaw()
        after = camera.wait_event("loop", timeout_s=5)
    assert after["mono_ns"] - before["mono_ns"] == 2_000_000_000


def test_the_python_camera_refuses_udp(tmp_path):
    clip = make_clip(tmp_path / "a.h264", frames=25, fps=25)
    with (
        TestCamera({"/cam": (clip, 25)}, kind="python") as camera,
        pytest.raises(av.error.FFmpegError),
    ):
        list(frames(camera.url("/cam"), 1, rtsp_transport="udp"))
