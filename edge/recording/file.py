"""One recorded file while it grows."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path

from edge.media.fmp4 import fragment_parts, init_segment
from edge.media.sample import TICKS_PER_S, Sample
from edge.recording.origin import Origin
from edge.recording.segment import ClosedFile, Footage, KeyPoint
from protocol.ids import uuid7

_NS_PER_US = 1000
#: What one writev takes (IOV_MAX of Linux); a fragment of a second has some 25.
_MAX_PARTS = 1024
#: Hashing gives Python's lock away at each call, and with 16 cameras others wait for it: so not a
#: picture at a time. Not a fragment either: the copy of that would stay in the thread's heap.
_HASHED_BYTES = 96 * 1024


class SegmentFile:
    """A file of one run. Each fragment is one unbuffered write: a killed process loses none.

    One thread uses it. Methods raise OSError where the disk refuses; what was complete before stays
    complete, and :meth:`close`, :meth:`discard` or :meth:`abandon` is still due.
    """

    def __init__(self, path: Path, first: Sample) -> None:
        run = first.run
        self.path = path
        self._run = run
        self._first = first
        self._last_mono_ns = first.received_mono_ns
        self._end_90k = first.dts_90k
        self._last_duration_90k = 0
        self._hash = hashlib.sha256()
        self._size_bytes = 0
        self._sequence = 0
        self._keys: list[KeyPoint] = []
        _make_folder(self.path.parent)
        self._file: FileIO = self.path.open("xb", buffering=0)
        try:
            self._write([init_segment(run.parameters, Origin.of(run).encode())])
        except OSError:
            self.discard()
            raise
        self._init_bytes = self._size_bytes

    @property
    def start_90k(self) -> int:
        """The media time of its first sample in its run."""
        return self._first.dts_90k

    @property
    def is_empty(self) -> bool:
        """Whether it holds no fragment yet."""
        return self._sequence == 0

    @property
    def footage(self) -> Footage:
        """What is complete so far."""
        run, parameters = self._run, self._run.parameters
        return Footage(
            camera_id=run.camera_id,
            stream=run.stream,
            run_id=run.run_id,
            path=self.path,
            start=run.utc_at(self._first.dts_90k),
            end=run.utc_at(self._end_90k),
            start_dts_90k=self._first.dts_90k,
            duration_90k=self._end_90k - self._first.dts_90k,
            size_bytes=self._size_bytes,
            init_bytes=self._init_bytes,
            codec=parameters.codec,
            mime_codec=parameters.mime_codec,
            width=parameters.width,
            height=parameters.height,
            starts_key=self._first.is_key,
        )

    def append(self, samples: Sequence[Sample], durations_90k: Sequence[int]) -> None:
        """Write one fragment that follows on the last one."""
        begin = KeyPoint(samples[0].dts_90k - self._first.dts_90k, self._size_bytes)
        self._write(fragment_parts(samples, durations_90k, self._sequence + 1))
        if samples[0].is_key:
            self._keys.append(begin)
        self._sequence += 1
        self._end_90k = samples[-1].dts_90k + durations_90k[-1]
        self._last_mono_ns = samples[-1].received_mono_ns
        self._last_duration_90k = durations_90k[-1]

    def sync(self) -> None:
        """Bring what is written onto the disk itself; blocks for as long as that takes."""
        os.fdatasync(self._file.fileno())

    def close(self) -> ClosedFile:
        """Bring the file and its name onto the disk and return what it is. It holds a fragment."""
        os.fsync(self._file.fileno())
        self._file.close()
        _sync_folder(self.path.parent)
        footage = self.footage
        last_ns = self._last_duration_90k * 1_000_000_000 // TICKS_PER_S
        wall_ns = self._last_mono_ns + last_ns - self._first.received_mono_ns
        return ClosedFile(
            **{name: getattr(footage, name) for name in Footage.__slots__},
            wall_us=wall_ns // _NS_PER_US,
            sha256=self._hash.hexdigest(),
            keys=tuple(self._keys),
        )

    def abandon(self) -> None:
        """Leave the file as it is, for recovery to read back. Idempotent."""
        self._file.close()

    def discard(self) -> None:
        """Remove the file; it holds nothing."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _write(self, parts: Sequence[bytes]) -> None:
        """Write parts as one: gathered by the kernel, so that no fragment is copied for it."""
        left = parts
        try:
            while left:
                left = _beyond(left, os.writev(self._file.fileno(), left[:_MAX_PARTS]))
        except OSError:
            # A full disk may have taken a part: a torn fragment must not stand in the middle.
            os.ftruncate(self._file.fileno(), self._size_bytes)
            self._file.seek(self._size_bytes)
            raise
        for piece in _pieces(parts):
            self._hash.update(piece)
            self._size_bytes += len(piece)


def _beyond(parts: Sequence[bytes], written: int) -> Sequence[bytes]:
    """Return what of ``parts`` lies beyond the first ``written`` bytes."""
    for at, part in enumerate(parts):
        if written < len(part):
            return [part[written:], *parts[at + 1 :]]
        written -= len(part)
    return ()


def _pieces(parts: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the bytes of ``parts`` in order, small ones put together up to _HASHED_BYTES."""
    held: list[bytes] = []
    held_bytes = 0
    for part in parts:
        if held and held_bytes + len(part) > _HASHED_BYTES:
            yield b"".join(held)
            held, held_bytes = [], 0
        held.append(part)
        held_bytes += len(part)
    yield b"".join(held)  # of a single part, that is the part itself


def new_path(root: Path, first: Sample) -> Path:
    """Return where a file that begins with ``first`` is to be; never the same twice."""
    run = first.run
    start = run.utc_at(first.dts_90k)
    name = f"{start:%H%M%S}-{uuid7(start).hex}.mp4"
    return root / run.camera_id / run.stream.value / f"{start:%Y%m%d}" / name


def _make_folder(folder: Path) -> None:
    """Make a folder and its parents so that they are still there after a power cut."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
