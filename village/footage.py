"""The demo's footage: people who walk and meet (PETS 2009), as Debian's opencv-doc carries it.

Found once, made into the clips that the test cameras loop, and kept in the cache folder.
"""

import gzip
import hashlib
import json
import logging
import multiprocessing
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

VIDEO_SHA256 = "45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf"
VIDEO_FRAMES = 795
#: The scene was filmed at 7 frames a second; the file says 10 and plays too fast.
FPS = 7
MAIN_PX = (768, 576)
SUB_PX = (640, 480)
#: Changes whenever the clips would come out differently, so that an old cache is made anew.
RECIPE = 1

_DEBIAN_FILE = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
_ASSET = "videos/people_vtest_PETS09-S2L1.avi"
_DOWNLOAD_S = 180
_PIECE_FRAMES = 28 * FPS  # whole groups of pictures; small enough that progress moves

Picture = NDArray[np.uint8]


class Source(StrEnum):
    """Where the footage came from."""

    INSTALLED = "installed"  # the opencv-doc package of this machine
    DOWNLOADED = "downloaded"  # the same package, unpacked into the cache
    ASSETS = "assets"  # a folder of test footage beside the project
    DRAWN = "drawn"  # none of these: figures drawn by us; no detector knows them as people


@dataclass(frozen=True, slots=True)
class View:
    """What one camera makes of the scene: a part of it, mirrored or not, and some of its frames.

    Left, top, right and bottom are even numbers of pixels of the video. The clip begins with frame
    ``begin`` of the video and ends before frame ``end``.
    """

    camera_id: str
    left: int = 0
    top: int = 0
    right: int = 768
    bottom: int = 576
    mirrored: bool = False
    begin: int = 0
    end: int = VIDEO_FRAMES


@dataclass(frozen=True, slots=True)
class Clips:
    """A view's clips: Annex B H.264, no B-frames, a key frame a second, delimiters."""

    main: Path
    sub: Path


@dataclass(frozen=True, slots=True)
class Footage:
    """The clips of all views, by camera."""

    source: Source
    clips: dict[str, Clips]


class FootageError(Exception):
    """The clips could not be made."""


def prepare(
    folder: Path,
    views: tuple[View, ...],
    progress: Callable[[float], None],
    stopped: Callable[[], bool],
) -> Footage:
    """Return the clips of ``views`` below ``folder``; make them where they are not there yet.

    ``progress`` is told the share done. Blocks for some 15 s the first time.
    Raises FootageError where ``stopped`` says so or the disk refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clips = {
        view.camera_id: Clips(
            folder / f"{view.camera_id}-main.h264", folder / f"{view.camera_id}-sub.h264"
        )
        for view in views
    }
    note = folder / "footage.json"
    recipe = {"recipe": RECIPE, "views": [asdict(view) for view in views]}
    known = _read(note)
    complete = all(file.exists() for pair in clips.values() for file in (pair.main, pair.sub))
    if known.get("recipe") == recipe and complete and known.get("source") != Source.DRAWN:
        return Footage(Source(known["source"]), clips)
    source, video = find(folder)
    if source is Source.DRAWN and known.get("recipe") == recipe and complete:
        return Footage(source, clips)
    note.unlink(missing_ok=True)
    _make_all(video, clips, views, progress, stopped)
    _replace(note, json.dumps({"recipe": recipe, "source": source}).encode())
    return Footage(source, clips)


def find(folder: Path) -> tuple[Source, Path | None]:
    """Return the video, from the nearest place that has it whole; None: there is none."""
    cached = folder / "vtest.avi"
    if _is_whole(cached):
        return Source.DOWNLOADED, cached
    if _is_whole(_DEBIAN_FILE):
        return Source.INSTALLED, _DEBIAN_FILE
    packed = _DEBIAN_FILE.with_name("vtest.avi.gz")
    if packed.exists():
        with gzip.open(packed) as stream:
            _replace(cached, stream.read())
        if _is_whole(cached):
            return Source.INSTALLED, cached
    for place in _assets():
        if _is_whole(place):
            return Source.ASSETS, place
    if _download(cached):
        return Source.DOWNLOADED, cached
    return Source.DRAWN, None


def _assets() -> list[Path]:
    named = os.environ.get("TANSHAO_ASSETS")
    beside = Path(__file__).resolve().parents[2] / "shared" / "assets"
    return [Path(named) / _ASSET] if named else [beside / _ASSET]


def _is_whole(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == VIDEO_SHA256
    except OSError:
        return False


def _download(target: Path) -> bool:
    """Unpack the video out of Debian's package; needs no rights. Return whether it is whole."""
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if apt is None or dpkg is None:
        return False
    quick = ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=10", "-q"]
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="deb-") as name:
        try:
            subprocess.run(
                [apt, *quick, "download", "opencv-doc"],
                cwd=name,
                capture_output=True,
                timeout=_DOWNLOAD_S,
                check=True,
            )
            (package,) = Path(name).glob("opencv-doc_*.deb")
            _unpack(dpkg, package)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            log.warning("footage.download_failed", extra={"error": type(error).__name__})
            return False
        found = Path(name) / _DEBIAN_FILE.relative_to("/")
        data = found.read_bytes() if found.exists() else b""
        if not data and found.with_name("vtest.avi.gz").exists():
            data = gzip.decompress(found.with_name("vtest.avi.gz").read_bytes())
        _replace(target, data)
    return _is_whole(target)


