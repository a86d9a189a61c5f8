"""``python -m bench.fuzz``: mutated recordings, streams and messages against their readers.

Real H.264 and H.265 streams, files as the recorder writes them, and messages of a box are damaged
at random: bits, bytes and lengths changed, parts cut, doubled, swapped and spliced. Each reader
must refuse what it can't read with the error it promises, at once. Anything else is a crash: it is
printed with what makes it again, and the exit status is 1.
"""

import argparse
import contextlib
import logging
import random
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av

from bench import report
from bench.fuzz_messages import Ingest, messages
from bench.pictures import Pictures
from edge.errors import MediaError
from edge.media import nal
from edge.media.boxes import fragments, read_head
from edge.media.fmp4 import fragment, init_segment
from edge.media.parameters import ParameterCollector, mime_codec
from edge.media.sample import TICKS_PER_S, Codec, Packet, Sample
from edge.media.timeline import Timeline
from edge.recording.origin import Origin
from edge.recording.salvage import salvage
from protocol.clock import Clock, SystemClock
from protocol.codec import BadMessageError
from protocol.relay import StreamName

#: Small, so that the damage meets what says where things are and not only the pictures' own bytes.
_PICTURES = Pictures(width=64, height=48, fps=25, bits_per_s=20_000, seconds=2, gop=25)
_FRAME_90K = TICKS_PER_S // _PICTURES.fps
_ENCODERS = {Codec.H264: "libx264", Codec.H265: "libx265"}
_FRAGMENT_SAMPLES = 10
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
#: What a reader may take for one small input; more is a hang, or a length that is believed.
_MOST_S = 2.0
_MOST_SHOWN = 5
_EXTREMES = (0, 1, 7, 8, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF)

_READ_UNIT: tuple[Callable[[Codec, bytes], object], ...] = (
    nal.picture,
    nal.parameter_set_id,
    nal.sequence_set_id,
    nal.picture_set_id,
)

Reader = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Target:
    """One reader, and sound inputs that it reads."""

    name: str
    read: Reader
    seeds: tuple[bytes, ...]


@dataclass(slots=True)
class Outcome:
    """What became of the inputs of one target; ``crashes`` names each kind once, in words."""

    inputs: int = 0
    read: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    crashes: Counter[str] = field(default_factory=Counter)


