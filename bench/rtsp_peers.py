"""RTSP servers that others wrote, as cameras; and what a box makes of a camera by itself.

VLC sends by UDP only, aio-rtsp-toolkit by either. What is not installed is None here.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import av

from bench import wait
from bench.program import Program
from bench.transcript import Transcript
from edge.config import CameraSection, EdgeConfig
from edge.doctor.probes.camera import Target, look_at
from edge.media.sample import Codec
from edge.rtsp.challenge import Credentials
from edge.station import Station
from protocol.clock import Clock
from protocol.relay import StreamName
from village.settings import free_port
from village.testcam.server import environment, has_gstreamer

_LOOPBACK = "127.0.0.1"
_READY_S = 30.0
_ENCODERS = {Codec.H264: "libx264", Codec.H265: "libx265"}
_VLC_BOUNDARY = "7b3cc56e5f51db803f790dad720ed50a"
_ID = "gate"
_GST_PICTURES = """
import sys, gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server, factory = GstRtspServer.RTSPServer(), GstRtspServer.RTSPMediaFactory()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
factory.set_launch(
    "( videotestsrc is-live=true ! video/x-raw,format=I420,width=640,height=360,framerate=10/1"
    " ! jpegenc ! rtpjpegpay name=pay0 pt=26 )"
)
factory.set_shared(True)
server.get_mount_points().add_factory("/cam", factory)
server.attach(None)
GLib.MainLoop().run()
"""
_RECORD_S = 40.0


def vlc() -> str | None:
    """Return VLC without its windows, None where it is not installed."""
    return shutil.which("cvlc")


def aio_rtsp() -> Path | None:
    """Return aio-rtsp-toolkit's server, None where nobody installed it."""
    found = Path(sys.executable).parent / "rtsp-server"
    return found if found.exists() else None