def _unpack(dpkg: str, package: Path) -> None:
    subprocess.run(
        [dpkg, "-x", package.name, "."],
        cwd=package.parent,
        capture_output=True,
        timeout=_DOWNLOAD_S,
        check=True,
    )


def _make_all(
    video: Path | None,
    clips: dict[str, Clips],
    views: tuple[View, ...],
    progress: Callable[[float], None],
    stopped: Callable[[], bool],
) -> None:
    """Make every view's two clips, a piece at a time, in as many processes as there are cores.

    PyAV holds the interpreter's lock while it encodes: threads would take turns.
    """
    pieces = [
        replace(view, begin=begin, end=min(begin + _PIECE_FRAMES, view.end))
        for view in views
        for begin in range(view.begin, view.end, _PIECE_FRAMES)
    ]
    made: dict[View, tuple[bytes, bytes]] = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=context, initializer=_leave_signals_alone) as pool:
        jobs = {pool.submit(make_piece, video, piece): piece for piece in pieces}
        try:
            while len(made) < len(pieces):
                done, waiting = wait(jobs.keys(), timeout=0.2, return_when=FIRST_COMPLETED)
                if stopped():
                    raise FootageError("stopped while the demo's clips were made")
                for job in done:
                    made[jobs.pop(job)] = job.result()
                progress(1 - len(waiting) / len(pieces))
        except (OSError, BrokenExecutor, av.FFmpegError) as error:
            raise FootageError(f"the demo's clips could not be made: {error}") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    for view in views:
        mine = [made[piece] for piece in pieces if piece.camera_id == view.camera_id]
        _replace(clips[view.camera_id].main, b"".join(main for main, _ in mine))
        _replace(clips[view.camera_id].sub, b"".join(sub for _, sub in mine))


