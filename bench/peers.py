"""The peers that the edge is measured beside: what they are started with, and what that does."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """One camera's two addresses; ``sub_fps`` is the rate of the sub-stream."""

    name: str
    main_url: str
    sub_url: str
    sub_fps: int


@dataclass(frozen=True, slots=True)
class Peer:
    """Another program on the same cameras: its command lines, and in words what it does."""

    name: str
    does: str
    commands: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Absent:
    """A peer that can't be measured here, and why; its figures are null, never guessed."""

    name: str
    reason: str


def ffmpeg(sources: Sequence[Source], folder: Path) -> Peer | Absent:
    """Return ``ffmpeg -c copy``, one process a camera: the floor of pure recording."""
    program = shutil.which("ffmpeg")
    if program is None:
        return Absent("ffmpeg", "the program ffmpeg is not installed")
    return Peer(
        name="ffmpeg",
        does="records the main stream of each camera to 10 s MP4 files; shows and detects nothing",
        commands=tuple(_ffmpeg_command(program, source, folder) for source in sources),
    )


def motion(sources: Sequence[Source], folder: Path) -> Peer | Absent:
    """Return Motion with a configuration written into ``folder``, one process for all cameras.

    It decodes every picture of the sub-stream and compares pixels, and records the main stream
    without decoding it (``netcam_high_url`` with ``movie_passthrough``), always, because
    ``emulate_motion`` is on. No pictures are written, nothing is streamed, no web control.
    """
    program = shutil.which("motion")
    if program is None:
        return Absent("motion", "the program motion is not installed")
    cameras = []
    for number, source in enumerate(sources, start=1):
        cameras.append(folder / f"{source.name}.conf")
        cameras[-1].write_text(_motion_camera(number, source, folder), encoding="utf-8")
    whole = folder / "motion.conf"
    whole.write_text(_motion_whole(cameras), encoding="utf-8")
    return Peer(
        name="motion",
        does="records the main stream of each camera (pass-through), decodes and compares every "
        "picture of the sub-stream; shows nothing",
        commands=((program, "-n", "-c", str(whole)),),
    )


def _ffmpeg_command(program: str, source: Source, folder: Path) -> tuple[str, ...]:
    reading = ("-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", source.main_url)
    writing = ("-an", "-c", "copy", "-f", "segment", "-segment_time", "10")
    target = str(folder / f"{source.name}-%05d.mp4")
    return (program, *reading, *writing, "-reset_timestamps", "1", target)


def _motion_whole(cameras: Sequence[Path]) -> str:
    settings = {
        "daemon": "off",
        "log_level": "4",  # errors
        "webcontrol_port": "0",
        "stream_port": "0",
        "picture_output": "off",
        "movie_output": "on",
        "movie_passthrough": "on",
        "movie_max_time": "10",
        "emulate_motion": "on",
    }
    lines = [f"{key} {value}" for key, value in settings.items()]
    return "\n".join([*lines, *(f"camera {path}" for path in cameras)]) + "\n"


def _motion_camera(number: int, source: Source, folder: Path) -> str:
    settings = {
        "camera_id": str(number),
        "camera_name": source.name,
        "netcam_url": source.sub_url,
        "netcam_high_url": source.main_url,
        "width": "640",
        "height": "360",
        "framerate": str(source.sub_fps),
        "target_dir": str(folder / source.name),
        "movie_filename": "%Y%m%d-%H%M%S",
    }
    return "\n".join(f"{key} {value}" for key, value in settings.items()) + "\n"
