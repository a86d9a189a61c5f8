"""The doctor before real cameras that are broken on purpose."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bench import stepped_clock
from bench.stepped_clock import SteppedClock
from edge.doctor.probes.rtsp import RtspAsker
from edge.errors import RtspError
from edge.rtsp.challenge import Credentials
from protocol.clock import SystemClock
from tests.support.clocked_device import ClockedDevice
from tests.support.doctor import PASSWORD, box_file, camera_table, examined
from tests.support.rtsp import TestCamera, make_clip
from tests.support.tools import gstreamer_is_here
from tests.support.town_broker import make_certificate

OFF = "[detect]\nenabled = false"


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> dict[str, tuple[Path, int]]:
    folder = tmp_path_factory.mktemp("clips")
    return {
        "/main": (make_clip(folder / "main.h264", frames=50, width=1280, height=720), 25),
        "/sub": (make_clip(folder / "sub.h264", frames=20, gop=10, fps=10), 10),
        "/hevc": (make_clip(folder / "hevc.h265", frames=50), 25),
    }


@pytest.fixture(scope="module")
def camera(clips) -> Iterator[TestCamera]:
    with TestCamera(clips, auth="digest", password=PASSWORD) as running:
        yield running


def looked_at(tmp_path, capsys, main_url, sub_url=None, *, login=True):
    cameras = camera_table(main_url, sub_url, login=login)
    return examined(box_file(tmp_path, cameras=cameras, rest=OFF), capsys)


def test_of_a_good_camera_it_says_what_it_sends_and_how_long_the_disk_holds_it(
    camera, tmp_path, capsys
):
    found = looked_at(tmp_path, capsys, camera.url("/main"), camera.url("/sub"))

    assert found.ids("gate") == set()
    main, sub = found.one("camera.fine"), found.one("camera.stream")
    figures = main["values"]
    assert (figures["codec"], figures["width"], figures["height"]) == ("H.264", 1280, 720)
    assert figures["fps"] == pytest.approx(25, abs=0.5)
    assert figures["gop_s"] == pytest.approx(1, abs=0.1)
    assert figures["gb_a_day"] == pytest.approx(figures["mbps"] * 10.8, rel=0.2, abs=0.1)
    assert figures["disk_days"] > 0
    assert sub["values"]["fps"] == pytest.approx(10, abs=0.5)
    assert "1280×720" in main["seen"]
    assert "子码流 H.264 320×240" in sub["seen"]


@pytest.mark.parametrize("auth", ["digest", "basic"])
def test_a_wrong_password_is_told_from_a_wrong_path(clips, tmp_path, capsys, auth):
    with TestCamera(clips, auth=auth, password="another") as camera:
        wrong = looked_at(tmp_path, capsys, camera.url("/main"), camera.url("/sub"))
    with TestCamera(clips, auth=auth, password=PASSWORD) as camera:
        lost = looked_at(tmp_path, capsys, camera.url("/nowhere"), camera.url("/sub"))

    assert wrong.ids("gate") == {"camera.password_wrong"}
    assert wrong.status == 2
    assert "密码" in wrong.one("camera.password_wrong")["do"]
    assert lost.ids("gate") == {"camera.path_wrong"}
    assert lost.one("camera.path_wrong")["values"]["stream"] == "main"


def test_a_camera_that_wants_a_login_which_nobody_configured_is_told_so(camera, tmp_path, capsys):
    found = looked_at(tmp_path, capsys, camera.url("/main"), login=False)
    assert found.ids("gate") == {"camera.password_missing"}


def test_what_had_better_be_set_otherwise_is_advised(camera, tmp_path, capsys):
    found = looked_at(tmp_path, capsys, camera.url("/hevc"), camera.url("/hevc"))

    assert found.ids("gate") == {"camera.main_h265", "camera.sub_not_h264"}
    assert found.one("camera.sub_not_h264")["do"] == "子码流请设为 H.264 640×360 10 帧。"


def test_a_port_that_is_closed_and_one_that_is_no_cameras_are_told_apart(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    closed = looked_at(tmp_path, capsys, f"rtsp://127.0.0.1:{port}/main")
    with Stranger([b"HTTP/1.1 400 Bad Request\r\n\r\n"]) as stranger:
        other = looked_at(tmp_path, capsys, f"rtsp://127.0.0.1:{stranger.port}/main")

    assert closed.ids("gate") == {"camera.port_closed"}
    assert other.ids("gate") == {"camera.not_rtsp"}


def test_a_password_in_an_old_cameras_path_is_never_said(tmp_path, capsys):
    url = f"rtsp://localhost:1/user=admin_password={'kept-secret'}_channel=1"
    path = box_file(tmp_path, cameras=camera_table(url), rest=OFF)
    found = examined(path, capsys)
    assert found.ids("gate") == {"camera.port_closed"}
    assert "kept-secret" not in str(found.document)


@pytest.mark.skipif(stepped_clock.library() is None, reason="needs libfaketime")
def test_how_far_a_cameras_clock_is_off_is_what_it_says_while_it_plays(clips, tmp_path, capsys):
    if not gstreamer_is_here():
        pytest.skip("no gst-rtsp-server here")
    wrong = SteppedClock(SystemClock(), tmp_path / "off")
    wrong.step(timedelta(seconds=-754))
    given = wrong.environment(stepped_clock.library())
    variables = {key: given[key] for key in given if key.startswith(("FAKETIME", "LD_PRELOAD"))}
    with TestCamera(clips, kind="gst", variables=variables) as camera:
        found = looked_at(tmp_path, capsys, camera.url("/sub"), login=False)
    assert found.one("camera.clock_wrong")["values"]["offset_s"] == pytest.approx(-754, abs=2)


def test_one_that_does_not_say_is_asked_by_onvif_without_a_login(clips, tmp_path, capsys):
    with TestCamera(clips, kind="python") as camera, ClockedDevice(12) as device:
        more = f'onvif_url = "{device.base}"\nreader = "ffmpeg"'  # which tells no camera's time
        table = f"{camera_table(camera.url('/sub'), login=False)}\n{more}"
        found = examined(box_file(tmp_path, cameras=table, rest=OFF), capsys)
    assert found.one("camera.clock_off")["values"]["offset_s"] == pytest.approx(12, abs=1)
    assert [request.is_signed for request in device.requests] == [False]


class Stranger:
    """Answers each request on a connection with the next of its lines, and counts the logins."""

    def __init__(self, answers: list[bytes], tls: ssl.SSLContext | None = None) -> None:
        self._answers = answers
        self._tls = tls
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.requests: list[str] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.close()

    def _serve(self) -> None:
        try:
            while True:
                plain, _ = self._server.accept()
                tls = self._tls
                with tls.wrap_socket(plain, server_side=True) if tls else plain as connection:
                    for answer in self._answers:
                        self.requests.append(connection.recv(4096).decode())
                        connection.sendall(answer)
        except OSError:
            return


CHALLENGE = (
    b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n"
    b'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n\r\n'
)


def asked(stranger: Stranger, timeout_s: float = 5.0, scheme: str = "rtsp"):
    url = f"{scheme}://127.0.0.1:{stranger.port}/main"
    connection = socket.create_connection(("127.0.0.1", stranger.port))
    credentials = Credentials("camera", PASSWORD)
    return RtspAsker(url, SystemClock(), timeout_s).ask(connection, credentials)


def test_a_wrong_password_is_tried_once_and_never_for_the_sub_stream_too(tmp_path, capsys):
    with Stranger([CHALLENGE, CHALLENGE, CHALLENGE]) as stranger:
        base = f"rtsp://127.0.0.1:{stranger.port}"
        found = looked_at(tmp_path, capsys, f"{base}/main", f"{base}/sub")
        requests = stranger.requests
    assert found.ids("gate") == {"camera.password_wrong"}
    assert sum("Authorization: Digest" in request for request in requests) == 1
    assert not any(PASSWORD in request for request in requests)


def test_a_camera_with_a_certificate_of_its_own_is_asked_over_tls(tmp_path):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*make_certificate(tmp_path))
    body = b"m=video 0 RTP/AVP 96\r\na=framerate:15\r\n"
    answer = b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with Stranger([CHALLENGE, answer], tls) as stranger:
        description = asked(stranger, scheme="rtsps")
    assert (description.status, description.claimed_fps) == (200, 15)


def test_a_camera_that_stays_silent_is_given_up_in_time():
    with Stranger([b"", b""]) as stranger, pytest.raises(TimeoutError):
        asked(stranger, timeout_s=0.2)


@pytest.mark.parametrize(
    "answer",
    [
        b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 5000,
        b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"RTSP/1.0 2\xff0 OK\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nabc",
    ],
    ids=["endless head", "endless body", "no status", "hung up"],
)
def test_what_is_no_sensible_answer_ends_in_our_error(answer):
    with Stranger([answer]) as stranger, pytest.raises((RtspError, ConnectionError)):
        asked(stranger)
