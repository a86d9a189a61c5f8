"""Whether a clip is whole: every frame of it decoded, not only its head looked at."""

import io
from dataclasses import dataclass

import av


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a decoder made of a clip; ``error`` None: every packet gave its picture."""

    frames: int
    seconds: float
    error: str | None


def decode(data: bytes) -> Decoded:
    """Decode all of a clip. ``seconds`` is from the first picture to the end of the last."""
    frames = packets = 0
    times: list[float] = []
    error: str | None = None
    try:
        with av.open(io.BytesIO(data), "r") as container:
            stream = container.streams.video[0]
            for packet in container.demux(stream):
                packets += int(packet.size > 0)
                for frame in packet.decode():
                    frames += 1
                    if frame.time is not None:
                        times.append(frame.time)
    except (av.FFmpegError, IndexError) as failure:
        error = f"{type(failure).__name__}: {failure}"
    if error is None and frames != packets:
        error = f"{packets} packets gave {frames} pictures"
    return Decoded(frames, _length_s(times), error)


def _length_s(times: list[float]) -> float:
    if len(times) < 2:
        return 0.0
    span = max(times) - min(times)
    return span * len(times) / (len(times) - 1)
