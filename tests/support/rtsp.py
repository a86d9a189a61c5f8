"""A real RTSP camera for tests, and small clips for it to play.

::

    clip = make_clip(tmp_path / "a.h264", frames=50, fps=25)
    with TestCamera({"/cam": (clip, 25)}) as camera:
        open(camera.url("/cam"))
"""

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import av
import numpy as np

from tests.support.tools import gstreamer_is_here
from village.testcam.clip import Coding
from village.testcam.programme import Mount
from village.testcam.server import Kind, command, environment

READY_S = 20.0
INDEX_BITS = 16
_BLOCK_PX = 16


def make_clip(
    path: Path,
    *,
    frames: int = 50,
    fps: int = 25,
    gop: int = 25,
    width: int = 320,
    height: int = 240,
    draw: Callable[[int, int, int], np.ndarray] | None = None,
) -> Path:
    """Write a moving picture with its frame index burned in (see :func:`read_index`).

    The codec follows the name: ``.h264`` or ``.h265``. No B-frames; delimiters; closed groups.
    ``draw`` may give other pictures, grey or BGR, of an index, a width and a height.
    """
    draw = draw or _picture
    coding = Coding(path.suffix.removeprefix("."))
    encoder = av.CodecContext.create("libx264" if coding is Coding.H264 else "libx265", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    keys = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:repeat-headers=1"
    if coding is Coding.H264:
        params = {"x264-params": f"{keys}:aud=1"}
    else:
        params = {"x265-params": f"{keys}:aud=1:open-gop=0:log-level=error:pools=1"}
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "threads": "1", **params}
    data = bytearray()
    for index in range(frames):
        drawn = draw(index, width, height)
        frame = av.VideoFrame.from_ndarray(drawn, format="gray" if drawn.ndim == 2 else "bgr24")
        picture = frame.reformat(format="yuv420p")
        picture.pts = index
        for packet in encoder.encode(picture):
            data += bytes(packet)
    for packet in encoder.encode(None):
        data += bytes(packet)
    path.write_bytes(data)
    return path


def _picture(index: int, width: int, height: int) -> np.ndarray:
    picture = np.full((height, width), 64, dtype=np.uint8)
    left = index * 8 % max(1, width - 40)
    picture[height // 2 : height // 2 + 40, left : left + 40] = 200
    for bit in range(INDEX_BITS):
        value = 255 if index >> bit & 1 else 0
        picture[:_BLOCK_PX, bit * _BLOCK_PX : (bit + 1) * _BLOCK_PX] = value
    return picture


def read_index(luma: np.ndarray) -> int:
    """Return the index burned into a picture of the size it was made in (``gray``, or Y)."""
    half = _BLOCK_PX // 2
    bits = (int(luma[half, bit * _BLOCK_PX + half] > 127) << bit for bit in range(INDEX_BITS))
    return sum(bits)


class TestCamera:
    """A running RTSP server on a port of the system's choice; gst where it is, else pure Python.

    ``mounts``: path → (clip, frames per second). Context manager; ``kill`` and ``restart`` keep the
    port; ``freeze`` and ``thaw`` stop and continue the process as a hung camera does. ``variables``
    are of the server's environment.
    """

    __test__ = False  # not a test class, whatever pytest thinks of the name

    def __init__(
        self,
        mounts: dict[str, tuple[Path, int]],
        *,
        kind: Kind | None = None,
        auth: Literal["basic", "digest"] | None = None,
        username: str = "camera",
        password: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.kind: Kind = kind or ("gst" if gstreamer_is_here() else "python")
        self.port = 0
        self.events: list[dict] = []
        self._mounts = [Mount(path, file, Fraction(fps)) for path, (file, fps) in mounts.items()]
        self._auth = auth
        self._variables = dict(variables or {})
        self._username = username
        self._password = password
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._loops: queue.Queue[dict] = queue.Queue()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        line = command(
            self.kind, self._mounts, port=self.port, auth=self._auth, username=self._username
        )
        self._process = subprocess.Popen(
            line,
            env=environment(self.kind) | self._variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(self._password + "\n")
        self._process.stdin.close()
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        ready = self.wait_event("ready", timeout_s=READY_S)
        self.port = int(ready["port"])

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            self.events.append(event)
            self._loops.put(event)
        self._loops.put({"event": "end"})

    def wait_event(self, name: str, *, timeout_s: float) -> dict:
        """Return the next status line of that name; see village/testcam/programme.py."""
        while True:
            event = self._loops.get(timeout=timeout_s)
            if event["event"] == name:
                return event
            if event["event"] == "end":
                raise RuntimeError(f"the test camera ended before {name!r}")

    def url(self, mount: str) -> str:
        return f"rtsp://127.0.0.1:{self.port}{mount}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a power cut does; idempotent."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._reader is not None:
            self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        self._loops = queue.Queue()

    def restart(self) -> None:
        """Kill it if it lives and start it again on the same port."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Stop the process; its connections stay open and silent."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on; it skips what it missed."""
        os.kill(self.pid, signal.SIGCONT)
