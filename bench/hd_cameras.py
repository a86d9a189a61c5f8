"""The cameras of a measurement: 1080p25 at 4 Mbit/s, each with a sub-stream, from one server."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from bench.camera import Camera
from bench.peers import Source
from bench.pictures import Pictures
from protocol.clock import Clock
from village.testcam.programme import Mount

MAIN = Pictures(width=1920, height=1080, fps=25, bits_per_s=4_000_000, seconds=12, gop=50)
SUB = Pictures(width=640, height=360, fps=10, bits_per_s=500_000, seconds=12, gop=20)


@contextlib.contextmanager
def hd_cameras(folder: Path, count: int, clock: Clock) -> Iterator[tuple[Source, ...]]:
    """Make the pictures in ``folder`` and serve ``count`` cameras while the context lasts."""
    print("making test pictures …", flush=True)
    main_file, sub_file = folder / "main.h264", folder / "sub.h264"
    MAIN.write(main_file)
    SUB.write(sub_file)
    numbers = range(1, count + 1)
    mounts = []
    for number in numbers:
        mounts.append(Mount(f"/{number}/main", main_file, Fraction(MAIN.fps)))
        mounts.append(Mount(f"/{number}/sub", sub_file, Fraction(SUB.fps)))
    with Camera(mounts, folder, clock) as camera:
        yield tuple(
            Source(
                f"cam-{number:02}",
                camera.url(f"/{number}/main"),
                camera.url(f"/{number}/sub"),
                SUB.fps,
            )
            for number in numbers
        )
