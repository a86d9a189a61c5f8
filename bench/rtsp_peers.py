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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import av

from bench import wait
from bench.program import Program
from edge.config import EdgeConfig
from edge.media.sample import Codec
from edge.rtsp.challenge import Credentials
from edge.station import Station
from protocol.clock import Clock
from protocol.relay import StreamName
from village.settings import free_port

_LOOPBACK = "127.0.0.1"
_READY_S = 30.0
_ENCODERS = {Codec.H264: "libx264", Codec.H265: "libx265"}
_ID = "gate"
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
    drawn = f"testsrc=size=640x360:rate=15:duration={seconds}"
    coded = ("-c:v", _ENCODERS[codec], "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "15")
    line = ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", drawn, *coded, str(path)]
    subprocess.run(line, check=True, capture_output=True)
    return path


@contextlib.contextmanager
def vlc_camera(clip: Path, folder: Path, clock: Clock) -> Iterator[str]:
    """Serve an MP4 file by VLC, over and over, and yield its address.

    It answers 461 to whoever wants the video by TCP. It refuses to be root's: then it is nobody's.
    """
    program = vlc()
    assert program is not None
    port = free_port()
    shown = f"#gather:rtp{{sdp=rtsp://{_LOOPBACK}:{port}/cam}}"
    with tempfile.TemporaryDirectory() as open_to_all:
        played = Path(shutil.copy(clip, open_to_all))
        Path(open_to_all).chmod(0o755)
        played.chmod(0o644)
        line = [program, "-I", "dummy", "--no-sout-audio", str(played), "--sout", shown]
        line += ["--sout-keep", "--loop", "--rtsp-host", _LOOPBACK]
        if os.geteuid() == 0:
            line = ["setpriv", "--reuid", "nobody", "--clear-groups", *line]
        with Program(line, folder / "vlc.log", folder=Path(open_to_all)) as running:
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