def draw_clip(path: Path, codec: Codec, seconds: int = 4) -> Path:
    """Write an MP4 file of 640×360 at 15 frames a second by the ffmpeg that is installed."""
    encoder = _ENCODERS[codec]
    return _draw(path, seconds, "-c:v", encoder, "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def draw_pictures(path: Path, seconds: int = 4) -> Path:
    """Write an AVI file of such pictures, each a JPEG."""
    return _draw(path, seconds, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "4")


def _draw(path: Path, seconds: int, *coded: str) -> Path:
    drawn = f"testsrc=size=640x360:rate=15:duration={seconds}"
    line = ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", drawn, "-g", "15", *coded]
    subprocess.run([*line, str(path)], check=True, capture_output=True)
    return path


@contextlib.contextmanager
def vlc_camera(clip: Path, folder: Path, clock: Clock) -> Iterator[str]:
    """Serve an MP4 file by VLC, over and over, and yield its address.

    It answers 461 to whoever wants the video by TCP. It refuses to be root's: then it is nobody's.
    """
    port = free_port()
    shown = f"#gather:rtp{{sdp=rtsp://{_LOOPBACK}:{port}/cam}}"
    with _vlc(clip, shown, folder) as running:
        _await_port(port, running, clock)
        yield f"rtsp://{_LOOPBACK}:{port}/cam"


@contextlib.contextmanager
def _vlc(clip: Path, shown: str, folder: Path) -> Iterator[Program]:
    program = vlc()
    assert program is not None
    with tempfile.TemporaryDirectory() as open_to_all:
        played = Path(shutil.copy(clip, open_to_all))
        Path(open_to_all).chmod(0o755)
        played.chmod(0o644)
        line = [program, "-I", "dummy", "--no-sout-audio", str(played), "--sout", shown]
        line += ["--sout-keep", "--loop", "--rtsp-host", _LOOPBACK]
        line += ["--http-host", _LOOPBACK]
        if os.geteuid() == 0:
            line = ["setpriv", "--reuid", "nobody", "--clear-groups", *line]
        with Program(line, folder / "vlc.log", folder=Path(open_to_all)) as running:
            yield running


@contextlib.contextmanager
def vlc_pictures(clip: Path, folder: Path, clock: Clock) -> Iterator[str]:
    """Serve a file of :func:`draw_pictures` by VLC over HTTP without an end; yield its address."""
    port = free_port()
    kind = f"multipart/x-mixed-replace;boundary={_VLC_BOUNDARY}"
    by = f"access=http{{mime={kind}}},mux=mpjpeg,dst={_LOOPBACK}:{port}/cam"
    with _vlc(clip, f"#standard{{{by}}}", folder) as running:
        _await_port(port, running, clock)
        yield f"http://{_LOOPBACK}:{port}/cam"


@contextlib.contextmanager
def gst_pictures(folder: Path, clock: Clock) -> Iterator[str]:
    """Serve drawn JPEG pictures by gst-rtsp-server (RFC 2435), and yield its address."""
    port = free_port()
    line = ["/usr/bin/python3", "-c", _GST_PICTURES, str(port)]
    with Program(line, folder / "gst.log", environment=environment("gst")) as running:
        _await_port(port, running, clock)
        yield f"rtsp://{_LOOPBACK}:{port}/cam"


@contextlib.contextmanager
def aio_rtsp_camera(clip: Path, folder: Path, clock: Clock) -> Iterator[str]:
    """Serve an MP4 file once by aio-rtsp-toolkit and yield its address."""
    program = aio_rtsp()
    assert program is not None
    port = free_port()
    line = [program, "--dir", clip.parent, "--host", _LOOPBACK, "--port", port]
    line += ["--control-port", free_port()]
    with Program([str(each) for each in line], folder / "aio-rtsp.log") as running:
        _await_port(port, running, clock)
        yield f"rtsp://{_LOOPBACK}:{port}/{clip.name}"


def _await_port(port: int, program: Program, clock: Clock) -> None:
    def is_open() -> bool:
        program.check()
        with socket.socket() as tried:
            return tried.connect_ex((_LOOPBACK, port)) == 0

    wait.until(is_open, limit_s=_READY_S, what=f"port {port}", clock=clock)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a box recorded of a camera, and what its health said of it meanwhile.

    ``frames`` were decoded from the first recorded file.
    """

    codec: str
    width: int
    height: int
    frames: int
    detail: str | None
    figures: Mapping[str, object]


def recorded(
    camera: Mapping[str, object], folder: Path, clock: Clock, login: Credentials | None = None
) -> Kept:
    """Have a box record a camera until there is a file, and decode that.

    ``camera`` are the keys of its section that count, such as ``main_url``; ``folder`` is empty.
    Raises WaitedTooLongError with what the box said of the camera.
    """
    who: dict[str, object] = {"id": _ID, "name": "村口", "grid_code": "533102105203001"}
    if login is not None:
        (folder / "password").write_text(login.password, encoding="utf-8")
        who |= {"username": login.username, "password": {"file": str(folder / "password")}}
    box = {"id": "peers", "name": "下村", "region_code": "533102105203", "data_dir": str(folder)}
    document = {"box": box, "recording": {"segment_s": 2}, "cameras": [who | dict(camera)]}
    station = Station(EdgeConfig.model_validate(document), clock)
    now = clock.now()
    station.start()
    try:
        segment = wait.until(
            lambda: next(
                iter(
                    station.index.segments(
                        _ID, StreamName.MAIN, now - timedelta(hours=1), now + timedelta(hours=1)
                    )
                ),
                None,
            ),
            limit_s=_RECORD_S,
            what="a recorded file",
            clock=clock,
        )
        health = station.component(_ID)
    except wait.WaitedTooLongError as error:
        raise wait.WaitedTooLongError(f"{error}; {station.component(_ID).detail}") from None
    finally:
        station.close()
        station.database.close()
    with av.open(str(segment.path)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    codec, width, height = segment.codec.value, segment.width, segment.height
    return Kept(codec, width, height, frames, health.detail, health.figures)


def record(
    told: Transcript,
    camera: Mapping[str, object],
    folder: Path,
    clock: Clock,
    login: Credentials | None = None,
) -> None:
    """Have a box record a camera, and tell what came of it."""
    folder.mkdir()
    frames = 0
    try:
        kept = recorded(camera, folder, clock, login)
    except wait.WaitedTooLongError as error:
        told.say("recorded", error)
    else:
        frames = kept.frames
        told.say("recorded", f"{kept.codec} {kept.width}×{kept.height}, {frames} frames")
        told.say("its health", kept.detail or "nothing to say")
    told.expect("what it sends is recorded, and plays", holds=frames > 0)


#: Brings one up over a clip, with a folder for its log, and yields its address.
Peer = Callable[[Path, Clock], contextlib.AbstractContextManager[str]]


def peers() -> dict[str, Peer | None]:
    """Return the servers that play, by name; None for what is not installed."""

    def by_vlc(codec: Codec) -> Peer:
        return lambda folder, clock: vlc_camera(
            draw_clip(folder / "clip.mp4", codec, seconds=30), folder, clock
        )

    def by_aio_rtsp(codec: Codec) -> Peer:
        return lambda folder, clock: aio_rtsp_camera(
            draw_clip(folder / "clip.mp4", codec, seconds=30), folder, clock
        )

    def vlc_mjpeg(folder: Path, clock: Clock) -> contextlib.AbstractContextManager[str]:
        return vlc_pictures(draw_pictures(folder / "clip.avi"), folder, clock)

    has_ffmpeg = shutil.which("ffmpeg") is not None
    has_vlc, has_aio = has_ffmpeg and vlc() is not None, has_ffmpeg and aio_rtsp() is not None
    return {
        **{f"vlc-{codec}": by_vlc(codec) if has_vlc else None for codec in Codec},
        "vlc-mjpeg": vlc_mjpeg if has_vlc else None,
        **{f"aio-rtsp-{codec}": by_aio_rtsp(codec) if has_aio else None for codec in Codec},
        "gst-mjpeg": gst_pictures if has_gstreamer() else None,
    }


def with_peer(name: str, peer: Peer, folder: Path, clock: Clock) -> list[str]:
    """Look at what a server sends, as the doctor does, and record it; return what failed."""
    told = Transcript(name)
    with peer(folder, clock) as url:
        section = {"id": _ID, "name": "村口", "grid_code": "533102105203001", "main_url": url}
        camera = CameraSection.model_validate(section)
        target = Target.of_camera(camera, StreamName.MAIN, clock)
        facts = look_at(target, contextlib.nullcontext(), clock)
        told.say("probed", facts)
        told.expect("its pictures are measured", holds=facts.report is not None)
        record(told, {"main_url": url}, folder / "box", clock)
    return told.failures
