"""The cameras of a measurement: 1080p25 at 4 Mbit/s, each with a sub-stream, from one server."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from bench import real_footage
from bench.camera import Camera
from bench.peers import Source
from bench.pictures import Pictures
from bench.real_footage import View
from protocol.clock import Clock
from village import footage
from village.testcam.programme import Mount

MAIN = Pictures(width=1920, height=1080, fps=25, bits_per_s=4_000_000, seconds=12, gop=50)
SUB = Pictures(width=640, height=360, fps=10, bits_per_s=500_000, seconds=12, gop=20)
#: Real footage is shown so long before it begins again.
REAL_S = 24


@dataclass(frozen=True, slots=True)
class _Clips:
    """What a camera sends: its two streams, and how many pictures a second they have."""

    main: Path
    main_fps: int
    sub: Path
    sub_fps: int


@contextlib.contextmanager
def hd_cameras(folder: Path, count: int, clock: Clock) -> Iterator[tuple[Source, ...]]:
    """Draw the pictures in ``folder`` and serve ``count`` cameras while the context lasts."""
    print("making test pictures …", flush=True)
    clips = _Clips(folder / "main.h264", MAIN.fps, folder / "sub.h264", SUB.fps)
    MAIN.write(clips.main)
    SUB.write(clips.sub)
    with _served({"cam": clips}, folder, count, clock) as sources:
        yield sources["cam"]


@contextlib.contextmanager
def real_cameras(
    folder: Path, count: int, clock: Clock
) -> Iterator[tuple[footage.Source, Mapping[View, tuple[Source, ...]]]]:
    """Serve ``count`` cameras of each view while the context lasts, and say whence the footage is.

    Raises NoFootageError.
    """
    print("making clips of real footage …", flush=True)
    origin, video = real_footage.find(folder)
    main, sub = real_footage.MAIN, real_footage.SUB
    clips = {}
    for view in View:
        pictures = real_footage.pictures(video, view, REAL_S * main.fps)
        files = _Clips(folder / f"{view}-main.h264", main.fps, folder / f"{view}-sub.h264", sub.fps)
        main.write(files.main, pictures)
        sub.write(files.sub, pictures[: REAL_S * sub.fps])
        clips[view.value] = files
    with _served(clips, folder, count, clock) as sources:
        yield origin, {view: sources[view.value] for view in View}


@contextlib.contextmanager
def _served(
    clips: Mapping[str, _Clips], folder: Path, count: int, clock: Clock
) -> Iterator[Mapping[str, tuple[Source, ...]]]:
    numbers = range(1, count + 1)
    mounts = []
    for name, files in clips.items():
        for number in numbers:
            main, sub = f"/{name}/{number}/main", f"/{name}/{number}/sub"
            mounts.append(Mount(main, files.main, Fraction(files.main_fps)))
            mounts.append(Mount(sub, files.sub, Fraction(files.sub_fps)))
    with Camera(mounts, folder, clock) as camera:
        yield {
            name: tuple(
                Source(
                    f"{name}-{number:02}",
                    camera.url(f"/{name}/{number}/main"),
                    camera.url(f"/{name}/{number}/sub"),
                    files.sub_fps,
                )
                for number in numbers
            )
            for name, files in clips.items()
        }