def _leave_signals_alone() -> None:
    """Let the launcher decide what Ctrl-C means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def make_piece(video: Path | None, view: View) -> tuple[bytes, bytes]:
    """Return the main and the sub clip of a view, made by encoders that know nothing before it."""
    main, sub = _Encoder(MAIN_PX, 1_500_000), _Encoder(SUB_PX, 600_000)
    units = []
    for picture in pictures(video, view.begin, view.end):
        frame = crop(picture, view)
        units.append((main.encode(frame), sub.encode(frame)))
    return b"".join(unit for unit, _ in units), b"".join(unit for _, unit in units)


def crop(planes: Picture, view: View) -> av.VideoFrame:
    """Return a view's part of a picture in planar YUV 4:2:0."""
    width, height = MAIN_PX
    quarter = height // 4
    luma = planes[:height]
    chroma = planes[height:].reshape(2, 2 * quarter, width // 2)
    step = -1 if view.mirrored else 1
    part = luma[view.top : view.bottom, view.left : view.right][:, ::step]
    half = chroma[:, view.top // 2 : view.bottom // 2, view.left // 2 : view.right // 2]
    flat = np.concatenate([part.ravel(), half[:, :, ::step].ravel()])
    return av.VideoFrame.from_ndarray(flat.reshape(-1, part.shape[1]), format="yuv420p")


def pictures(video: Path | None, begin: int, end: int) -> Iterator[Picture]:
    """Yield the scene's pictures in planar YUV 4:2:0; drawn ones where there is no video."""
    if video is None:
        for index in range(begin, end):
            yield np.asarray(cv2.cvtColor(draw(index), cv2.COLOR_BGR2YUV_I420), dtype=np.uint8)
        return
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        container.seek(begin, stream=stream)  # its times count frames
        for frame in container.decode(stream):
            if frame.pts is None or frame.pts < begin:
                continue
            if frame.pts >= end:
                return
            yield np.asarray(frame.to_ndarray(format="yuv420p"), dtype=np.uint8)


def draw(index: int) -> Picture:
    """Return frame ``index`` of a scene with walking figures, for machines without the video."""
    width, height = MAIN_PX
    picture = np.full((height, width, 3), (150, 160, 150), dtype=np.uint8)
    cv2.rectangle(picture, (0, 0), (width, height // 3), (190, 170, 150), -1)
    for walker in range(6):
        span = width + 120
        x = (index * (3 + walker) + walker * 160) % span - 60
        y = height // 3 + 60 + walker * 45
        size = 26 + walker * 5
        colour = (60 + 30 * walker, 90, 200 - 25 * walker)
        swing = size // 2 if index // 3 % 2 else -size // 3
        cv2.circle(picture, (x, y - size * 2), size // 3, (140, 170, 210), -1)
        cv2.ellipse(picture, (x, y - size), (size // 2, size), 0, 0, 360, colour, -1)
        cv2.line(picture, (x, y), (x + swing, y + size), (50, 50, 60), size // 5)
        cv2.line(picture, (x, y), (x - swing, y + size), (50, 50, 60), size // 5)
    return picture


class _Encoder:
    """Makes Annex B H.264 as a camera's sub-stream would be. One thread's."""

    def __init__(self, size_px: tuple[int, int], bits_per_s: int) -> None:
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height = size_px
        context.pix_fmt = "yuv420p"
        context.time_base, context.framerate = Fraction(1, FPS), Fraction(FPS)
        context.bit_rate = bits_per_s
        context.thread_count = 1  # one slice a picture; the pieces are what runs in parallel
        kilo = bits_per_s // 1000
        rate = f"force-cfr=1:vbv-maxrate={2 * kilo}:vbv-bufsize={2 * kilo}"
        keys = f"keyint={FPS}:min-keyint={FPS}:scenecut=0:bframes=0:repeat-headers=1:aud=1"
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "x264-params": f"{keys}:{rate}",
        }
        self._context = context
        self._size_px = size_px
        self._count = 0

    def encode(self, picture: av.VideoFrame) -> bytes:
        """Return a picture's access unit (zerolatency gives it at once)."""
        width, height = self._size_px
        frame = picture.reformat(width, height, interpolation="FAST_BILINEAR")
        frame.pts = self._count
        self._count += 1
        return b"".join(bytes(packet) for packet in self._context.encode(frame))


def _read(note: Path) -> dict[str, Any]:
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(data)
    fresh.replace(path)