def mutated(seed: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return ``seed`` with one to eight kinds of damage; ``other`` is what is spliced in: pure."""
    data = bytearray(seed)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        if not data:
            break
        chance.choice(_DAMAGES)(data, other, chance)
    return bytes(data)


def _flip(data: bytearray, _other: bytes, chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _set(data: bytearray, _other: bytes, chance: random.Random) -> None:
    data[chance.randrange(len(data))] = chance.randrange(256)


def _extreme(data: bytearray, _other: bytes, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at : at + 4] = chance.choice(_EXTREMES).to_bytes(4)


def _truncate(data: bytearray, _other: bytes, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _cut(data: bytearray, _other: bytes, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.randrange(1, 64)]


def _double(data: bytearray, _other: bytes, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at:at] = data[at : at + chance.randrange(1, 512)]


def _zero(data: bytearray, _other: bytes, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at : at + 512] = bytes(len(data[at : at + 512]))


def _splice(data: bytearray, other: bytes, chance: random.Random) -> None:
    if other:
        data[chance.randrange(len(data)) :] = other[chance.randrange(len(other)) :]


_DAMAGES = (_flip, _flip, _set, _set, _extreme, _truncate, _cut, _double, _zero, _splice)


def fuzz(
    targets: Sequence[Target], seconds: float, chance: random.Random, clock: Clock
) -> Mapping[str, Outcome]:
    """Feed the targets by turns for so long and return what became of it."""
    outcomes = {target.name: Outcome() for target in targets}
    ends_ns = clock.monotonic_ns() + round(seconds * 1e9)
    while clock.monotonic_ns() < ends_ns:
        for target in targets:
            data = mutated(chance.choice(target.seeds), chance.choice(target.seeds), chance)
            _feed(target, data, outcomes[target.name], clock)
    return outcomes


def _feed(target: Target, data: bytes, outcome: Outcome, clock: Clock) -> None:
    began_ns = clock.monotonic_ns()
    try:
        target.read(data)
        outcome.read += 1
    except (MediaError, BadMessageError):
        outcome.refused += 1
    except Exception as error:  # noqa: BLE001 - finding these is what this is for
        where = traceback.extract_tb(error.__traceback__)[-1]
        _crash(target, data, outcome, f"{error!r} in {Path(where.filename).name}:{where.lineno}")
    taken_s = (clock.monotonic_ns() - began_ns) / 1e9
    outcome.inputs += 1
    outcome.slowest_s = max(outcome.slowest_s, taken_s)
    if taken_s > _MOST_S:
        _crash(target, data, outcome, f"took {taken_s:.1f} s")


def _crash(target: Target, data: bytes, outcome: Outcome, what: str) -> None:
    if not outcome.crashes[what] and len(outcome.crashes) <= _MOST_SHOWN:
        print(f"CRASH {target.name}: {what}\n  input: {data.hex()}", flush=True)
    outcome.crashes[what] += 1


# -- the readers and what they read ---------------------------------------------------------------


def targets(folder: Path) -> tuple[Target, ...]:
    """Return every reader of what a camera, a disk or a box's link may have damaged."""
    streams = {codec: tuple(_access_units(codec)) for codec in Codec}
    files = tuple(_file(codec, units) for codec, units in streams.items())
    made = [
        Target("fragment reader", _read_file, files),
        Target("reading back after a crash", _Salvage(folder / "open.mp4"), files),
        Target("the centre's inbox", Ingest(folder), messages()),
    ]
    for codec, units in streams.items():
        parameters = ParameterCollector(codec, units[0]).parameters
        assert parameters is not None
        made.append(Target(f"{codec.value} packets", _Absorb(codec), units))
        sets = (units[0], parameters.extradata)  # in-band, and as SDP or a file has them
        made.append(Target(f"{codec.value} parameter sets", _ReadSets(codec), sets))
    return tuple(made)


def _read_file(data: bytes) -> None:
    file = BytesIO(data)
    head = read_head(file, len(data))
    for part in fragments(file, head.init_bytes, len(data)):
        for sample in part.samples:
            if sample.offset + sample.size_bytes > len(data):
                raise AssertionError("a sample beyond the end of the file")


@dataclass(frozen=True, slots=True)
class _Salvage:
    path: Path

    def __call__(self, data: bytes) -> None:
        self.path.write_bytes(data)
        file = salvage(self.path)
        if not 0 < file.size_bytes <= len(data) or file.end <= file.start:
            raise AssertionError(f"{file.size_bytes} bytes from {file.start} to {file.end}")


@dataclass(frozen=True, slots=True)
class _Absorb:
    codec: Codec

    def __call__(self, data: bytes) -> None:
        line = Timeline("gate", StreamName.MAIN, self.codec)
        units = tuple(nal.split(data))
        for number in range(2):
            line.feed(Packet(number, number, True, units, number, _BEGAN))  # noqa: FBT003
        ParameterCollector(self.codec).absorb(data)


@dataclass(frozen=True, slots=True)
class _ReadSets:
    codec: Codec

    def __call__(self, data: bytes) -> None:
        for unit in nal.split(data):
            for read in _READ_UNIT:
                with contextlib.suppress(MediaError):
                    read(self.codec, unit)
        parameters = ParameterCollector(self.codec, data).parameters
        if parameters is not None:
            mime_codec(self.codec, parameters.extradata)


def _access_units(codec: Codec) -> Iterator[bytes]:
    encoder = av.CodecContext.create(_ENCODERS[codec], "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = _PICTURES.width, _PICTURES.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, _PICTURES.fps), Fraction(_PICTURES.fps)
    given = f"keyint={_PICTURES.gop}:bframes=0:repeat-headers=1"
    quiet = ":log-level=none" if codec is Codec.H265 else ""
    encoder.options = {"preset": "ultrafast", f"{_ENCODERS[codec][3:]}-params": given + quiet}
    for number, picture in enumerate(_PICTURES.each()):
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = number
        yield from map(bytes, encoder.encode(frame))
    yield from map(bytes, encoder.encode(None))


def _file(codec: Codec, units: Sequence[bytes]) -> bytes:
    """Return a file as the recorder writes it."""
    line = Timeline("gate", StreamName.MAIN, codec)
    samples = [
        item
        for number, unit in enumerate(units)
        for item in line.feed(_packet(number, unit))
        if isinstance(item, Sample)
    ]
    run = samples[0].run
    note = Origin("gate", StreamName.MAIN, run.run_id, run.started_utc).encode()
    parts = [init_segment(run.parameters, note)]
    for first in range(0, len(samples), _FRAGMENT_SAMPLES):
        some = samples[first : first + _FRAGMENT_SAMPLES]
        parts.append(fragment(some, [_FRAME_90K] * len(some), first))
    return b"".join(parts)


def _packet(number: int, unit: bytes) -> Packet:
    at_90k = number * _FRAME_90K
    after = timedelta(seconds=number / _PICTURES.fps)
    is_key = number % _PICTURES.gop == 0
    units, at_ns = tuple(nal.split(unit)), round(after.total_seconds() * 1e9)
    return Packet(at_90k, at_90k, is_key, units, at_ns, _BEGAN + after)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz, print, return the exit status: 0 only if every input was read or refused in time."""
    parser = argparse.ArgumentParser(prog="bench.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (60)")
    parser.add_argument("--seed", type=int, default=None, help="of the damage")
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-fuzz-") as name:
        chance = random.Random(seed)
        logging.disable(logging.WARNING)  # the inbox logs each message that it sets aside
        outcomes = fuzz(targets(Path(name)), given.seconds, chance, SystemClock())
    rows = [
        (name, each.inputs, each.read, each.refused, each.slowest_s * 1000, each.crashes.total())
        for name, each in outcomes.items()
    ]
    head = ("reader", "inputs", "read", "refused", "slowest, ms", "crashes")
    print(report.table(head, rows))
    crashes = sum(each.crashes.total() for each in outcomes.values())
    figures: dict[str, object] = {
        "passed": crashes == 0,
        "seconds": given.seconds,
        "inputs": sum(each.inputs for each in outcomes.values()),
        "crashes": crashes,
        "slowest_ms": round(max(each.slowest_s for each in outcomes.values()) * 1000, 1),
        "seed": seed,
    }
    report.emit(sys.stdout, figures)
    return 0 if crashes == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
